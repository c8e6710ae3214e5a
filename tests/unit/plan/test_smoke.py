from __future__ import annotations

import pytest

from ci_buildkit.errors import ConfigurationError
from ci_buildkit.plan import smoke


def test_a_command_is_for_every_image_unless_it_names_one() -> None:
    found = smoke.commands(["--version", "server=serve --dry-run", "my.client=x"], ["server", "my_client"])
    assert found == {"server": (("--version",), ("serve", "--dry-run")), "my_client": (("--version",), ("x",))}


def test_words_are_divided_as_a_shell_does() -> None:
    assert smoke.commands(["sh -c 'A=1; test $A = 1, really'"], ["a"]) == {
        "a": (("sh", "-c", "A=1; test $A = 1, really"),)
    }
    assert smoke.commands(["--flag=value"], ["a"]) == {"a": (("--flag=value",),)}
    assert smoke.commands(["a=env A=1 true"], ["a"]) == {"a": (("env", "A=1", "true"),)}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("servr=--version", "names the target 'servr', which is not an image"),
        ("server=", "has no command"),
        ("  ", "has no command"),
        ("sh -c 'true", "No closing quotation"),
    ],
)
def test_what_is_no_command_is_refused(text: str, reason: str) -> None:
    with pytest.raises(ConfigurationError, match=reason):
        smoke.commands([text], ["server"])


def test_without_commands_no_image_has_any() -> None:
    assert smoke.commands([], ["server"]) == {"server": ()}
