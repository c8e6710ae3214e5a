"""Reads the shape of an HCL file: blocks, their labels, their attributes, and the text of each value, with lines. Pure.

Values are not evaluated; `docker buildx bake --print` does that. What is a plain string, or a list or mapping of them, can be
had as such. The grammar is that of github.com/hashicorp/hcl, hclsyntax/spec.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

_TOKEN = re.compile(
    r"""
      (?P<space>[ \t\r\ufeff]+|\#[^\n]*|//[^\n]*|/\*.*?\*/)
    | (?P<heredoc><<-?(?P<end>\w+)\r?\n.*?^[ \t]*(?P=end)\b)
    | (?P<newline>\n)
    | (?P<quote>")
    | (?P<word>[A-Za-z_][\w-]*)
    | (?P<other>\d[\w.]*|==|!=|<=|>=|=>|&&|\|\||\.\.\.|.)
    """,
    re.VERBOSE | re.DOTALL | re.MULTILINE,
)
_CLOSING = {"{": "}", "[": "]", "(": ")"}


class HclError(Exception):
    """A text that is no HCL. `line` is where."""

    def __init__(self, line: int, message: str) -> None:
        """`message` is what is wrong there."""
        super().__init__(message)
        self.line = line


class Token(Struct, frozen=True):
    """A token. `kind` is "word", "string", "newline" or "other"; the `text` of a string is without its quotes."""

    kind: str
    text: str
    line: int


class Attribute(Struct, frozen=True):
    """`name = value`. `tokens` are those of the value, without line ends."""

    name: str
    line: int
    tokens: tuple[Token, ...]

    @property
    def string(self) -> str | None:
        """The value, where it is one string without a template; None for anything else."""
        one = self.tokens[0] if len(self.tokens) == 1 else None
        return one.text if one and one.kind == "string" and "${" not in one.text and "%{" not in one.text else None

    @property
    def strings(self) -> tuple[Token, ...]:
        """The strings of a list of strings, templates included; none where the value is anything else."""
        inner = [token for token in self.tokens[1:-1] if token.text != ","]
        ends = (self.tokens[0].text, self.tokens[-1].text) if self.tokens else ("", "")
        return tuple(inner) if ends == ("[", "]") and all(token.kind == "string" for token in inner) else ()

    @property
    def fields(self) -> dict[str, Attribute]:
        """The fields of a mapping `{ name = value }`; none for anything else."""
        if not self.tokens or self.tokens[0].text != "{":
            return {}
        try:
            pairs = _attributes(_Cursor(self.tokens[1:-1]))
        except HclError:
            return {}
        return {pair.name: pair for pair in pairs}


class Block(Struct, frozen=True):
    """`kind "label" { ... }`."""

    kind: str
    labels: tuple[str, ...]
    line: int
    attributes: tuple[Attribute, ...] = ()
    blocks: tuple[Block, ...] = ()

    def get(self, name: str) -> Attribute | None:
        """The attribute with this name."""
        return next((one for one in self.attributes if one.name == name), None)


def read(text: str) -> Block:
    """The file as one block without a kind. Raises HclError."""
    cursor = _Cursor(tuple(_tokens(text)))
    attributes, blocks = _body(cursor, end="", line=1)
    return Block("", (), 1, attributes, blocks)


def _tokens(text: str) -> Iterator[Token]:
    at, line = 0, 1
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:  # never: any character is a token
            raise HclError(line, "cannot be read")
        if found["quote"]:
            end = _string_end(text, at + 1, line)
            yield Token("string", text[at + 1 : end - 1], line)
        else:
            end = found.end()
            if found["heredoc"]:
                yield Token("string", "${" + found["heredoc"] + "}", line)
            elif found["word"] or found["newline"] or found["other"]:
                kind = next(kind for kind in ("word", "newline", "other") if found[kind])
                yield Token(kind, found[kind], line)
        line += text.count("\n", at, end)
        at = end


def _string_end(text: str, at: int, line: int) -> int:
    """Behind the quote that ends a string; strings within its templates do not end it."""
    depth = 0
    while at < len(text):
        if text[at] == "\\":
            at += 1
        elif text.startswith(("${", "%{"), at) and text[at - 1] != text[at]:
            depth += 1
            at += 1
        elif depth and text[at] == "{":
            depth += 1
        elif depth and text[at] == "}":
            depth -= 1
        elif depth and text[at] == '"':
            at = _string_end(text, at + 1, line) - 1
        elif text[at] == '"':
            return at + 1
        elif text[at] == "\n" and not depth:
            break
        at += 1
    raise HclError(line, "a string does not end")


class _Cursor(Struct):
    """A place in a list of tokens."""

    tokens: tuple[Token, ...]
    at: int = 0

    def peek(self, ahead: int = 0) -> Token:
        there = self.at + ahead
        if there < len(self.tokens):
            return self.tokens[there]
        return Token("end", "", self.tokens[-1].line if self.tokens else 1)

    def take(self) -> Token:
        token = self.peek()
        self.at += 1
        return token


def _body(cursor: _Cursor, end: str, line: int) -> tuple[tuple[Attribute, ...], tuple[Block, ...]]:
    attributes: list[Attribute] = []
    blocks: list[Block] = []
    while True:
        token = cursor.peek()
        if token.kind == "end" or (token.kind == "other" and token.text == "}"):
            if (token.text == "}") != (end == "}"):
                raise HclError(token.line, "a } too many") if token.text else HclError(line, "a { is never closed")
            cursor.take()
            return tuple(attributes), tuple(blocks)
        if token.kind == "newline":
            cursor.take()
        elif cursor.peek(1).text == "=":
            attributes.append(_attribute(cursor))
        else:
            blocks.append(_block(cursor))


def _attributes(cursor: _Cursor) -> list[Attribute]:
    found = []
    while cursor.peek().kind != "end":
        if cursor.peek().kind == "newline" or cursor.peek().text == ",":
            cursor.take()
        else:
            found.append(_attribute(cursor))
    return found


def _attribute(cursor: _Cursor) -> Attribute:
    name, equals = cursor.take(), cursor.take()
    if name.kind not in {"word", "string"} or equals.text not in {"=", ":"}:
        raise HclError(name.line, f"{name.text or 'this'} is neither a block nor an attribute")
    tokens: list[Token] = []
    open_: list[tuple[str, int]] = []
    while True:
        token = cursor.peek()
        ends = token.kind == "newline" or (token.kind == "other" and token.text in {"}", ","})
        if token.kind == "end" or (not open_ and ends):
            break
        cursor.take()
        if token.kind == "other" and token.text in _CLOSING:
            open_.append((_CLOSING[token.text], token.line))
        elif token.kind == "other" and token.text in _CLOSING.values() and (not open_ or open_.pop()[0] != token.text):
            raise HclError(token.line, f"a {token.text} that closes nothing")
        if token.kind != "newline" or (open_ and open_[-1][0] == "}"):
            tokens.append(token)
    if open_:
        raise HclError(open_[-1][1], f"a {open_[-1][0]} is missing: what begins here is never closed")
    if not tokens:
        raise HclError(name.line, f"{name.text} has no value")
    return Attribute(name.text, name.line, tuple(tokens))


def _block(cursor: _Cursor) -> Block:
    kind = cursor.take()
    labels = []
    while cursor.peek().kind in {"string", "word"}:
        labels.append(cursor.take().text)
    opening = cursor.take()
    if kind.kind != "word" or opening.text != "{":
        raise HclError(kind.line, f"{kind.text or 'this'} is neither a block nor an attribute")
    attributes, blocks = _body(cursor, end="}", line=opening.line)
    return Block(kind.text, tuple(labels), kind.line, attributes, blocks)
