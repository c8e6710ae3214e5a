"""From act's names of jobs to the plan, and to the names that people know. Pure.

act's name is WORKFLOW/JOB, or CALLER/WORKFLOW/JOB for a job of a called workflow, with the leg's number behind JOB and CALLER
(nektos/act pkg/runner/run_context.go, `String`); the plan gave each JOB and CALLER a marker with its place.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec import Struct

from ci_buildkit.act import matrix
from ci_buildkit.act.matrix import EXPRESSION, Leg
from ci_buildkit.act.plan import Plan, Planned


class Place(Struct, frozen=True):
    """Where a job of act's log is in the plan: the number, its leg and that of its caller, and of an unplanned job its name."""

    number: int
    name: str
    leg: str = ""
    caller: str = ""
    stray: str = ""


class Names:
    """From act's names of jobs to the plan and to what people call them."""

    def __init__(self, plan: Plan) -> None:
        """Names of this plan."""
        self._plan = plan
        self._marker = re.compile(rf" {re.escape(plan.token)}\.(\d+)(?:-(\d+))?(?=/|$)")

    def place(self, act_name: str) -> Place | None:
        """The place of a job; None where act made it of something that is not in the plan."""
        markers = list(self._marker.finditer(act_name))
        if not markers:
            return None
        last = markers[-1]
        number = int(last[1])
        if number >= len(self._plan.jobs):
            return None
        if stray := act_name[last.end() :]:
            return Place(number, "", caller=last[2] or "", stray=stray.lstrip("/"))
        before = markers[-2].end() + 1 if len(markers) > 1 else 0
        title = self._plan.jobs[number].workflow
        name = act_name[before : last.start()].removeprefix(f"{title}/")
        return Place(number, name, last[2] or "", markers[-2][2] or "" if len(markers) > 1 else "")

    def shown(self, act_name: str, leg: Leg) -> str:
        """The job's name as GitHub shows it: its callers' names before it, its leg behind it."""
        place = self.place(act_name)
        if place is None:
            return act_name
        planned = self._plan.jobs[place.number]
        if place.stray:
            return f"{self._called(planned, place.caller)} / {place.stray}{matrix.label(leg)}"
        own = place.name + ("" if EXPRESSION in planned.job.name else matrix.label(leg, order(planned)))
        return self.below(planned, own, place.caller)

    def below(self, planned: Planned, own: str, caller: str = "") -> str:
        """A job's own name behind those of its callers."""
        if planned.parent is None:
            return own
        return f"{self._called(self._plan.jobs[planned.parent], caller)} / {own}"

    def _called(self, planned: Planned, leg: str) -> str:
        """A calling job's name, with its leg by its number where it has several."""
        legs = planned.legs or ()
        number = int(leg or "1") - 1
        label = matrix.label(legs[number], order(planned)) if number < len(legs) else f" ({leg})" if leg else ""
        return self.below(planned, planned.job.name + label)


def order(planned: Planned) -> Sequence[str]:
    """The keys of the job's matrix as they are written."""
    return tuple(dict.fromkeys(key for leg in planned.legs or () for key in leg))
