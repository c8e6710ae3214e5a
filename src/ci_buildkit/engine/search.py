"""The shell script that finds the reports in a step's file system and prints them, and how buildx is told to run it."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence

USUAL_FOLDERS = (
    "/out",
    "/reports",
    "/report",
    "/test-results",
    "/test-reports",
    "/results",
    "/junit",
    "/coverage",
    "/artifacts",
)
USUAL_NAMES = (
    "*junit*.xml",
    "TEST-*.xml",
    "*test*.xml",
    "*report*.xml",
    "*result*.xml",
    "*.trx",
    "*.tap",
    "*ctrf*.json",
    "*test*.json",
    "*report*.json",
    "*result*.json",
    "exit-code",
    "exit_code",
    "exitcode",
)
# Not `.eslintrc.json` and the like.
LINT_NAMES = (
    "*.sarif",
    "lint*.json",
    "[!.]*lint*.json",
    "lint*.xml",
    "[!.]*lint*.xml",
    "*checkstyle*.xml",
    "*findings*.json",
    "*report*.xml",
    "*report*.json",
    "*result*.json",
)
FOLDER_NAMES = (
    "*.xml",
    "*.json",
    "*.jsonl",
    "*.sarif",
    "*.trx",
    "*.tap",
    "*.txt",
    "*.log",
    "exit-code",
    "exit_code",
    "exitcode",
)
MAX_FILE_KIB = 65536  # a larger report is left out, and that is said
MAX_FILES = 5000


def script(token: str, workdir: str, named: Sequence[str], usual: Sequence[str] = USUAL_NAMES) -> str:
    """The shell script that prints the reports. Needs sh, find, tar and base64 (busybox has them).

    Where paths are named only those are taken; otherwise usual folders, and files with `usual` names under the working
    directory (the caller drops those that the repository itself has).
    """
    if named:
        words = " ".join(_glob(path, workdir) for path in named)
        search = f'for p in {words}; do [ -e "$p" ] && find "$p" -type f; done'
    else:
        folders = " ".join(shlex.quote(folder) for folder in USUAL_FOLDERS)
        search = (
            f'for p in {folders}; do [ -d "$p" ] && find "$p" -type f \\( {_names(FOLDER_NAMES)} \\); done; '
            f'cd {shlex.quote(workdir or "/")} 2>/dev/null && [ "$PWD" != / ] && find "$PWD" -xdev '
            f"\\( -name node_modules -o -name .git \\) -prune -o -type f \\( {_names(usual)} \\) -print"
        )
    half, rest = token[:8], token[8:]
    large = f'[ $(( $(wc -c <"$f") / 1024 )) -gt {MAX_FILE_KIB} ]'
    measure = f'if {large}; then m "skip $f"; else set -- "$@" "$f"; fi'
    return "\n".join(
        (
            "PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin; export PATH",
            f"m() {{ printf '\\n%s%s-%s\\n' {half} {rest} \"$1\"; }}",
            "m begin",
            "for t in find tar base64; do command -v $t >/dev/null || { m missing-$t; m end; read -r x; exit 0; }; done",
            "L=/tmp/.ci-buildkit-$$; : 2>/dev/null >$L || L=/.ci-buildkit-$$",
            f"( {search} ) 2>/dev/null | head -n {MAX_FILES} | sort -u >$L",
            # Not every busybox knows `tar -T`, so the names become arguments.
            f"set --; while IFS= read -r f; do {measure}; done <$L",
            "z=cat; command -v gzip >/dev/null && z='gzip -1'",
            "m data",
            '[ $# -gt 0 ] && { tar -cf - "$@" 2>/dev/null || : >$L.cut; } | $z | base64',
            "[ -e $L.cut ] && m cut",
            "m end",
            # What was sent last is lost where the shell ends before it was read: it waits to be told.
            "rm -f $L $L.cut; read -r x || :",
        )
    )


def _glob(path: str, workdir: str) -> str:
    """A path for the shell, quoted but for the wildcards; relative ones start at the working directory."""
    full = path if path.startswith("/") else f"{workdir.rstrip('/')}/{path}"
    return "".join(c if c in "*?[]" else shlex.quote(c) if not c.isalnum() and c not in "/._-" else c for c in full)


def _names(patterns: Sequence[str]) -> str:
    return " -o ".join(f"-name {shlex.quote(pattern)}" for pattern in patterns)


def invoke(text: str) -> str:
    """The value of `--invoke` that runs a script: comma separated fields, the arguments as JSON inside one."""
    arguments = json.dumps(["-c", text]).replace('"', '""')
    return f'entrypoint=["/bin/sh"],"args={arguments}",tty=false'
