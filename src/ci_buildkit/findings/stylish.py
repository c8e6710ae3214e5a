"""eslint's usual text (`stylish`; yamllint's `standard` is like it): a file's path on a line, then its findings, indented.

```
/src/web/app.js
  1:7  error  'x' is assigned a value but never used  no-unused-vars
```

Rules: eslint `lib/cli-engine/formatters/stylish.js`, yamllint `yamllint/cli.py` (`Format.standard`).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ci_buildkit.findings.found import Findings
from ci_buildkit.findings.model import Finding
from ci_buildkit.findings.place import is_file
from ci_buildkit.findings.reader import Item, severity
from ci_buildkit.text import name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ci_buildkit.reader import Source

TOOL = "eslint"
_ROW = re.compile(r"^ {2,}(?P<line>\d{1,9}):(?P<column>\d{1,9})  +(?P<level>error|warning)  +(?P<text>\S.*)$")
_RULE = re.compile(r"^(?P<message>.*?\S)  +(?P<rule>[@\w][\w@/.-]*)$")
_YAMLLINT = re.compile(r"^(?P<message>.*?\S) {1,2}\((?P<rule>[a-z-]+)\)$")
_YAML = (".yml", ".yaml", ".yamllint")


class Stylish:
    """Reads cleaned lines one by one; a `LogReader`."""

    def __init__(self, source: Source) -> None:
        """Nothing read yet."""
        self._mapper = source.mapper
        self._found = Findings(source)
        self._path = ""

    def feed(self, line: str) -> bool:
        """Takes a line; says whether it is a finding."""
        if not line.startswith(" "):
            self._path = line.rstrip()
            return False
        row = _ROW.match(line.rstrip()) if self._path else None
        if row is None or not is_file(self._path, self._mapper):
            self._path = ""
            return False
        of_yaml = _YAMLLINT.match(row["text"]) if self._path.endswith(_YAML) else None
        coded = of_yaml or _RULE.match(row["text"])
        self._found.add(
            Finding(
                path=name(self._path),
                line=int(row["line"]) or None,
                column=int(row["column"]) or None,
                end_line=None,
                end_column=None,
                severity=severity(row["level"]),
                rule=coded["rule"] if coded else row["level"],
                message=coded["message"] if coded else row["text"],
                tool="yamllint" if of_yaml else TOOL,
            )
        )
        return True

    def finish(self) -> Iterator[Item]:
        """Every finding once."""
        yield from self._found
