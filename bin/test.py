"""`make test`: every test, the real-engine ones included, on a machine that has nothing of ours.

The engine comes up while the tests that need none run. End-to-end files run side by side, each on builders of its own.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYTEST = [sys.executable, "-m", "pytest", "-q", "--durations=8"]
ENGINE_SECONDS = 2400  # for a cold engine on a slow machine
TESTS_SECONDS = 3600  # on a machine that does nothing else it is a third of that
TOOLS_SECONDS = 900


def say(text: str) -> None:
    """One line about what happens, at once."""
    print(f"== {text}", flush=True)


def timed(name: str, command: list[str], seconds: float) -> int:
    """Run a command, say how long it took and return its exit code; 124 when it took too long and was ended."""
    say(f"{name}: {' '.join(Path(command[0]).name if n == 0 else word for n, word in enumerate(command))}")
    began = time.monotonic()
    # A group of its own, so that nothing the tests started outlives them.
    process = subprocess.Popen(command, cwd=ROOT, start_new_session=True)
    try:
        code = process.wait(timeout=seconds)
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
        code = 124
    say(f"{name}: {'passed' if code == 0 else f'failed with exit code {code}'} in {time.monotonic() - began:.0f} s")
    return code


def lab_runs() -> bool:
    """Whether the engine runs already, so that it is not ours to take down."""
    done = subprocess.run([sys.executable, "lab/lab.py", "status"], cwd=ROOT, capture_output=True, check=False)
    return done.returncode == 0


def main() -> int:
    """Run everything; 0 only when everything passed."""
    began = time.monotonic()
    # Shells have what they start in the background ignore it, and so do all that it starts; tests send it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    ours = not lab_runs()
    say("engine: coming up in the background")
    engine = subprocess.Popen([sys.executable, "lab/lab.py", "up"], cwd=ROOT)
    codes = {"tools": timed("test tools", [sys.executable, "bin/test_tools.py"], TOOLS_SECONDS)}
    codes |= {
        "unit": timed("unit and contract tests", [*PYTEST, "-n", "2", "tests/unit", "tests/contract"], TESTS_SECONDS)
    }
    try:
        codes["engine"] = engine.wait(timeout=ENGINE_SECONDS)
    except subprocess.TimeoutExpired:
        engine.terminate()
        codes["engine"] = 124
    say(f"engine: {'up' if codes['engine'] == 0 else 'did not come up'} after {time.monotonic() - began:.0f} s")
    # Some end-to-end tests sign, scan and compile Rust. What they use takes minutes to make from an empty cache: in the
    # background, too.
    wanted = (("lab.languages", "rust"), ("lab.tools", "cosign", "syft"))
    demanded = [subprocess.Popen([sys.executable, "-m", *words], cwd=ROOT) for words in wanted]
    codes["lint"] = timed("lint", [sys.executable, "bin/lint.py"], TESTS_SECONDS)
    if codes["engine"] == 0:
        command = [*PYTEST, "-n", "2", "--dist", "loadfile", "tests/e2e"]
        codes["end to end"] = timed("end-to-end tests", command, TESTS_SECONDS)
        if ours:
            codes["engine down"] = timed("engine down", [sys.executable, "lab/lab.py", "down"], 120)
    for one in demanded:
        one.terminate()  # a test that needed it has waited for it
        one.wait()
    failed = [name for name, code in codes.items() if code]
    say(f"{'failed: ' + ', '.join(failed) if failed else 'all passed'} in {time.monotonic() - began:.0f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
