"""The settings in force as people and programs see them: each with its origin, credentials hidden. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from ci_buildkit.config import row
from ci_buildkit.config.credentials import HIDDEN, VALUE, masked
from ci_buildkit.config.options import Options, flag_of, is_list, option_string
from ci_buildkit.config.sources import Origin, Settings

Shown = str | bool | int | list[str] | None
# The keys of these options whose values tell no secret, but where to find one.
_OPEN = {
    "login": {"registry", "username", "password-env", "password-file"},
    "secret": {"id", "type", "src", "source", "env"},
}
# Where someone may have written the secret itself instead of the name of its variable.
_VARIABLES = {"password-env", "env"}
_DEFAULT = re.compile(r"\bdefault: (.+)$", re.IGNORECASE)
_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*")


class Setting(Struct, frozen=True):
    """One option: its key, its value as JSON and YAML have it, without credentials, and its origin.

    `unset` says what holds where it has no value, as far as that is told in a few words.
    """

    key: str
    value: Shown
    origin: Origin
    hidden: bool
    unset: str = ""

    @property
    def changed(self) -> bool:
        """Whether something set it."""
        return self.origin.source != "default"


def shown(settings: Settings) -> Iterator[Setting]:
    """Every option, those that something set first, in the model's order."""
    found = [_setting(name, getattr(settings.options, name), settings.origins[name]) for name in Options.model_fields]
    yield from sorted(found, key=lambda setting: not setting.changed)


def _setting(name: str, value: Any, origin: Origin) -> Setting:
    key = option_string(name)
    told = _DEFAULT.search(Options.model_fields[name].description or "")
    if value in (None, ()):
        return Setting(key, [] if is_list(name) else None, origin, hidden=False, unset=told[1] if told else "")
    if isinstance(value, bool | int):
        return Setting(key, value, origin, hidden=False)
    texts = [str(text) for text in value] if is_list(name) else [str(value)]
    found = [open_text(name, text) for text in texts]
    return Setting(key, found if is_list(name) else found[0], origin, hidden=found != texts)


def open_text(name: str, text: str) -> str:
    """The text of one value with `***` for what is a credential in it, or may be one."""
    if flag_of(name).mapping:
        return masked(text)
    parts = row.fields(text, "") if "\n" not in text else [text]
    found = [_part(name, part) for part in parts]
    return text if found == parts else row.written(found)


def _part(name: str, part: str) -> str:
    if name not in _OPEN:
        return masked(part)
    key, equals, value = (word.strip() for word in part.partition("="))
    if not equals:
        return HIDDEN
    is_open = key in _OPEN[name] and not VALUE.search(value) and (key not in _VARIABLES or _VARIABLE.fullmatch(value))
    return part if is_open else f"{masked(key)}={HIDDEN}"
