"""What Handlebars refuses in a template is refused with a reason, before any tag is made."""

from __future__ import annotations

import pytest

from ci_buildkit.errors import ConfigurationError
from ci_buildkit.tags.handlebars import Call, Literal, Output, Path, parse


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("{{", "it is not closed"),
        ("{{!-- a }}", "a comment is not closed"),
        ("{{#if a}}x", "the block 'if' is not closed"),
        ("{{#if a}}x{{/unless}}", "the block 'if' is not closed"),
        ("{{#each a}}x{{/each}}", "the block 'each' is not `if` or `unless` with one condition"),
        ("{{#if a b}}x{{/if}}", "the block 'if' is not `if` or `unless` with one condition"),
        ("{{#if a}}x{{else each b}}y{{/if}}", "`else` is followed by something"),
        ("{{(a) b}}", "an expression in parentheses stands first"),
        ("{{a b=1 c}}", "a parameter follows a named one"),
        ("{{a (b c}}", "a parenthesis is not closed"),
        ("{{}}", "a name is missing"),
        ("{{a/=}}", "a name is missing"),
        ("{{= a}}", "'=' stands where a name should"),
        ("{{../a}}", "'..' leads nowhere"),
        ("{{a.this}}", "'this' leads nowhere"),
        ("{{a ~ b}}", "is no expression"),
        ("{{{a}}", "it is not closed"),
    ],
)
def test_what_is_wrong_with_a_template_is_told(template: str, reason: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        parse(template)
    assert reason in str(raised.value)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("true", True),
        ("false", False),
        ("null", None),
        ("undefined", None),
        ("7", 7),
        ("-1.5", -1.5),
        ("'a\\'b'", "a'b"),
    ],
)
def test_literals(written: str, value: object) -> None:
    [output] = parse(f"{{{{a {written}}}}}")
    assert isinstance(output, Output)
    assert output.call.path == Path(("a",))
    [literal] = output.call.arguments
    assert isinstance(literal, Literal)
    assert literal.value == value


def test_a_call_in_parentheses_is_a_parameter() -> None:
    [output] = parse("{{a (b c) d=(e)}}")
    assert isinstance(output, Output)
    inner = Call(Path(("b",)), (Path(("c",)),), ())
    assert (output.call.arguments, output.call.named) == ((inner,), (("d", Call(Path(("e",)), (), ())),))
