"""The global expressions: what `{{branch}}`, `{{date 'YYYYMMDD'}}` and the like stand for.

The rules are those of docker/metadata-action (src/meta.ts, `setGlobalExp` and `shortSha`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from ci_buildkit.errors import ConfigurationError
from ci_buildkit.tags import moment
from ci_buildkit.tags.context import Context
from ci_buildkit.tags.jsnumber import number
from ci_buildkit.tags.template import Helper, Scope, render

SHORT_SHA_LENGTH = 7


@dataclass(frozen=True)
class Expressions:
    """Fills in templates for one context; `warnings` gathers what was odd about them."""

    context: Context
    now: datetime
    short_length: float = SHORT_SHA_LENGTH
    warnings: list[str] = field(default_factory=list)

    def __call__(self, template: str) -> str:
        """The text of a template. Raises ConfigurationError as `template.render`."""
        return render(template, self._everything) if "{{" in template else template

    @property
    def dates(self) -> Scope:
        """Only the times: what the pattern of a schedule knows."""
        return {"date": self._date(self.now), "commit_date": self._date(self.context.commit_time)}

    @property
    def short_sha(self) -> str:
        """The beginning of the commit's name."""
        sha, length = self.context.sha, self.short_length
        return sha if length >= len(sha) else sha[: max(0, int(length))]

    @property
    def _everything(self) -> Scope:
        context = self.context
        default = context.on_default_branch
        return {
            "branch": _text(lambda: context.branch),
            "tag": _text(lambda: context.tag),
            "sha": _text(lambda: self.short_sha),
            "base_ref": _text(lambda: context.base_ref),
            "is_default_branch": _text(lambda: "true" if default else "false"),
            "is_not_default_branch": _text(lambda: "false" if default else "true"),
            **self.dates,
        }

    def _date(self, time: datetime) -> Helper:
        def text(arguments: Sequence[object], named: Mapping[str, object]) -> str:
            zone = named.get("tz", "UTC")
            form = arguments[0] if len(arguments) == 1 else False
            if not isinstance(form, str) or not isinstance(zone, str) or not zone or set(named) - {"tz"}:
                raise ConfigurationError(
                    "a date has one format, and no attribute but tz",
                    hint="for example {{date 'YYYYMMDD'}} or {{date 'YYYYMMDD-HHmm' tz='Europe/Paris'}}",
                )
            known = moment.zone(zone)
            if known is None:
                self.warnings.append(f"there is no time zone {zone!r} here: UTC is taken")
            return moment.written(time.astimezone(known or UTC), form)

        return text


def short_length(text: str) -> float:
    """DOCKER_METADATA_SHORT_SHA_LENGTH read; raises ConfigurationError where it is no number."""
    length = number(text) if text else SHORT_SHA_LENGTH
    if math.isnan(length):
        raise ConfigurationError(
            f"DOCKER_METADATA_SHORT_SHA_LENGTH is {text!r}, which is no number", hint="for example 12"
        )
    return length


def _text(value: Callable[[], str]) -> Helper:
    """A name as a helper: it takes parameters, and needs none."""
    return lambda _arguments, _named: value()
