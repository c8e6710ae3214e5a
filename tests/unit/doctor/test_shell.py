"""The commands of a script."""

from __future__ import annotations

import pytest

from ci_buildkit.doctor.shell import assigned, commands


@pytest.mark.parametrize(
    ("script", "lines"),
    [
        ("a && b || true; c", ["a", "b", "true", "c"]),
        ("CGO_ENABLED=0 /usr/local/go/bin/go build -o /x .", ["go build -o /x ."]),
        ("sudo env A=1 time apt-get install x", ["apt-get install x"]),
        ("if [ -f x ]; then y; else z; fi", ["[ -f x ]", "y", "z", "fi"]),
        ("echo 'a && b' \"c ; d\" e\\;f", ["echo a && b c ; d e;f"]),
        ("x # a && b\n# c\ny", ["x", "y"]),
        ("V=$(cat /v) go build", ["cat /v", "go build"]),
        ("go test 2>&1 | tee log &> other", ["go test 2>&1", "tee log &> other"]),
        ("{ a; } | b", ["a", "}", "b"]),
        ("a ${X:-b && c} d", ["a ${X:-b && c} d"]),
        ("echo \"never ends && x", ["echo \"never ends", "x"]),
        ("", []),
    ],
)  # fmt: skip
def test_commands_are_told_apart(script: str, lines: list[str]) -> None:
    assert [one.line for one in commands(script) if one.words] == lines


def test_a_command_knows_what_comes_after_it_and_what_it_assigns() -> None:
    first, second = commands("GOOS=linux go test ./... || true")
    assert (first.after, first.assigns) == ("||", {"GOOS": "linux"})
    assert (second.after, second.words) == ("", ("true",))


@pytest.mark.parametrize(
    ("line", "plain"),
    [
        ("uv run --frozen pytest -q", "pytest -q"), ("python3 -m pip install x", "pip install x"),
        ("bundle exec rspec", "rspec"), ("pytest", "pytest"), ("python manage.py test", "python manage.py test"),
    ],
)  # fmt: skip
def test_what_only_runs_a_program_is_left_out(line: str, plain: str) -> None:
    assert commands(line)[0].plain == plain


def test_every_way_to_give_a_variable_a_value_counts() -> None:
    script = 'A=1; export B=2 C=3 && read -r D; for E in x; do :; done; F=$(x) y; echo "$G" -X main.h=$H'
    assert assigned(script) == {"A", "B", "C", "D", "E", "F"}
