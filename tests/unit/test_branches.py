"""`make coverage` counts branches by package, and the gate is on all of them together."""

from __future__ import annotations

from tests.scripts import script


def summary(taken: int, every: int) -> dict[str, dict[str, int]]:
    return {"summary": {"covered_branches": taken, "num_branches": every}}


def test_a_module_that_no_test_imports_counts_with_its_package() -> None:
    module = script("branches")
    files = {
        "src/ci_buildkit/plan/tested.py": summary(9, 10),
        "src/ci_buildkit/plan/untested.py": summary(0, 10),
        "src/ci_buildkit/tags/__init__.py": summary(0, 0),
        "src/ci_buildkit/scan.py": summary(4, 4),
    }
    assert module.by_package(files) == {"ci_buildkit": (4, 4), "plan": (9, 20)}
