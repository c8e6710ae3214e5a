"""What the go command wrote into a program."""

from __future__ import annotations

import io

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.artifacts.samples import sample

from ci_buildkit.artifacts import gobuild
from ci_buildkit.artifacts.gobuild import GoBuild


def written(name: str) -> GoBuild:
    content = sample(name)
    found = gobuild.read(io.BytesIO(content), content.index(gobuild.MAGIC), 1 << 16)
    assert found is not None
    return found


def test_settings_and_variables() -> None:
    found = written("go-linux-amd64-ldflags")
    assert (found.module, found.version) == ("example.com/tool", "(devel)")
    assert found.settings["-ldflags"] == "-X main.version=v1.2.3"
    assert list(found.variables()) == [("main.version", "v1.2.3")]


def test_the_commit() -> None:
    found = written("go-linux-amd64-vcs")
    assert found.version == "v1.2.3+dirty"
    assert len(found.settings["vcs.revision"]) == 40


def test_every_way_to_set_a_variable() -> None:
    flags = r"""-s -X 'main.title=a b' -X=main.version=1 --X main.empty= -X broken -extldflags "-X no" -X"""
    build = GoBuild("m", "", {"-ldflags": flags})
    assert list(build.variables()) == [("main.title", "a b"), ("main.version", "1"), ("main.empty", "")]


def test_a_quote_that_never_ends_splits_at_spaces() -> None:
    assert list(GoBuild("m", "", {"-ldflags": "-X main.a='b"}).variables()) == [("main.a", "'b")]


def test_values_in_go_s_quotes() -> None:
    text = 'path\tx\nmod\tx\tv1\th1:=\nbuild\t-ldflags="-X \'a.b=\\"c\\"\'"\nbuild\tbroken="\\\n'
    assert gobuild.parse(text) == GoBuild("x", "v1", {"-ldflags": "-X 'a.b=\"c\"'", "broken": '"\\'})


def test_older_and_damaged_information_is_none() -> None:
    content = sample("go-linux-amd64")
    at = content.index(gobuild.MAGIC)
    blob = bytearray(content[at : at + 400])
    assert gobuild.read(io.BytesIO(blob[:100]), 0, 400) is None
    assert gobuild.read(io.BytesIO(bytes(blob)), 16, 400) is None
    blob[15] = 0  # the texts lie elsewhere, as before Go 1.18
    assert gobuild.read(io.BytesIO(blob), 0, 400) is None


@given(st.binary(max_size=200))
def test_random_bytes_behind_the_magic_never_raise(rest: bytes) -> None:
    gobuild.read(io.BytesIO(gobuild.MAGIC + b"\x08\x02" + bytes(16) + rest), 0, 1 << 20)
