"""The JSON schema of the settings file, made from the option model, for editors and checks. Pure.

It is written in draft-07, which yaml-language-server, check-jsonschema and SchemaStore all take. What it accepts the reader
accepts (`yamlfile`, `lists`). The reader takes more only where a value of several comma-separated ones has quotes or line
ends inside, and values of a merged mapping, which no schema sees; less only of values with a NUL character.
"""

from __future__ import annotations

import json
import re
from pathlib import PurePath
from typing import Any

from ci_buildkit.config import flag as forms
from ci_buildkit.config import levels, timeouts
from ci_buildkit.config.flag import TOPICS
from ci_buildkit.config.options import (
    CONFIG_FILE,
    Options,
    choices_of,
    flag_of,
    is_list,
    is_switch,
    option_string,
)

ID = "https://raw.githubusercontent.com/org/ci-buildkit/v1/docs/reference/ci-buildkit.schema.json"
# The words that pydantic reads as true and false, in any case (docs.pydantic.dev, conversion table).
SWITCH = ("true", "false", "yes", "no", "on", "off", "y", "n", "t", "f", "1", "0")
# A pair inside a row of comma-separated values, as it stands and in double quotes.
_PAIR_IN_ROW = r'[^= \t\r\n,"][^=,"\r\n]*=[^,"\r\n]*'
_PAIR_IN_QUOTES = r'[ \t\r\n]*[^= \t\r\n"][^="]*=(?:[^"]|"")*'
_PAIR_IN_LINE = r"[ \t\r]*[^= \t\r\n][^=\n]*=[^\n]*"

Schema = dict[str, Any]


def schema() -> Schema:
    """The schema of a whole file."""
    names = sorted(Options.model_fields, key=lambda name: TOPICS.index(flag_of(name).topic))
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$id": ID,
        "title": CONFIG_FILE,
        "description": "Options of ci-buildkit for the repository that the file stands in.",
        "type": ["object", "null"],
        "properties": {option_string(name): _property(name) for name in names},
        # The same with underscores.
        "patternProperties": {
            f"^{name.replace('_', '[-_]')}$": {"$ref": f"#/properties/{option_string(name)}"}
            for name in names
            if "_" in name
        },
        "additionalProperties": False,
    }


def text() -> str:
    """The schema as it is published."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def described(name: str) -> str:
    """What an option means, as a sentence. A first word that is written in its own way stays so."""
    first, _, rest = (Options.model_fields[name].description or "").partition(" ")
    return f"{first if '.' in first or not first.islower() else first.capitalize()} {rest}."


def _property(name: str) -> Schema:
    field = Options.model_fields[name]
    found: Schema = {"description": described(name), **_value(name)}
    if field.default not in (None, ()):
        found["default"] = str(field.default) if isinstance(field.default, PurePath) else field.default
    if field.examples:
        found["examples"] = [field.examples] if is_list(name) else field.examples
    return found


def _value(name: str) -> Schema:
    if is_list(name):
        return _list(name)
    if is_switch(name):
        words = "|".join("".join(f"[{c}{c.upper()}]" if c.isalpha() else c for c in word) for word in SWITCH)
        return {"anyOf": [{"type": "boolean"}, {"type": "string", "pattern": f"^(?:{words})$"}]}
    if choices := choices_of(name):
        return {"enum": list(choices)}
    flag = flag_of(name)
    if flag.form:
        return {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": f"^{flag.form.pattern}$"}]}
    return {"type": [*(["boolean"] if flag.switch else []), "string", "number"], "minLength": 1}


def _list(name: str) -> Schema:
    flag = flag_of(name)
    kinds: Schema = {"type": "string" if flag.form else ["string", "number"]}
    item, text = ({**kinds, **_pattern(pattern, flag)} for pattern in _patterns(flag))
    ways: list[Schema] = [{"type": "array", "items": item}, text]
    return {"anyOf": [*ways, _mapping(flag)] if flag.mapping else ways}


def _pattern(pattern: str, flag: forms.Flag) -> Schema:
    """A pattern, with what editors say of a value that does not match (a keyword of VS Code's that others ignore)."""
    if not pattern:
        return {}
    told = {"patternErrorMessage": f"a value {flag.form.told}"} if flag.form and flag.form.told else {}
    return {"pattern": pattern, **told}


def _patterns(flag: forms.Flag) -> tuple[str, str]:
    """The patterns of an item of a list and of a text, whose lines are values; "" where any will do."""
    if not flag.split:
        if flag.form is None:
            return "", ""
        line = rf"(?:{_PAIR_IN_LINE}|\r?)"
        return f"^(?:{flag.form.pattern})?$", rf"^{line}(?:\n{line})*$"
    if flag.form is None:
        return r"^[^\r\n]*$", r"^[^\r]*$"
    value = rf"[ \t]*(?:{flag.form.pattern})"
    if flag.form is forms.PAIR:
        value = rf'[ \t]*(?:{_PAIR_IN_ROW})|[ ]*"(?:{_PAIR_IN_QUOTES})"'
    value = rf"(?:{value})?[ \t]*"
    return rf"^{value}(?:,{value})*$", rf"^{value}(?:(?:,|\r?\n){value})*$"


def _mapping(flag: forms.Flag) -> Schema:
    if flag.form is forms.FAIL_ON:
        kinds = {kind: {"enum": list(words)} for kind, words in levels.LEVELS.items()}
        return {"type": "object", "properties": kinds, "additionalProperties": False}
    if flag.form is forms.TIMEOUT:
        value = {"type": "string", "pattern": f"^{timeouts.DURATION}$"}
        return {"type": "object", "additionalProperties": value, "propertyNames": {"pattern": r"^[^=]*[^= \t]$"}}
    found: Schema = {"type": "object", "additionalProperties": {"type": ["string", "number", "boolean"]}}
    if flag.form is forms.PAIR:
        found["propertyNames"] = {"pattern": re.sub(r"\[\^=\]\*$", "", f"^{forms.PAIR_NAME}")}
    return found
