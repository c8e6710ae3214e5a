"""What goes into act's environment, and what never does."""

from __future__ import annotations

from pathlib import Path

import pytest

from ci_buildkit.act import session
from ci_buildkit.errors import ConfigurationError


def test_secrets_come_from_variables() -> None:
    environ = {"KEY": "one", "lower": "two", "EMPTY": ""}
    found = session._values(["KEY", "lower", "given=a=b"], environ, "secret")
    assert found == {"KEY": "one", "LOWER": "two", "GIVEN": "a=b"}
    assert session._values(["lower=x"], environ, "var") == {"lower": "x"}
    for text in ("EMPTY", "NOWHERE", "", "=x", "KEY="):
        with pytest.raises(ConfigurationError, match="is not set"):
            session._values([text], environ, "secret")


@pytest.mark.parametrize("line", ["GITHUB_TOKEN=x", "  export github_token = x", "GITHUB_TOKEN: x"])
def test_a_token_of_the_secrets_file_stays(line: str, tmp_path: Path) -> None:
    assert session._no_token([], tmp_path) == ["GITHUB_TOKEN="]
    assert session._no_token(["GITHUB_TOKEN"], tmp_path) == []
    (tmp_path / ".secrets").write_text("# GITHUB_TOKEN=x\nOTHER=GITHUB_TOKEN=x\n")
    assert session._no_token([], tmp_path) == ["GITHUB_TOKEN="]
    (tmp_path / ".secrets").write_text(f"OTHER=y\n{line}\n")
    assert session._no_token([], tmp_path) == []
