"""What the builder says of its cache mounts."""

from __future__ import annotations

import pytest

from ci_buildkit.engine.mounts import Taken, _taken, usage
from ci_buildkit.errors import EngineError

# `docker buildx du --verbose` of buildx v0.38.2.
USAGE = """\
ID:           kewialj8n770eg0fs7vcg6zhu
Size:         39.11MB
Description:  cached mount /go/pkg/mod/ from exec /bin/sh -c go mod download -x with id "//go/pkg/mod"
Type:         exec.cachemount

ID:           nakh4ytrl0vugsvj943b7mocr
Description:  cached mount /c from exec /bin/sh -c echo ' with id "x"
with id "y"'
cd /x with id "own/go"
Usage count:  1

ID:           swil85sey8mnuvdy02jr8hocn
Description:  cached mount /plain from exec /bin/sh -c true
Reclaimable:	1.2MB
"""


def test_the_mounts_of_a_builder() -> None:
    assert usage(USAGE) == {"//go/pkg/mod", "own/go", "/plain"}
    assert usage("Total: 0B\n") == frozenset()


def test_a_line_of_the_list() -> None:
    assert _taken("3 taken 12 abc 1755 1000 7") == Taken(3, "taken", 12288, "abc", "1755 1000 7")


@pytest.mark.parametrize("line", ["", "3 taken 12 abc 755 0", "x taken 12 abc 755 0 0", "3 other 12 abc 755 0 0"])
def test_anything_else_is_refused(line: str) -> None:
    with pytest.raises(EngineError, match="not readable"):
        _taken(line)
