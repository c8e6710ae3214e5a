"""Names and tags of images, by option, by bake file and by version."""

from __future__ import annotations

import pytest

from ci_buildkit.config.options import Options
from ci_buildkit.errors import ConfigurationError
from ci_buildkit.plan.images import named_images
from ci_buildkit.record import VersionRecord

VERSION = VersionRecord(value="v1+x", revision="a" * 40, dirty=False, source="tag", source_date_epoch=0)


def references(
    stages: dict[str, tuple[str, ...]], *image: str, push: bool = False, made: tuple[str, ...] | None = None
) -> dict[str, list[str]]:
    """The references of each stage that has one; `stages` are given with their bake file's tags."""
    found: dict[str, list[str]] = {}
    for one in named_images(Options(image=image, push=push), stages, VERSION, made):
        found.setdefault(one.stage, []).extend(one.references)
    return found


@pytest.mark.parametrize(
    ("image", "found"),
    [
        ((), {}),
        (("h/x",), {"a": ["h/x-a:v1-x"], "b_c": ["h/x-b_c:v1-x"]}),
        (("h/x", "o/y"), {"a": ["h/x-a:v1-x", "o/y-a:v1-x"], "b_c": ["h/x-b_c:v1-x", "o/y-b_c:v1-x"]}),
        (("h/x", "b.c=h/own"), {"a": ["h/x-a:v1-x"], "b_c": ["h/own:v1-x"]}),
        (("a=h:5000/own",), {"a": ["h:5000/own:v1-x"]}),
        (("a=h:5000/own:edge", "b_c=own"), {"a": ["h:5000/own:edge"], "b_c": ["own:v1-x"]}),
    ],
)
def test_several_images_are_told_apart(image: tuple[str, ...], found: dict[str, list[str]]) -> None:
    assert references({"a": (), "b_c": ()}, *image) == found


def test_the_only_image_has_the_plain_name() -> None:
    assert references({"a": ()}, "h/x", "h:1/y:z") == {"a": ["h/x:v1-x", "h:1/y:z"]}


def test_options_say_more_than_the_bake_file() -> None:
    tags = ("h/x:1", "h/x:2", "h:5000/y")
    assert references({"a": tags}) == {"a": ["h/x:1", "h/x:2", "h:5000/y:latest"]}
    assert references({"a": tags, "b": ("h/z",)}) == {"a": ["h/x:1", "h/x:2", "h:5000/y:latest"], "b": ["h/z:latest"]}
    assert references({"a": tags}, "o/z") == {"a": ["o/z:v1-x"]}
    assert references({"a": tags, "b": tags}, "a=o/z") == {"a": ["o/z:v1-x"]}


def test_tags_that_were_made_replace_the_version_and_those_of_the_bake_file() -> None:
    tags = ("h/x:1", "h/x:2", "h:5000/y")
    assert references({"a": tags}, made=("m", "n")) == {"a": ["h/x:m", "h/x:n", "h:5000/y:m", "h:5000/y:n"]}
    assert references({"a": ("h/x:1",), "b": ("h/x", "h/y")}, made=("m",)) == {"a": ["h/x:m"], "b": ["h/x:m", "h/y:m"]}
    assert references({"a": tags}, "o/z", made=("m", "n")) == {"a": ["o/z:m", "o/z:n"]}
    assert references({"a": tags}, "o/z:own", made=("m",)) == {"a": ["o/z:own"]}


def test_an_image_without_a_tag_is_not_pushed_but_may_be_built() -> None:
    assert references({"a": ()}, "h/x", made=()) == {"a": []}
    assert references({"a": ()}, "h/x:own", made=(), push=True) == {"a": ["h/x:own"]}
    assert references({"a": ()}, made=(), push=True) == {}
    with pytest.raises(ConfigurationError) as caught:
        references({"a": (), "b": ()}, "a=h/x:own", "b=h/y", made=(), push=True)
    assert caught.value.message == "no line of --tag made a tag, and images are pushed with one"
    assert "type=sha" in caught.value.hint


@pytest.mark.parametrize(
    ("stages", "listed"),
    [(("a", "b"), "image targets: a, b"), (("a",), "image targets: a"), ((), "image targets: none")],
)
def test_a_name_for_what_is_no_image_is_refused(stages: tuple[str, ...], listed: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        references(dict.fromkeys(stages, ()), "h/x", "c.d=h/y")
    assert caught.value.message == "--image names the target 'c_d', which is not an image of this run"
    assert caught.value.hint == listed


@pytest.mark.parametrize(
    ("tags", "image", "reason"),
    [
        (("H/X:1",), (), "'H/X' is not a valid image name"),
        (("h/x:-",), (), "'-' is not a valid tag"),
        (("h/x:y/z",), (), "'h/x:y/z' is not a valid image name"),
        ((), ("h/x:",), "'' is not a valid tag"),
        ((), ("a=",), "'' is not a valid image name"),
        ((), ("a=h/x=y",), "'h/x=y' is not a valid image name"),
    ],
)
def test_what_no_registry_takes_is_refused(tags: tuple[str, ...], image: tuple[str, ...], reason: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        references({"a": tags}, *image)
    assert caught.value.message == reason


def test_a_made_tag_goes_to_checked_names_only() -> None:
    with pytest.raises(ConfigurationError, match="'H/X' is not a valid image name"):
        references({"a": ("H/X:1",)}, made=("m",))
