"""What a command is said to have taken."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from bench.child import spent

MIB = 1 << 20


def python(code: str) -> list[object]:
    """A command that runs code."""
    return [sys.executable, "-I", "-S", "-c", code]


def test_memory_is_the_commands_own_and_not_of_who_started_it(tmp_path: Path) -> None:
    ballast = bytearray(200 * MIB)
    small = spent(python("pass"), tmp_path / "output", tmp_path)
    large = spent(python(f"bytearray(b'x') * {100 * MIB}"), tmp_path / "output", tmp_path)
    assert len(ballast) > small.memory
    assert small.memory < 60 * MIB
    assert 100 * MIB < large.memory < 160 * MIB


def test_processor_time_counts_what_the_command_waited_for(tmp_path: Path) -> None:
    busy = "import time\nwhile time.process_time() < 0.3: pass"
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {busy!r}], check=True)"
    took = spent(python(code), tmp_path / "output", tmp_path)
    assert took.processor >= 0.3
    waiting = spent(python("import time; time.sleep(0.3)"), tmp_path / "output", tmp_path)
    assert waiting.processor < 0.3 <= waiting.seconds


def test_what_is_printed_goes_to_the_file(tmp_path: Path) -> None:
    spent(python("import sys; print('a', flush=True); print('b', file=sys.stderr)"), tmp_path / "o", tmp_path)
    assert (tmp_path / "o").read_text() == "a\nb\n"


def test_an_exit_code_that_is_no_answer_ends_the_benchmark(tmp_path: Path) -> None:
    command = python("print('the reason'); raise SystemExit(3)")
    assert spent(command, tmp_path / "o", tmp_path, answers=(3,))
    with pytest.raises(SystemExit, match="the reason"):
        spent(command, tmp_path / "o", tmp_path)
