"""The legs of a job's matrix. Pure.

Rules: GitHub, "Workflow syntax", `jobs.<job_id>.strategy.matrix`, and nektos/act pkg/model/workflow.go (`GetMatrixes`).
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from ci_buildkit import jsontext

Leg = Mapping[str, Any]
EXPRESSION = "${{"


def legs(matrix: object) -> tuple[Leg, ...] | None:
    """The legs in the order in which they are counted; None where an expression is in their place.

    None at all for lists without values, and where all are excluded.
    """
    if not matrix:
        return ({},)
    lists = isinstance(matrix, dict) and all(isinstance(values, list) for values in matrix.values())
    if not isinstance(matrix, dict) or not lists or EXPRESSION in str(matrix):
        return None
    axes = {str(key): values for key, values in matrix.items() if key not in {"include", "exclude"}}
    products = [dict(zip(axes, values, strict=True)) for values in itertools.product(*axes.values())] if axes else []
    excluded = [item for item in matrix.get("exclude", ()) if isinstance(item, dict)]
    kept = [leg for leg in products if not any(_matches(leg, item, item) for item in excluded)]
    added = []
    for item in matrix.get("include", ()):
        if not isinstance(item, dict):  # which act refuses
            continue
        fitting = [leg for leg in kept if axes and _matches(leg, item, axes)]
        for leg in fitting:
            leg.update(item)
        if not fitting:
            added.append(dict(item))
    return tuple(kept + added)


def _matches(leg: Leg, item: Leg, keys: Mapping[str, Any]) -> bool:
    """Whether a leg has the item's values for all of these keys that the item has."""
    return all(leg.get(key) == value for key, value in item.items() if key in keys)


def shown(value: object) -> str:
    """A value of a matrix as GitHub writes it into a text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return jsontext.dumps(value).decode() if isinstance(value, dict | list) else str(value)


def same(one: Leg, other: Leg) -> bool:
    """Whether two legs have the same values, written as text: act's log has 1 where the file has 1.0."""
    return {key: shown(value) for key, value in one.items()} == {key: shown(value) for key, value in other.items()}


def label(leg: Leg, order: Sequence[str] = ()) -> str:
    """What stands behind a job's name for a leg: ` (1.21, linux)`; "" for the only one."""
    keys = [key for key in order if key in leg] or sorted(leg)
    values = [shown(leg[key]) for key in keys]
    return f" ({', '.join(values)})" if values else ""
