"""An SPDX document beside each archive of binaries: by syft where it is on PATH, else by BuildKit's scanner."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ci_buildkit.artifacts import names, spdx
from ci_buildkit.artifacts.package import Package
from ci_buildkit.config.options import Options
from ci_buildkit.engine import syft
from ci_buildkit.engine.solve import LogFile, Watch, bake_command, solve
from ci_buildkit.errors import OutputError
from ci_buildkit.pipeline import judge
from ci_buildkit.pipeline.session import Session, safe_name
from ci_buildkit.pipeline.stage import StageRun
from ci_buildkit.plan import attestations, bake
from ci_buildkit.problem import Problem

ATTESTED = "sbom.spdx.json"  # what BuildKit's local exporter calls it (moby/buildkit, docs/attestations/sbom.md)
ANEW = frozenset({"no-cache", "no-cache-filter", "pull", "cache-to"})  # what would build once more, or write once more
AT_ONCE = 4  # syft processes, each of a second and a few hundred megabytes
NEXT = "put syft on PATH, or give BuildKit a scanner with --sbom generator=IMAGE"


def wanted(options: Options) -> bool:
    """Whether the options ask for SBOMs."""
    return attestations.asked(attestations.entries((), options)).get("sbom", False)


def write(session: Session, built: Sequence[StageRun], packages: Sequence[Package], epoch: int) -> list[Problem]:
    """Write the documents and enter them in their packages; a problem for each that cannot be made."""
    program = syft.installed(session.buildx.environment)
    attested = {} if program else {run.stage.name: _attested(session, run) for run in built}

    def one(package: Package) -> Problem | None:
        out = package.archive.with_name(package.archive.name + spdx.ENDING)
        try:
            texts = [_scanned(session, program, package)] if program else _found(attested, package)
            out.write_bytes(spdx.document(texts, package.archive.name, epoch))
        except (OutputError, ValueError) as error:
            return Problem(f"dist/{out.name}", "missing", f"there is no SBOM of {package.archive.name}: {error}")
        package.sbom = out
        return None

    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        return [problem for problem in pool.map(one, packages) if problem]


def _scanned(session: Session, program: str, package: Package) -> bytes:
    out = session.staging.work / (package.archive.name + spdx.ENDING)
    return syft.scan(
        program, package.folder, package.archive.name, out, session.buildx.environment, session.cancellation
    )


def _found(attested: Mapping[str, Path | str], package: Package) -> list[bytes]:
    """What BuildKit wrote about the parts of a package. Raises OutputError where it wrote nothing."""
    own = {name: where for name, where in attested.items() if package.target in {"", safe_name(name)}}
    if failed := next((where for where in own.values() if isinstance(where, str)), None):
        raise OutputError(failed, hint=NEXT)
    files = [where / names.folder(package.platform) / ATTESTED for where in own.values() if isinstance(where, Path)]
    texts = [file.read_bytes() for file in files if file.is_file()]
    if not texts:
        raise OutputError("syft is not on PATH, and BuildKit's scanner wrote nothing", hint=NEXT)
    return texts


def _attested(session: Session, run: StageRun) -> Path | str:
    """The folder of a target's files once more, now with the scanner's documents; or why there is none.

    A build of its own, which has every step but the scanner's in the cache: where the scanner fails, the binaries are
    there all the same.
    """
    name = run.stage.name
    work = session.staging.work / "sbom"
    work.mkdir(exist_ok=True)
    folder, file = work / safe_name(name), work / f"{safe_name(name)}.json"
    entry = next(one for one in attestations.entries((), session.options) if one["type"] == "sbom")
    cached = {
        of: {key: value for key, value in target.items() if key not in ANEW}
        for of, target in session.definitions.items()
    }
    target = cached[name] | {
        "attest": [{"type": "provenance", "disabled": "true"}, entry],
        "output": [{"type": "local", "dest": str(folder), "platform-split": "true"}],
    }
    file.write_text(json.dumps(bake.alone(cached, name, target)), encoding="utf-8")
    command = bake_command(session.buildx, session.builder.name, file, name)
    with session.log(name).open("a", encoding="utf-8", errors="replace") as out:
        log = LogFile(out)
        log.text("# the SBOM")
        watch = Watch(lambda _: None, lambda _: None)
        solved = solve(command, session.buildx, session.cancellation, log, watch, file.with_suffix(".metadata"))
    verdict = judge.build(solved.returncode, solved.progress, solved.text)
    if verdict.exit_code:
        return f"syft is not on PATH, and BuildKit's scanner failed: {verdict.reason}"
    return folder
