"""`make docs`: the reference pages, schema and manual page from the code, links and code checked, and the site in `site/`.

With `--check` nothing is written: pages that are out of date, broken links and wrong code are told, and the site is not
built.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import page_code
import pages
import reference_pages
from pages import ROOT


def broken(root: Path) -> list[str]:
    """Every link that leads nowhere inside the repository, with the page it stands on. Other hosts are not asked."""
    found = []
    for page in pages.documents(root):
        text = page.read_text(encoding="utf-8")
        for link in pages.links(text):
            parts = urlsplit(link)
            if parts.scheme:
                continue
            target = (page.parent / parts.path).resolve() if parts.path else page
            where = f"{page.relative_to(root)}: {link}"
            if not target.exists() or not target.is_relative_to(root):
                found.append(f"{where}: there is no such file")
            elif parts.fragment and parts.fragment not in pages.anchors(target.read_text(encoding="utf-8")):
                found.append(f"{where}: there is no such heading")
    return found


def outdated(root: Path) -> list[str]:
    """The generated pages that differ from what the code says now."""
    found = []
    for name, text in reference_pages.pages().items():
        path = root / name
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            found.append(f"{name}: is out of date; `make docs` writes it anew")
    return found


def write(root: Path) -> None:
    """Write the generated pages that changed."""
    for name, text in reference_pages.pages().items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            print(f"wrote {name}")


def main() -> int:
    """Write or check; 0 when everything is right."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing")
    check = parser.parse_args().check
    if not check:
        write(ROOT)
    wrong = [*outdated(ROOT), *broken(ROOT), *page_code.wrong(ROOT)]
    print("\n".join(wrong) or f"{len(pages.documents(ROOT))} pages: up to date, links lead somewhere, code is taken")
    if check or wrong:
        return int(bool(wrong))
    site = [sys.executable, "-m", "mkdocs", "--quiet", "build", "--strict", "--clean"]
    code = subprocess.run(site, cwd=ROOT, check=False).returncode
    print("the site is in site/" if code == 0 else "the site could not be built")
    return code


if __name__ == "__main__":
    sys.exit(main())
