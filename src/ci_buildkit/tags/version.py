"""The tags that lines make: the main version, the others, and whether `latest` is among them.

The rules are those of docker/metadata-action (src/meta.ts, `getVersion` and what it calls).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from msgspec import Struct

from ci_buildkit.errors import ConfigurationError
from ci_buildkit.tags import jsregex, pep440, semver
from ci_buildkit.tags.expressions import Expressions
from ci_buildkit.tags.flavor import Flavor
from ci_buildkit.tags.reference import checked_tag
from ci_buildkit.tags.tagline import TagLine, Type
from ci_buildkit.tags.template import is_only, render


class Version(Struct, frozen=True):
    """`main` is None where no line made a tag. `tags` are all of them, `latest` last."""

    main: str | None
    partial: tuple[str, ...]
    latest: bool
    tags: tuple[str, ...]


class Made(Struct, frozen=True):
    """What a line makes: a tag without prefix and suffix, and whether it brings `latest` where that is automatic."""

    value: str
    latest: bool = False


def version(lines: Iterable[TagLine], flavor: Flavor, fill: Expressions) -> Version:
    """The version of lines that are sorted.

    The first tag is the version, and the line that made it decides on `latest`.

    Raises:
        ConfigurationError: a template or an expression cannot be read, `enable` is neither true nor false, or a tag is
            one that no registry takes.
    """
    found: dict[str, None] = {}
    latest: bool | None = None
    for line in lines:
        made = _MAKERS[line.type](line, fill) if _enabled(line, fill) else None
        value = _sanitized(_dressed(made.value, line, flavor, fill)) if made else ""
        if made and value:
            found.setdefault(value)
            latest = _latest(flavor, automatic=made.latest) if latest is None else latest
    names = list(found)
    if names and latest:
        prefix, suffix = flavor.prefix * flavor.prefix_latest, flavor.suffix * flavor.suffix_latest
        names.append(_sanitized(f"{prefix}latest{suffix}"))
    main = names[0] if names else None
    return Version(main, tuple(found)[1:], bool(latest), tuple(map(checked_tag, names)))


def _latest(flavor: Flavor, *, automatic: bool) -> bool:
    return automatic if flavor.latest == "auto" else flavor.latest == "true"


def _enabled(line: TagLine, fill: Expressions) -> bool:
    enabled = fill(line.attributes.get("enable", "true"))
    if enabled not in {"true", "false"}:
        raise ConfigurationError(
            f"tag {line.text!r}: enable is {enabled!r}", hint="write true, false or an expression that is one of them"
        )
    return enabled == "true"


def _dressed(value: str, line: TagLine, flavor: Flavor, fill: Expressions) -> str:
    prefix = line.attributes.get("prefix", flavor.prefix)
    suffix = line.attributes.get("suffix", flavor.suffix)
    return fill(prefix) + value + fill(suffix)


def _sanitized(tag: str) -> str:
    return re.sub(r"[^a-zA-Z0-9._-]+", "-", tag)


def _schedule(line: TagLine, fill: Expressions) -> Made | None:
    return Made(render(line.attributes["pattern"], fill.dates)) if fill.context.scheduled else None


def _semver(line: TagLine, fill: Expressions) -> Made | None:
    text = _candidate(line, fill)
    parts = semver.parse(text) if text is not None else None
    if parts is None:
        _not(text, "a semantic version", fill)
        return None
    pattern = line.attributes["pattern"]
    if parts["prerelease"]:
        return Made(render(pattern if is_only(pattern, "raw") else "{{version}}", parts))
    return Made(render(pattern, parts), latest=True)


def _pep440(line: TagLine, fill: Expressions) -> Made | None:
    text = _candidate(line, fill)
    parsed = pep440.parse(text) if text is not None else None
    if text is None or parsed is None:
        _not(text, "a version of PEP 440", fill)
        return None
    pattern = line.attributes["pattern"]
    if not parsed.final:
        return Made(text if is_only(pattern, "raw") else parsed.clean)
    numbers = {name: parsed.part(index) for index, name in enumerate(("major", "minor", "patch"))}
    return Made(render(pattern, {"raw": text, "version": parsed.clean, **numbers}), latest=True)


def _not(text: str | None, what: str, fill: Expressions) -> None:
    if text is not None:
        fill.warnings.append(f"{text!r} is not {what}")


def _subject(line: TagLine, fill: Expressions) -> str | None:
    """What a version is read from: the value, else the Git tag; None where there is neither."""
    value = line.attributes["value"]
    if value:
        return fill(value)
    return fill.context.tag if fill.context.on_tag else None


def _candidate(line: TagLine, fill: Expressions) -> str | None:
    """The subject, or the first group of `match` in it."""
    text = _subject(line, fill)
    if text is not None and (pattern := line.attributes["match"]):
        groups = jsregex.match(pattern, text)
        if groups is None:
            fill.warnings.append(f"{pattern!r} does not match {text!r}")
        elif len(groups) < 2 or groups[1] is None:
            raise ConfigurationError(
                f"tag {line.text!r}: match has no group that holds the version",
                hint="put the version in parentheses, for example match=v(.*)",
            )
        else:
            text = groups[1]
    return text.replace("/", "-") if text is not None else None


def _match(line: TagLine, fill: Expressions) -> Made | None:
    text = _subject(line, fill)
    if text is None:
        return None
    pattern, group = line.attributes["pattern"], line.attributes["group"]
    slashes = re.fullmatch(r"/(.+)/(.*)", pattern)
    groups = jsregex.match(slashes[1], text, slashes[2]) if slashes else jsregex.match(pattern, text)
    if groups is None:
        fill.warnings.append(f"{pattern!r} does not match {text!r}")
        return None
    index = int(group) if re.fullmatch("0|[1-9][0-9]*", group) else len(groups)
    value = groups[index] if index < len(groups) else None
    if value is None:
        fill.warnings.append(f"{pattern!r} has no group {group} in {text!r}")
        return None
    return Made(value, latest=True)


def _edge(line: TagLine, fill: Expressions) -> Made | None:
    context = fill.context
    wanted = line.attributes["branch"] or context.repository.default_branch
    return Made("edge") if context.branch and context.branch == wanted else None


def _ref(line: TagLine, fill: Expressions) -> Made | None:
    context, event = fill.context, line.attributes["event"]
    ref = {"branch": "refs/heads/", "tag": "refs/tags/", "pr": "refs/pull/"}[event]
    value = {"branch": context.branch, "tag": context.tag, "pr": context.pull}[event]
    return Made(value, latest=event == "tag") if context.ref.startswith(ref) else None


def _raw(line: TagLine, fill: Expressions) -> Made | None:
    return Made(fill(line.attributes["value"]))


def _sha(line: TagLine, fill: Expressions) -> Made | None:
    sha = fill.context.sha
    return Made(fill.short_sha if line.attributes["format"] == "short" else sha) if sha else None


_MAKERS: Mapping[Type, Callable[[TagLine, Expressions], Made | None]] = {
    "schedule": _schedule,
    "semver": _semver,
    "pep440": _pep440,
    "match": _match,
    "edge": _edge,
    "ref": _ref,
    "raw": _raw,
    "sha": _sha,
}
