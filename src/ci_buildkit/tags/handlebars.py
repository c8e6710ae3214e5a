"""Parses the part of Handlebars that tag lines can use: expressions with parameters, `if` and `unless`, comments.

The lexical rules are those of handlebars 4.7 (handlebars.l and handlebars.yy). Partials, decorators, raw blocks and
blocks of other names mean nothing in a tag and are errors.
"""

from __future__ import annotations

import functools
import re
from typing import NoReturn

from msgspec import Struct

from ci_buildkit.errors import ConfigurationError


class Literal(Struct, frozen=True):
    """A string, number, boolean or `null`, with how it was written."""

    value: str | int | float | bool | None
    text: str


class Path(Struct, frozen=True):
    """A name, or names joined by dots."""

    parts: tuple[str, ...]


class Call(Struct, frozen=True):
    """A path with parameters; without any it is a mere look-up."""

    path: Path
    arguments: tuple[Expression, ...]
    named: tuple[tuple[str, Expression], ...]


Expression = Literal | Path | Call


class Output(Struct, frozen=True):
    """`{{...}}`, or `{{{...}}}` and `{{&...}}`, which are not escaped."""

    call: Call
    escaped: bool


class Block(Struct, frozen=True):
    """`{{#if ...}}body{{else}}otherwise{{/if}}`, or `unless`."""

    call: Call
    body: tuple[Node, ...]
    otherwise: tuple[Node, ...]


Node = str | Output | Block

_OPEN = re.compile(r"\{\{(?P<left>~?)(?P<kind>\{\{|!--|!|>|#[>*]?|/|\^|\{|&|\*|\s*else\b|)\s*")
_COMMENT_ENDS = {"!--": re.compile(r"--(?P<right>~?)\}\}"), "!": re.compile(r"(?P<right>~?)\}\}")}
_ESCAPED_END = re.compile(r"\\{0,2}\{\{|\Z")
_TOKEN = re.compile(
    r"""\s*(?:
    (?P<string>"(?:\\"|[^"])*"|'(?:\\'|[^'])*')
    |(?P<literal>(?:true|false|undefined|null|-?[0-9]+(?:\.[0-9]+)?)(?=[~}\s)\]]))
    |(?P<close>\}?~?\}\})
    |\[(?P<segment>(?:\\\]|[^\]])*)\]
    |(?P<name>[^\s!"\#%&'()*+,./;<=>@\[\\\]^`{|}~]+(?=[=~}\s/.)|])|\.\.?(?=[=~}\s/.)|]))
    |(?P<mark>[()=./@|])
    )""",
    re.VERBOSE,
)


@functools.lru_cache(maxsize=1024)
def parse(template: str) -> tuple[Node, ...]:
    """The nodes of a template. Raises ConfigurationError where it is not closed, or uses what a tag has no use for."""
    parser = _Parser(template)
    nodes, end = parser.nodes()
    if end:
        parser.fail(f"{{{{{end}}}}} closes nothing")
    return nodes


class _Parser:
    """Reads one template from left to right."""

    def __init__(self, template: str) -> None:
        self._text = template
        self._at = 0
        self._strip_next = False

    def fail(self, reason: str) -> NoReturn:
        raise ConfigurationError(
            f"cannot read the expression in {self._text!r}: {reason}",
            hint="for example {{branch}}, {{date 'YYYYMMDD' tz='Europe/Paris'}} or {{#if tag}}...{{else}}...{{/if}}",
        )

    def nodes(self) -> tuple[tuple[Node, ...], str]:
        """The nodes up to the end or to what ends a block, and that: `else`, `/NAME` or ""."""
        found: list[Node] = []
        while self._at < len(self._text):
            content, opened = self._content()
            if content:
                found.append(content)
            if opened is None:
                continue
            if opened["left"] and found and isinstance(found[-1], str):
                found[-1] = found[-1].rstrip()
            kind = opened["kind"].strip()
            if kind in _COMMENT_ENDS:
                self._comment(kind)
            elif kind in {"#", "^", "/", "else"}:
                if kind != "#" and (end := self._block_end(kind)):
                    return tuple(found), end
                found.append(self._block())
            elif kind in {"", "{", "&"}:
                found.append(Output(self._call(closing="}" if kind == "{" else ""), escaped=not kind))
            else:
                self.fail(f"{{{{{kind} has no meaning in a tag")
        return tuple(found), ""

    def _content(self) -> tuple[str, re.Match[str] | None]:
        """The text up to the next expression, and how that one opens; None at the end or where it is escaped."""
        start = self._at
        end = self._text.find("{{", start)
        if end < 0:
            self._at = len(self._text)
            return self._stripped(self._text[start:]), None
        text = self._text[start:end]
        if text.endswith("\\") and not text.endswith("\\\\"):
            escaped = _ESCAPED_END.search(self._text, end + 2)
            self._at = escaped.start() if escaped else len(self._text)
            return self._stripped(text[:-1] + self._text[end : self._at]), None
        opened = _OPEN.match(self._text, end)
        assert opened  # it begins with what was found
        self._at = opened.end()
        return self._stripped(text[:-1] if text.endswith("\\\\") else text), opened

    def _stripped(self, text: str) -> str:
        text = text.lstrip() if self._strip_next else text
        self._strip_next = False
        return text

    def _comment(self, kind: str) -> None:
        end = _COMMENT_ENDS[kind].search(self._text, self._at)
        if not end:
            self.fail("a comment is not closed")
        self._at = end.end()
        self._strip_next = bool(end["right"])

    def _block_end(self, kind: str) -> str:
        """What ends the block that is open: `else`, `/NAME`; "" for `{{^NAME}}`, which begins one."""
        if kind == "/":
            call = self._call()
            return "/" + ".".join(call.path.parts)
        position = self._at
        token = self._token()
        if token[0] == "close":
            self._strip_next = "~" in token[1]
            return "else"
        self._at = position
        return "else if" if kind == "else" else ""

    def _block(self) -> Block:
        call = self._call()
        name = ".".join(call.path.parts)
        if name not in {"if", "unless"} or len(call.arguments) != 1:
            self.fail(f"the block {name!r} is not `if` or `unless` with one condition")
        return self._branches(call, name)

    def _branches(self, call: Call, name: str) -> Block:
        body, end = self.nodes()
        otherwise: tuple[Node, ...] = ()
        if end == "else if":
            chained = self._call()
            if chained.path.parts not in {("if",), ("unless",)} or len(chained.arguments) != 1:
                self.fail("`else` is followed by something that is not `if` or `unless` with one condition")
            return Block(call, body, (self._branches(chained, name),))
        if end == "else":
            otherwise, end = self.nodes()
        if end != f"/{name}":
            self.fail(f"the block {name!r} is not closed")
        return Block(call, body, otherwise)

    def _call(self, closing: str = "") -> Call:
        """What stands in an expression, up to its end: `closing` and two braces."""
        call, end = self._inner(self._token())
        if end[0] != "close" or end[1].replace("~", "") != closing + "}}":
            self.fail("it is not closed")
        self._strip_next = "~" in end[1]
        return call

    def _inner(self, token: tuple[str, str]) -> tuple[Call, tuple[str, str]]:
        """A path and its parameters, and the token after them."""
        head, token = self._expression(token)
        if isinstance(head, Call):
            self.fail("an expression in parentheses stands first")
        path = Path((head.text,)) if isinstance(head, Literal) else head
        arguments: list[Expression] = []
        named: list[tuple[str, Expression]] = []
        while token[0] in {"string", "literal", "segment", "name"} or token == ("mark", "("):
            key = self._key(token)
            if named and not key:
                self.fail("a parameter follows a named one")
            value, token = self._expression(self._token() if key else token)
            if key:
                named.append((key, value))
            else:
                arguments.append(value)
        return Call(path, tuple(arguments), tuple(named)), token

    def _key(self, token: tuple[str, str]) -> str:
        """The name of a named parameter that begins here; "" where none does."""
        position = self._at
        if token[0] in {"name", "segment"} and self._token() == ("mark", "="):
            return token[1]
        self._at = position
        return ""

    def _expression(self, token: tuple[str, str]) -> tuple[Expression, tuple[str, str]]:
        """One value, and the token after it."""
        kind, text = token
        if kind == "string":
            return Literal(text[1:-1].replace("\\" + text[0], text[0]), text[1:-1]), self._token()
        if kind == "literal":
            return Literal(_literal(text), text), self._token()
        if token == ("mark", "("):
            call, end = self._inner(self._token())
            if end != ("mark", ")"):
                self.fail("a parenthesis is not closed")
            return call, self._token()
        if kind not in {"name", "segment"}:
            self.fail("a name is missing" if kind == "close" else f"{text!r} stands where a name should")
        return self._path(token)

    def _path(self, token: tuple[str, str]) -> tuple[Path, tuple[str, str]]:
        parts: list[str] = []
        while True:
            if token[0] == "name" and token[1] in {".", "..", "this"}:
                if parts or token[1] == "..":
                    self.fail(f"{token[1]!r} leads nowhere")
            else:
                parts.append(token[1])
            token = self._token()
            if token not in {("mark", "."), ("mark", "/")}:
                return Path(tuple(parts)), token
            token = self._token()
            if token[0] not in {"name", "segment"}:
                self.fail("a name is missing")

    def _token(self) -> tuple[str, str]:
        """The next token: its kind and its text."""
        match = _TOKEN.match(self._text, self._at)
        if not match or not match.lastgroup:
            self.fail(
                "it is not closed" if self._at >= len(self._text) else f"{self._text[self._at :]!r} is no expression"
            )
        self._at = match.end()
        return match.lastgroup, match[match.lastgroup]


def _literal(text: str) -> float | bool | None:
    if text in {"true", "false"}:
        return text == "true"
    if text in {"undefined", "null"}:
        return None
    return float(text) if "." in text else int(text)
