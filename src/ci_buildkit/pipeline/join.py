"""The records of several machines that ran one pipeline together, as the record of one run. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, fields
from datetime import datetime
from itertools import chain

from msgspec import Struct

from ci_buildkit.errors import OutputError, most_fundamental
from ci_buildkit.pipeline.legs import Leg
from ci_buildkit.pipeline.merge import Merged
from ci_buildkit.problem import Problem
from ci_buildkit.record import BuilderRecord, ImageRecord, InputsRecord, RunRecord, StageRecord, TestsRecord, outcome_of
from ci_buildkit.results.model import Totals


class Part(Struct, frozen=True):
    """What one machine left: its name, and the record of its run."""

    name: str
    record: RunRecord

    @property
    def began(self) -> float:
        """When it began, in seconds since 1970; 0 where the record does not tell."""
        try:
            return datetime.fromisoformat(self.record.started).timestamp()
        except ValueError:
            return 0.0


def record(
    parts: Sequence[Part], missing: Iterable[str] = (), problems: Sequence[tuple[int, Problem]] = ()
) -> RunRecord:
    """One record of all parts. `missing` are those that left none, `problems` what went wrong since, with exit codes.

    Stages that several machines have are told apart by the machine's name. Pushed by digest, an image is not pushed yet.
    """
    problems = [*problems, *((OutputError.exit_code, _missing(name)) for name in missing)]
    code = most_fundamental([*(part.record.exit_code for part in parts), *(code for code, _ in problems)])
    first = min(parts, key=lambda part: part.began)
    records = [part.record for part in parts]
    return RunRecord(
        outcome=outcome_of(code),
        exit_code=code,
        started=first.record.started,
        seconds=round(max(part.began + part.record.seconds for part in parts) - first.began, 3),
        version=first.record.version.model_copy(update={"dirty": any(one.version.dirty for one in records)}),
        builder=_builder([one.builder for one in records]),
        stages=tuple(_stages(parts, first.began)),
        tests=TestsRecord(
            totals=_totals([one.tests.totals for one in records]),
            failed=tuple(case for one in records for case in one.tests.failed),
        ),
        findings=tuple(dict.fromkeys(finding for one in records for finding in one.findings)),
        known_findings=max(one.known_findings for one in records),
        binaries=tuple(binary for one in records for binary in one.binaries),
        images=tuple(_images(image for one in records for image in one.images)),
        problems=tuple(dict.fromkeys(chain(*(one.problems for one in records), (problem for _, problem in problems)))),
        inputs=InputsRecord(
            contexts=first.record.inputs.contexts,
            dockerfiles=first.record.inputs.dockerfiles,
            builds=tuple(build for one in records for build in one.inputs.builds),
        ),
    )


def agree(parts: Sequence[Part]) -> None:
    """Raise OutputError where there are no parts, or they are of different versions or commits."""
    if not parts:
        raise OutputError("no machine left a report that can be read", hint="their logs say what became of them")
    first = parts[0]
    for part in parts:
        for what in ("value", "revision"):
            one, other = (getattr(each.record.version, what) for each in (first, part))
            if one != other:
                raise OutputError(
                    f"{first.name} built {one or 'no commit'}, {part.name} {other or 'no commit'}",
                    hint="join only what one workflow run made",
                )


def check_legs(parts: Sequence[Part], legs: Iterable[Leg]) -> None:
    """Raise OutputError where the legs are not exactly the images that the parts pushed: tags would lead to a part of one."""
    recorded = {(image.name, image.digest) for part in parts for image in part.record.images}
    left = {(leg.name, leg.digest) for leg in legs}
    for name, digest in sorted(recorded ^ left):
        which = "no machine left a leg of" if (name, digest) in recorded else "no machine's record knows"
        raise OutputError(f"{which} {name}@{digest}", hint="join only what one workflow run made, and all of it")


def stage_names(parts: Sequence[Part]) -> dict[tuple[str, str], str]:
    """What each stage of each part is called in the joined record, by the part's name and its own."""
    count = Counter(stage.name for part in parts for stage in part.record.stages)
    return {
        (part.name, stage.name): stage.name if count[stage.name] == 1 else f"{stage.name} ({part.name})"
        for part in parts
        for stage in part.record.stages
    }


def with_images(whole: RunRecord, merged: Iterable[Merged], *, signed: bool) -> RunRecord:
    """The record with the images as they are in the registry now, tags and all."""
    done = {image.name: image for image in merged}
    images = [
        image.model_copy(
            update={
                "tags": done[image.name].tags,
                "digest": done[image.name].digest,
                "platforms": done[image.name].platforms,
                "pushed": True,
                "signed": signed,
            }
        )
        if image.name in done
        else image
        for image in whole.images
    ]
    return whole.model_copy(update={"images": tuple(images)})


def _missing(name: str) -> Problem:
    return Problem(name, "missing", "the machine left no report, so nothing is known of its stages")


def _builder(builders: Sequence[BuilderRecord]) -> BuilderRecord:
    def words(values: Iterable[str]) -> str:
        return ", ".join(dict.fromkeys(values))

    return BuilderRecord(
        name=words(one.name for one in builders),
        driver=words(one.driver for one in builders),
        buildkit=words(one.buildkit for one in builders),
        buildx=words(one.buildx for one in builders),
        platforms=tuple(dict.fromkeys(platform for one in builders for platform in one.platforms)),
        created=all(one.created for one in builders),
    )


def _stages(parts: Sequence[Part], began: float) -> Iterator[StageRecord]:
    """All stages; their times and those of their steps count from the start of the first machine."""
    names = stage_names(parts)
    for part in parts:
        later = max(0.0, part.began - began)
        for stage in part.record.stages:
            timeline = tuple(
                step.model_copy(update={"started": round(step.started + later, 3)}) for step in stage.timeline
            )
            yield stage.model_copy(
                update={
                    "name": names[part.name, stage.name],
                    "started": round(stage.started + later, 3),
                    "timeline": timeline,
                }
            )


def _totals(totals: Sequence[Totals]) -> Totals:
    return Totals(**{one.name: sum(asdict(each)[one.name] for each in totals) for one in fields(Totals)})


def _images(images: Iterable[ImageRecord]) -> Iterator[ImageRecord]:
    """One image for each name; what is true of all its platforms is true of it."""
    named: dict[str, list[ImageRecord]] = {}
    for image in images:
        named.setdefault(image.name, []).append(image)
    for name, own in named.items():
        kinds = [set(image.attestations) for image in own]
        yield ImageRecord(
            name=name,
            tags=(),
            digest="",
            platforms=tuple(dict.fromkeys(platform for image in own for platform in image.platforms)),
            pushed=False,
            manifests=tuple(manifest for image in own for manifest in image.manifests),
            attestations=tuple(sorted(set.intersection(*kinds))),
            smoked=tuple(dict.fromkeys(platform for image in own for platform in image.smoked)),
        )
