"""Secrets as buildx finds them, and text without them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci_buildkit.engine.secrets import HIDDEN, Mask, check, mask
from ci_buildkit.errors import ConfigurationError


@pytest.mark.parametrize(
    "secret",
    ["id=one,env=ONE", "id=ONE", "id=one,type=env,src=ONE", "type=env,id=one,source=ONE", '"id=one","env=ONE"', {"id": "one", "env": "ONE"}],
)  # fmt: skip
def test_a_variable_is_hidden(secret: str) -> None:
    assert mask([secret], (), {"ONE": "canary-one"})("a canary-one b canary-one") == "a *** b ***"


@pytest.mark.parametrize("form", ["id=key,src={}", "id=key,type=file,source={}"])
def test_each_line_of_a_file_is_hidden(form: str, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("-----BEGIN-----\nfirst-line\nsecond-line\n\n==\n")
    hide = mask([form.format(file)], ["the password"], {})
    assert hide("first-line == the password") == f"{HIDDEN} == {HIDDEN}"


def test_an_id_alone_is_a_file_where_there_is_no_such_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("key").write_text("canary")
    assert mask(["id=key"], (), {})("canary") == HIDDEN


def test_short_and_binary_values_hide_nothing(tmp_path: Path) -> None:
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe\x00")
    hide = mask([f"id=b,src={binary}", "id=s,env=SHORT"], (), {"SHORT": "on"})
    assert hide.pattern is None
    assert hide("turn it on") == "turn it on"


@pytest.mark.parametrize(
    ("secret", "message"),
    [
        ("env=ONE", "has no id"),
        ("", "has no id"),
        ("id=two,env=TWO", "the variable TWO is not set"),
        ("id=two,src=missing/file", "cannot be read from missing/file"),
        ("id=two", "cannot be read from two"),
    ],
)
def test_a_secret_that_is_not_there_is_refused(secret: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        check([secret], {"ONE": "canary-one"})
    assert mask([secret], (), {}).pattern is None


@given(st.lists(st.text(min_size=1)), st.text())
def test_nothing_of_a_value_is_left(values: list[str], text: str) -> None:
    hide = Mask.of(values)
    hidden = hide(text + "".join(values))
    assert not hide.pattern or not hide.pattern.search(hidden.replace(HIDDEN, "\0"))
