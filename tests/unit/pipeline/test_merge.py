from __future__ import annotations

import msgspec
import pytest

from ci_buildkit.errors import ConfigurationError
from ci_buildkit.pipeline import merge
from ci_buildkit.pipeline.legs import Leg
from ci_buildkit.pipeline.merge import Wanted

A, B, C = (f"sha256:{letter * 64}" for letter in "abc")
LEG = Leg(
    stage="server",
    name="host/app",
    digest=A,
    platforms=("linux/amd64",),
    tags=("1.2.3", "latest"),
    annotations=("manifest:k=v",),
    version="v1.2.3",
    revision="f" * 40,
)
OTHER = msgspec.structs.replace(LEG, digest=B, platforms=("linux/arm64",), annotations=("manifest:k=w",))
CLIENT = msgspec.structs.replace(LEG, digest=C, stage="client", name="host/client", tags=("edge",), annotations=())


def test_legs_become_an_image_for_each_name() -> None:
    assert merge.of_legs([CLIENT, LEG, OTHER], [], [], []) == [
        Wanted("host/client", (C,), ("edge",)),
        Wanted("host/app", (A, B), ("1.2.3", "latest"), ("index:k=w",)),
    ]


def test_names_tags_and_annotations_that_are_given_win() -> None:
    assert merge.of_legs([CLIENT, LEG], ["host/client"], ["host/client:2", "3", "2"], ["a=b"]) == [
        Wanted("host/client", (C,), ("2", "3"), ("index:a=b",))
    ]
    with pytest.raises(ConfigurationError, match="no leg is of host/none"):
        merge.of_legs([LEG], ["host/none"], [], [])


def test_an_image_without_tags_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="would get no tag"):
        merge.of_legs([msgspec.structs.replace(LEG, tags=())], [], [], [])


def test_digests_are_written_with_and_without_the_name() -> None:
    assert merge.of_digests("host/app", [A, f"host/app@{B}", A], ["1"], []) == Wanted("host/app", (A, B), ("1",))
    assert merge.of_digests("host/app", [A], ["1"], []).sources == (f"host/app@{A}",)


@pytest.mark.parametrize("text", ["", "latest", "sha256:abc", f"host/other@{A}", f"@{A}@", A.upper(), f"{A} "])
def test_what_is_no_digest_of_the_image_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="no digest"):
        merge.of_digests("host/app", [text], ["1"], [])


@pytest.mark.parametrize("tag", ["", "-x", "a b", "a/b", "host/other:1", "x" * 129, "ä"])
def test_what_is_no_tag_is_refused(tag: str) -> None:
    with pytest.raises(ConfigurationError, match="not a valid tag"):
        merge.of_digests("host/app", [A], [tag], [])


@pytest.mark.parametrize(
    ("given", "written"),
    [
        (["a=b"], ("index:a=b",)),
        (["manifest:a=b", "index:a=c"], ("index:a=c",)),
        (["manifest,index:a=b:c=d"], ("index:a=b:c=d",)),
        (["index,manifest-descriptor:a=b"], ("manifest-descriptor:a=b", "index:a=b")),
        (["manifest[linux/arm64]:a=b"], ("manifest-descriptor[linux/arm64]:a=b",)),
        (["index-descriptor:a=b"], ()),
        (["a="], ("index:a=",)),
        (
            ["org.opencontainers.image.description=two\nlines"],
            ("index:org.opencontainers.image.description=two\nlines",),
        ),
    ],
)
def test_annotations_go_to_the_index(given: list[str], written: tuple[str, ...]) -> None:
    assert merge.index_annotations(given) == written


@pytest.mark.parametrize("text", ["", "a", "index:a", "=b"])
def test_what_is_no_annotation_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="no annotation"):
        merge.index_annotations([text])


def test_what_is_no_name_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="not a valid image name"):
        merge.of_digests("host/App", [A], ["1"], [])
