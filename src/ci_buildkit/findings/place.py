"""What in a line of text is the path of a file, and what only looks like one: a time, a host and its port, a log's prefix."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ci_buildkit.paths import PathMapper

_PATH = r"(?:[A-Za-z]:[\\/])?[^\s:(\[{<>\"'|*][^:\"<>|*]{0,1023}?"
PATH = rf"(?P<path>{_PATH})"
"""A path at the start of a line, for an expression in which `:` or `(` and a line number follow."""
PYTHON = rf"(?P<path>{_PATH}\.(?:pyi?|pyx|ipynb))"
"""The same of a file of Python."""

_EXTENSION = re.compile(r"\.[A-Za-z][\w+-]{0,11}$")
_BARE = re.compile(r"(?:^|[\\/])(?:Dockerfile|Containerfile|Makefile|Jenkinsfile|Vagrantfile|Rakefile|Gemfile)$")
# Sources of compilers that may leave the column out. In other languages `name.ext:12: error: text` is a log's line.
_COMPILED = re.compile(
    r"\.(?:c|cc|cpp|cxx|c\+\+|cu|h|hh|hpp|hxx|ipp|inl|m|mm|s|S|asm|y|l|f|for|f90|f95|f03|java|kt|kts|scala|swift|proto|sh|bash)$"
)


def is_file(path: str, mapper: PathMapper, *, column: bool = True) -> bool:
    """Whether `path`, written before a line number (and a column), is a file's and not another word of a log.

    A path with a space in it, or of an unusual kind without a column, counts where the repository has such a file.
    """
    if "://" in path or path != path.strip():
        return False
    if not _EXTENSION.search(path) and not _BARE.search(path):
        return False
    if " " not in path and (column or _COMPILED.search(path)):
        return True
    return mapper.map(path).known and (column or not path.endswith((".go", ".py")))
