"""`make demo`: the whole pipeline on examples/buildme, from a bare machine to a report."""

import subprocess
import sys
from pathlib import Path

import lab_environment

ROOT = Path(__file__).resolve().parent.parent
BUILDER = "ci-buildkit-demo"


def main() -> int:
    """Bring the engine up, run the pipeline, say where the report is; the pipeline's exit code."""
    engine = subprocess.run([sys.executable, "lab/lab.py", "up"], cwd=ROOT, check=False)
    if engine.returncode:
        return engine.returncode
    environment = lab_environment.load()
    registry = environment.get("CI_BUILDKIT_LAB_REGISTRY")
    command = [sys.executable, "-m", "ci_buildkit", "run", "--context", "examples/buildme", "--builder", BUILDER]
    # Without the lab's registry there is nowhere to push to; the images are built all the same.
    command += ["--push", "--image", f"{registry}/demo/buildme"] if registry else []
    done = subprocess.run(command, cwd=ROOT, env=environment, check=False)
    report = ROOT / "ci-report" / "report.html"
    if report.exists():
        print(f"\nThe report is in {report}")
        print(f"A second `make demo` is warm: builder {BUILDER} stays until `ci-buildkit builder rm {BUILDER}`.")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
