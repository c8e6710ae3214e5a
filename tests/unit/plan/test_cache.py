"""Places of caches: one for each target, what users write kept, nothing silently without a token."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci_buildkit.errors import ConfigurationError
from ci_buildkit.plan.cache import (
    LONGEST,
    Scope,
    clean,
    credentials,
    entries,
    parse,
    uses_branch,
    without_credentials,
    without_tokens,
)

LINT = Scope("lint", ("linux/amd64", "linux/arm64"), ("feature/x", "main"))
TOKENS = {"ACTIONS_RUNTIME_TOKEN": "t", "ACTIONS_RESULTS_URL": "https://results.example/"}


def reads(*given: str, scope: Scope = LINT) -> list[str]:
    return entries(given, scope, "cache-from", image=False)


def writes(*given: str, scope: Scope = LINT, image: bool = False) -> list[str]:
    return entries(given, scope, "cache-to", image=image)


@pytest.mark.parametrize(
    ("entry", "read"),
    [
        ("type=gha", "type=gha,scope=lint-linux-amd64-linux-arm64"),
        ("type=gha,scope=mine", "type=gha,scope=mine"),
        ("type=s3,bucket=b,region=r", "type=s3,bucket=b,region=r,name=lint-linux-amd64-linux-arm64"),
        ("type=azblob,account_url=u", "type=azblob,account_url=u,name=lint-linux-amd64-linux-arm64"),
        ("type=local,src=/c", "type=local,src=/c/lint-linux-amd64-linux-arm64"),
        ("type=local,src=/c/{target}", "type=local,src=/c/lint"),
        ("ghcr.io/o/cache", "type=registry,ref=ghcr.io/o/cache:lint-linux-amd64-linux-arm64"),
        ("type=registry,ref=host:5000/cache:go", "type=registry,ref=host:5000/cache:go-lint-linux-amd64-linux-arm64"),
        ("type=registry,ref=host:5000/cache:{target}", "type=registry,ref=host:5000/cache:lint"),
        ("type=registry,ref=h/c@sha256:00", "type=registry,ref=h/c@sha256:00"),
    ],
)
def test_every_target_has_a_place_of_its_own(entry: str, read: str) -> None:
    assert reads(entry) == [read]


def test_a_branch_is_read_with_the_default_one_behind_it_and_written_alone() -> None:
    entry = "type=registry,ref=h/c:{branch}-{target}"
    assert reads(entry) == ["type=registry,ref=h/c:feature-x-lint", "type=registry,ref=h/c:main-lint"]
    assert writes(entry) == ["type=registry,ref=h/c:feature-x-lint,mode=max,ignore-error=true"]
    assert uses_branch([entry])
    assert not uses_branch(["type=gha"])


def test_what_is_written_keeps_all_layers_and_breaks_no_build_unless_told() -> None:
    assert writes("type=gha") == ["type=gha,scope=lint-linux-amd64-linux-arm64,mode=max,ignore-error=true"]
    told = "type=gha,scope=s,mode=min,ignore-error=false,timeout=2m"
    assert writes(told) == [told]


def test_only_an_image_carries_a_cache_inline() -> None:
    assert writes("type=inline") == []
    assert writes("type=inline", image=True) == ["type=inline"]


def test_the_same_place_is_named_once() -> None:
    assert reads("type=gha,scope=s", "type=gha,scope=s") == ["type=gha,scope=s"]


def test_a_value_with_a_comma_stays_quoted() -> None:
    assert reads('type=gha,"scope=a,b"') == ['type=gha,"scope=a,b"']


@pytest.mark.parametrize(
    ("entry", "way", "message"),
    [
        ("type=redis", "cache-from", "is not a cache"),
        ("", "cache-from", "is not a cache"),
        ("type=gha,scope", "cache-to", "is not a cache"),
        ("ref=h/c", "cache-to", "is not a cache"),
        ("type=inline", "cache-from", "read from the image"),
        ("type=gha,scope={stage}", "cache-to", "nothing is called {stage}"),
    ],
)
def test_a_wrong_entry_is_refused(entry: str, way: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(message)):
        parse(entry, way)  # type: ignore[arg-type]


@given(st.text(max_size=200))
def test_a_place_is_a_tag_and_a_folder(text: str) -> None:
    place = clean(text)
    assert len(place) <= LONGEST
    assert re.fullmatch(r"[A-Za-z0-9._-]*", place)
    assert place != ".."


def test_long_places_stay_apart() -> None:
    assert clean("a" * 200) != clean("a" * 201)


@pytest.mark.parametrize("entry", ["type=gha,scope=x", {"type": "gha", "scope": "x"}])
def test_a_missing_token_is_said(entry: object) -> None:
    definitions = [{}, {"cache-to": [entry]}]
    assert "ACTIONS_RUNTIME_TOKEN and ACTIONS_RESULTS_URL are not set" in without_tokens(definitions, {})
    assert "ACTIONS_RESULTS_URL is not set" in without_tokens(definitions, {"ACTIONS_RUNTIME_TOKEN": "t"})
    assert without_tokens(definitions, TOKENS) == ""
    assert without_tokens(definitions, {"ACTIONS_RUNTIME_TOKEN": "t", "ACTIONS_CACHE_URL": "u"}) == ""
    assert without_tokens([{"cache-from": ["type=registry,ref=x"]}], {}) == ""
    assert "ACTIONS_RESULTS_URL is not set" in without_tokens([{"cache-from": ["type=gha,token=t"]}], {})
    assert without_tokens([{"cache-from": ["type=gha,token=t,url=u"]}], {}) == ""


@pytest.mark.parametrize(
    ("entry", "shown"),
    [
        ("type=s3,bucket=b,secret_access_key=canary,mode=max", "type=s3,bucket=b,mode=max"),
        ({"type": "gha", "token": "canary"}, {"type": "gha"}),
        ("ghcr.io/o/cache", "ghcr.io/o/cache"),
    ],
)
def test_credentials_are_not_shown(entry: object, shown: object) -> None:
    assert without_credentials(entry) == shown
    assert credentials([{"cache-to": [entry]}]) == (["canary"] if entry != shown else [])
