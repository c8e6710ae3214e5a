"""Fills in a template: what stands in braces is looked up, and escaped for HTML as Handlebars does."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ci_buildkit.errors import ConfigurationError
from ci_buildkit.tags.handlebars import Block, Call, Expression, Literal, Node, Output, Path, parse

Value = str | int | float | bool | Sequence[str] | None
Helper = Callable[[Sequence[object], Mapping[str, object]], str]
"""Gives the text of an expression with its parameters, positional and named."""
Scope = Mapping[str, Value | Helper]

_ESCAPES = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;", "`": "&#x60;", "=": "&#x3D;"}
)


def render(template: str, scope: Scope) -> str:
    """The text of a template; a name that `scope` does not have is empty.

    Raises:
        ConfigurationError: the template cannot be read, or a name is given parameters that it does not take.
    """
    return _nodes(parse(template), scope) if "{{" in template else template


def is_only(template: str, name: str) -> bool:
    """Whether a template is one expression, and that is `name`."""
    try:
        nodes = parse(template)
    except ConfigurationError:
        return False
    return len(nodes) == 1 and isinstance(nodes[0], Output) and nodes[0].call.path.parts == (name,)


def _nodes(nodes: Sequence[Node], scope: Scope) -> str:
    return "".join(node if isinstance(node, str) else _node(node, scope) for node in nodes)


def _node(node: Output | Block, scope: Scope) -> str:
    if isinstance(node, Output):
        text = _text(_called(node.call, scope))
        return text.translate(_ESCAPES) if node.escaped else text
    value = _value(node.call.arguments[0], scope)
    condition = value([], {}) if callable(value) else value
    named = {name: _value(expression, scope) for name, expression in node.call.named}
    holds = bool(condition) or (named.get("includeZero") is True and condition == 0 and condition is not False)
    return _nodes(node.body if holds == (node.call.path.parts == ("if",)) else node.otherwise, scope)


def _called(call: Call, scope: Scope) -> object:
    value = _value(call.path, scope)
    arguments = [_value(argument, scope) for argument in call.arguments]
    named = {name: _value(expression, scope) for name, expression in call.named}
    if callable(value):
        return value(arguments, named)
    if arguments or (named and value is not None):
        raise ConfigurationError(f"{{{{{'.'.join(call.path.parts)}}}}} takes no parameters")
    return value


def _value(expression: Expression, scope: Scope) -> object:
    """What an expression stands for; a helper that is only named is not called."""
    if isinstance(expression, Literal):
        return expression.value
    if isinstance(expression, Path):
        return scope.get(expression.parts[0]) if len(expression.parts) == 1 else None
    return _called(expression, scope)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return ",".join(value)
    return "" if value is None else str(value)
