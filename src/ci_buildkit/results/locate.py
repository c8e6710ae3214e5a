"""Find the file and line of a failure in its text, for the many reports that have it nowhere else.

One pattern covers what compilers, assertion libraries and stack traces have in common, `path.ext:line`, and how .NET,
Perl and bats write it (`:line 3`, ` line 3`, `, line 3`); Python's tracebacks write it differently. Which of several
places it is, the repository decides: a place in a file that exists there is better than one in a library.
"""

from __future__ import annotations

import posixpath
import re
from functools import lru_cache
from typing import NamedTuple

from ci_buildkit.paths import PathMapper, is_foreign

_EXTENSIONS = (
    "bats|cc|cjs|clj|cpp|cs|cxx|c|dart|erl|exs|ex|feature|fs|go|groovy|hpp|hs|h|java|jsx|js|kt|lua|mjs|mm|ml|m|php|"
    "phpt|pl|pm|py|rb|rs|scala|sh|swift|tsx|ts|t|vb|vue|zig"
)
_PLACE = re.compile(
    r"File \"([^\"\n]{1,1000})\", line (\d{1,7})| in ([^\n]{1,400}?):line (\d{1,7})|"
    rf"(?<![\w./@+\\-])((?:[A-Za-z]:)?[\w./@+\\-]{{1,400}}\.(?:{_EXTENSIONS}))(?::|\(|,? line )(\d{{1,7}})(?!\w)"
)
_LONGEST = 32 * 1024
_MOST = 100


class Place(NamedTuple):
    """A file and a 1-based line."""

    path: str
    line: int


class _Candidate(NamedTuple):
    place: Place
    known: bool
    written: str


def locate(text: str, mapper: PathMapper, class_name: str = "", within: str | None = None) -> Place | None:
    """The most telling place in a failure's text, its path mapped to the repository; None where there is none.

    With `within`, a path of the repository, only places in that file are looked at.
    """
    candidates = [one for one in _candidates(text, mapper, class_name) if within in {None, one.place.path}]
    if not candidates:
        return None
    known = [candidate for candidate in candidates if candidate.known]
    pool = known or [candidate for candidate in candidates if not is_foreign(f"/{candidate.written}")]
    if not pool:
        return None
    words = _words(class_name)
    own = [candidate for candidate in pool if _stem(candidate.place.path) in words]
    pool = own or pool
    # Python lists the innermost call last, everybody else first.
    return pool[-1 if pool[-1].place.path.endswith(".py") else 0].place


def _candidates(text: str, mapper: PathMapper, class_name: str) -> list[_Candidate]:
    if len(text) > _LONGEST:
        text = text[: _LONGEST // 2] + "\n" + text[-_LONGEST // 2 :]
    found = []
    for match in _PLACE.finditer(text):
        written, line = match[1] or match[3] or match[5], int(match[2] or match[4] or match[6])
        if line == 0 or written.startswith("//"):
            continue
        # `go test` writes base names only; the package, which JUnit writers make the class, tells the folder.
        is_go = written.endswith(".go") and "/" not in written and class_name
        mapped = mapper.go_file(class_name, written) if is_go else mapper.map(written)
        found.append(_Candidate(Place(mapped.path, line), mapped.known, written))
        if len(found) == _MOST:
            break
    return found


@lru_cache(maxsize=256)
def _words(class_name: str) -> frozenset[str]:
    return frozenset(re.split(r"[^\w-]+", class_name))


def _stem(path: str) -> str:
    return posixpath.basename(path).partition(".")[0]
