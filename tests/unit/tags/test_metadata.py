"""Tags, names, labels: what goes beyond the recorded answers, and that nothing ends in a traceback."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ci_buildkit.errors import ConfigurationError
from ci_buildkit.tags.context import Context, Repository
from ci_buildkit.tags.metadata import Inputs, Metadata, bake_file, metadata

NOW = datetime(2020, 1, 10, 0, 30, tzinfo=UTC)
SHA = "860c1904a1ce19322e91ac35af1ab07466440c37"
TAGGED = Context(NOW, "refs/tags/v1.2.3", SHA, repository=Repository("app", url="https://github.com/org/app"))
WORDS = r"""type= raw semver match sha ref , = " pattern= value= event= group= prefix= enable= priority= {{ }} {{{ }}}
version date 'YYYY' tz='X' #if /if else tag ! -- ~ \ ( ) [ ] * + ? / . (?<a>x) \d {1,2} é 1"""
PIECES = st.sampled_from([*WORDS.split(), "\n", " "])


def made(*tags: str, context: Context = TAGGED, **inputs: tuple[str, ...]) -> Metadata:
    return metadata(Inputs(tags=tags, **inputs), context, NOW, {})


@settings(deadline=None)
@given(st.lists(PIECES, max_size=14).map("".join), st.sampled_from(["tags", "flavor", "images", "labels"]))
def test_every_input_has_an_answer_or_a_message(text: str, where: str) -> None:
    with contextlib.suppress(ConfigurationError):
        metadata(Inputs(**{where: [text]}), TAGGED, NOW, {})


@settings(deadline=None)
@given(st.text(max_size=30), st.text(max_size=30))
def test_any_ref_makes_a_tag_or_a_message(name: str, pattern: str) -> None:
    context = Context(NOW, f"refs/tags/{name}", SHA)
    tags = ("type=ref,event=tag", "type=semver,pattern={{version}}", "type=pep440,pattern={{raw}}")
    with contextlib.suppress(ConfigurationError):
        made(*tags, context=context)
    with contextlib.suppress(ConfigurationError):
        made('type=match,"pattern=' + pattern.replace('"', '""') + '"', context=context)


@pytest.mark.parametrize(
    "line",
    [
        "type=x",
        "type=semver",
        "type=ref",
        "type=ref,event=x",
        "type=sha,format=x",
        "type=raw",
        "type=match,pattern=(",
        'a,b"c',
        "x,enable=maybe",
        "type=match,pattern=.,group=x",
        "{{date}}",
        "{{date 'Y' a='b'}}",
        "{{> x}}",
        "{{#each x}}{{/each}}",
        "{{x",
        "{{#if tag}}a",
        "{{/if}}",
        "{{sha",
        "{{nope 'x'}}",
        "{{**}}",
        "{{#if}}{{/if}}",
        "{{(sha)}}",
        "{{a b=1 c}}",
        "type=semver,pattern={{version 'x'}}",
        "type=semver,match=v1,pattern={{version}}",
        "type=match,pattern=/a/gg",
        "type=match,pattern=$*",
        "type=match,pattern=a++",
        "type=match,pattern=(?i)a",
    ],
)
def test_lines_that_are_refused(line: str) -> None:
    with pytest.raises(ConfigurationError):
        made(line)


@pytest.mark.parametrize("tag", ["-x", ".x", "x" * 129, "+x"])
def test_tags_that_no_registry_takes(tag: str) -> None:
    with pytest.raises(ConfigurationError, match="not a valid tag"):
        made(f"type=raw,value={tag}")


def test_the_longest_tag() -> None:
    assert made("x" * 128).version.tags == ("x" * 128,)


@pytest.mark.parametrize(
    "name", ["host/app:1", "a//b", "-a", "a@sha256:0", "name=", "a b", "http://a/b", "é", "a" * 256]
)
def test_names_that_no_registry_takes(name: str) -> None:
    with pytest.raises(ConfigurationError):
        made("x", images=(name,))


def test_names() -> None:
    images = ("GHCR.io/Org/App", "name=localhost:5000/a__b/c--d,enable=true", "name=off,enable=false", "[::1]:5000/x")
    assert made("x", images=images).references == [
        *("ghcr.io/org/app:x", "localhost:5000/a__b/c--d:x", "[::1]:5000/x:x"),
    ]
    assert made("x", images=("a/b,c/d",)).images == ("a/b", "c/d")


@pytest.mark.parametrize(
    ("line", "tag"),
    [
        (r"type=match,pattern=(?<all>v(?<major>\d+)),group=2", "1"),
        (r"type=match,pattern=/(?<=v)\d+(?=\.)/", "1"),
        (r"type=match,pattern=/\d/g,group=2", "3"),
        (r"type=match,pattern=/V\d/i", "v1"),
        (r"type=match,pattern=[^]+$", "v1.2.3"),
        (r"type=match,pattern=\p?v", "v"),
        (r"type=match,pattern=\u0076\x31", "v1"),
        (r"type=match,pattern=(.)\.\d\.(?!\1)\d", "1.2.3"),
        (r"type=match,pattern=(?<x>\d)\.\k<x>?", "1."),
        (r"type=match,pattern=/^v$|^\d$/m,value=a", ""),
        (r"type=match,pattern=\166\d", "v1"),
        (r"type=match,pattern=(v)[\61](?=\.)", "v1"),
    ],
)
def test_javascript_expressions(line: str, tag: str) -> None:
    assert made(line).version.main == (tag or None)


def test_an_expression_that_never_ends() -> None:
    with pytest.raises(ConfigurationError, match="too long"):
        made(f"type=match,pattern=(a|aa)+$,value={'a' * 60}b")


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{#if tag}}t{{else}}n{{/if}}", "t"),
        ("{{#if branch}}b{{else if tag}}t{{else}}n{{/if}}", "t"),
        ("{{#unless branch}}n{{/unless}}", "n"),
        ("{{#if nothing}}a{{^}}b{{/if}}", "b"),
        ("a {{~tag~}} b", "av1.2.3b"),
        ("a{{#if branch}}{{else~}} b {{~/if}}", "ab"),
        ("{{! no }}{{!-- {{no}} --}}x", "x"),
        ("{{date (date '[YY]')}}", "20"),
        ("{{[tag]}}{{this.tag}}", "v1.2.3v1.2.3"),
        ("{{nothing}}x", "x"),
        (r"a\{{tag}}b", "a-tag-b"),
    ],
)
def test_templates(template: str, text: str) -> None:
    assert made(f'"value={template}"' if "," in template else template).version.main == text


def test_a_branch_is_escaped_as_there() -> None:
    context = Context(NOW, "refs/heads/a&b")
    assert made("type=ref,event=branch", context=context, labels=("l={{branch}}", "m={{{branch}}}")).labels.items() >= {
        ("l", "a&amp;b"),
        ("m", "a&b"),
    }


def test_unknown_time_zone_is_told() -> None:
    found = made("value={{date 'HHmm' tz='Nowhere/Land'}}")
    assert (found.version.main, found.warnings) == (
        "0030",
        ("there is no time zone 'Nowhere/Land' here: UTC is taken",),
    )


def test_what_made_no_tag_is_told() -> None:
    found = made("type=semver,pattern={{version}},value=x", "type=match,pattern=z", "type=match,pattern=v,group=3")
    assert found.version.main is None
    assert len(found.warnings) == 3


def test_levels_of_annotations() -> None:
    environ = {"DOCKER_METADATA_ANNOTATIONS_LEVELS": "manifest,index"}
    found = metadata(Inputs(annotations=["a=1", "index:b=2", "urn:c=3"]), TAGGED, NOW, environ).annotations
    assert {"manifest:a=1", "index:a=1", "index:b=2", "manifest:urn:c=3"} <= set(found)
    assert "manifest:index:b=2" not in found


def test_bake_file_takes_no_template() -> None:
    found = made("x", images=("a/b",), labels=("l=${y} %{z}",), annotations=("n=1",))
    target = bake_file(found, "t", annotated=True)["target"]["t"]
    assert target["labels"]["l"] == "$${y} %%{z}"
    assert target["args"] == {"DOCKER_META_IMAGES": "a/b", "DOCKER_META_VERSION": "x"}
    assert "manifest:n=1" in target["annotations"]


def test_200_lines_on_10_images() -> None:
    lines = [f"type=raw,value={{{{branch}}}}{{{{date 'YYYYMMDD'}}}}-{number}" for number in range(200)]
    found = made(*lines, images=tuple(f"host/app{number}" for number in range(10)))
    assert len(found.references) == 2000
