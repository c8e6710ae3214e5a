"""What the record says of an image: what a registry holds of it, or the folder that it was kept in."""

from __future__ import annotations

from ci_buildkit.engine.registry import Held
from ci_buildkit.pipeline import flaws
from ci_buildkit.pipeline.goal import State
from ci_buildkit.pipeline.session import Session
from ci_buildkit.pipeline.stage import StageRun
from ci_buildkit.record import ImageRecord, ManifestRecord


def released(session: Session, state: State) -> ImageRecord:
    """The record of an image that has a name, however far it has come."""
    image, approval = state.image, state.approval
    record = kept(session, state.goal.run, state.goal.name, state.goal.tags)
    if image is None:
        return record
    return record.model_copy(
        update={
            "tags": () if session.options.push_by_digest else record.tags,
            "digest": image.digest,
            "platforms": image.held.platforms,
            "pushed": state.done,
            "unchanged": state.unchanged,
            "signed": bool(approval and approval.signed),
            "smoked": approval.smoked if approval else (),
            **_holding(image.held),
        }
    )


def kept(session: Session, run: StageRun, name: str, tags: tuple[str, ...]) -> ImageRecord:
    """The record of an image that is in no registry."""
    digest = str(run.metadata.get("containerimage.digest", ""))
    record = ImageRecord(name=name, tags=tags, digest=digest, platforms=run.record.platforms, pushed=False)
    if run.kept is None:
        return record
    layout = session.exported(run.stage).relative_to(session.staging.report).as_posix()
    return record.model_copy(update={"digest": run.kept.digest, "layout": layout, **_holding(run.kept)})


def _holding(held: Held) -> dict[str, object]:
    manifests = tuple(ManifestRecord(platform=m.platform, digest=m.digest, size=m.size) for m in held.manifests)
    return {"manifests": manifests, "attestations": flaws.kinds(held)}
