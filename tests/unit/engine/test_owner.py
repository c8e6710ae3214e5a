"""Whose builder is it, and does that process still live."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest
from msgspec.structs import replace

from ci_buildkit.engine.owner import FOREIGN_AGE, Owner


def test_an_owner_survives_being_written_down() -> None:
    here = Owner.here()
    assert Owner.parse(str(here)) == here
    assert here.alive()


@pytest.mark.parametrize("text", ["", "x", "a:1:2", "a:b:2:3", "a:1:2:3:4", "a:-1:2:3"])
def test_other_texts_are_no_owner(text: str) -> None:
    assert Owner.parse(text) is None


def test_the_owner_is_found_in_a_container_s_environment() -> None:
    here = Owner.here()
    assert Owner.of(["PATH=/bin", f"{Owner.VARIABLE}={here}", "X=1"]) == here
    assert Owner.of(["PATH=/bin"]) is None
    assert Owner.of([f"{Owner.VARIABLE}=x"]) is None


def test_a_process_that_ended_is_dead_and_one_with_its_number_is_another() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        time.sleep(0.03)  # a start is told in ticks of 10 ms
        code = "from ci_buildkit.engine.owner import Owner; print(Owner.here())"
        child = Owner.parse(
            subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.strip()
        )
        assert child
        assert not child.alive()
        other = replace(child, pid=process.pid)
        assert not other.alive(), "the number is in use again, by a process that started later"
        process.communicate(b"\n")


def test_a_zombie_is_dead() -> None:
    code = "import sys; from ci_buildkit.engine.owner import Owner; print(Owner.here(), flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert process.stdin
        child = Owner.parse(process.stdout.readline().strip())
        assert child
        assert child.alive()
        process.stdin.close()
        deadline = time.monotonic() + 10
        while child.alive() and time.monotonic() < deadline:  # it is not waited for, so it stays a zombie
            time.sleep(0.01)
        assert not child.alive()
        process.wait()


def test_an_owner_elsewhere_counts_as_alive_while_it_is_young() -> None:
    elsewhere = replace(Owner.here(), where="other-1")
    assert elsewhere.alive()
    assert not replace(elsewhere, since=int(time.time() - FOREIGN_AGE - 1)).alive()
