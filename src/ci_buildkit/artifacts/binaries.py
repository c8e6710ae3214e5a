"""Exported binaries: gathered into packages, looked at, judged.

What is written depends on the files and the commit's time only, so two runs of one commit are byte-identical.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from ci_buildkit.artifacts import files, lists, machine, names, stamp
from ci_buildkit.artifacts.files import Taken
from ci_buildkit.artifacts.machine import Machine
from ci_buildkit.artifacts.package import Package
from ci_buildkit.artifacts.stamp import Carried, Stamp
from ci_buildkit.problem import Problem
from ci_buildkit.record import BinaryRecord


class Export(Struct, frozen=True):
    """What one target exported: a folder that BuildKit split by platform (`linux_arm64/...`).

    `stamp` is None where the build was given no version, or it is not to be compared.
    """

    target: str
    folder: Path
    platforms: tuple[str, ...]
    stamp: Stamp | None = None


class Seen(Struct, frozen=True):
    """A file of a package: its hash, and what its headers say."""

    package: Package
    path: Path
    sha256: str
    machine: Machine

    @property
    def stamp(self) -> Stamp | None:
        """What its build was given."""
        return self.package.stamps.get(self.path)


def gather(
    exports: Iterable[Export], dist: Path, archives: Mapping[names.Key, str], *, by_target: bool
) -> tuple[list[Package], list[Problem]]:
    """Move exported files into `dist`, a folder a platform, below one a target where each has archives of its own.

    `archives` are the names of `names.archives`. A platform without files is a problem. Raises OSError where the disk
    fails.
    """
    packages: dict[str, Package] = {}
    problems: list[Problem] = []
    for export in exports:
        for platform in dict.fromkeys(map(names.normal, export.platforms)):
            source = export.folder / names.folder(platform)
            where = (dist / export.target if by_target else dist) / names.folder(platform)
            taken = Taken(where, where.relative_to(dist.parent).as_posix())
            if source.is_dir():
                files.take(source, taken, windows=platform.startswith("windows/"))
            problems += taken.problems
            if not taken.paths and not taken.problems:
                problems.append(Problem(taken.shown, "missing", f"nothing was exported for {platform}"))
            archive = archives[export.target, platform]
            if taken.paths:
                new = Package(platform, export.target if by_target else "", where, dist / archive)
                package = packages.setdefault(archive, new)
                package.paths = sorted({*package.paths, *taken.paths})
                package.stamps |= dict.fromkeys(taken.paths, export.stamp) if export.stamp else {}
    return list(packages.values()), problems


def look(packages: Iterable[Package]) -> list[Seen]:
    """Every regular file of the packages. Raises OSError where one cannot be read."""
    return [
        Seen(package, path, lists.digest(path), machine.of(path))
        for package in packages
        for path in package.paths
        if not path.is_symlink()
    ]


def questions(seen: Iterable[Seen], native: Sequence[str]) -> list[Seen]:
    """The programs to ask for their version: those that were given one, do not tell it in their headers, and need
    nothing but one of the `native` platforms.
    """
    return [
        one
        for one in seen
        if one.stamp
        and one.package.platform in native
        and one.machine.format == "ELF"
        and one.machine.linkage == "static"
        and one.path.stat().st_mode & 0o100
        and not _written(one).sure
    ]


def judge(seen: Iterable[Seen], answers: Mapping[str, str], dist: Path) -> tuple[list[BinaryRecord], list[Problem]]:
    """A record for each file, and what is wrong with it. `answers` are what programs said of their version, by hash."""
    records: list[BinaryRecord] = []
    problems: list[Problem] = []
    for one in seen:
        path = one.path.relative_to(dist.parent).as_posix()
        carried = _carried(one, answers)
        if one.machine.damage:
            reason = f"begins as {one.machine.format} but cannot be read as such: {one.machine.damage}"
            problems.append(Problem(path, "unreadable", reason))
        elif wrong := machine.mismatch(one.machine, one.package.platform):
            problems.append(Problem(path, "mismatch", wrong))
        if carried.wrong:
            problems.append(Problem(path, "mismatch", carried.wrong))
        sbom = one.package.sbom
        records.append(
            BinaryRecord(
                platform=one.package.platform,
                path=path,
                size=one.path.stat().st_size,
                sha256=one.sha256,
                format=one.machine.format,
                archive=one.package.archive.relative_to(dist.parent).as_posix(),
                linkage=one.machine.linkage,
                stripped=one.machine.stripped,
                version=carried.version,
                sbom=sbom.relative_to(dist.parent).as_posix() if sbom else None,
            )
        )
    return records, problems


def _written(one: Seen) -> Carried:
    """The version that a file's headers tell."""
    return stamp.of_go(one.machine.build, one.stamp) if one.machine.build else Carried()


def _carried(one: Seen, answers: Mapping[str, str]) -> Carried:
    """The version that a file tells, in its headers or by itself; what is wrong in either is wrong."""
    written = _written(one)
    if one.stamp is None or one.sha256 not in answers or written.sure:
        return written
    said = stamp.of_answer(answers[one.sha256], one.stamp)
    return Carried(said.version or written.version, said.wrong or written.wrong)
