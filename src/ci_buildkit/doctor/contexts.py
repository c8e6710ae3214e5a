"""What a Dockerfile takes out of its build context. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatch

from ci_buildkit.doctor.flaw import Flaw
from ci_buildkit.doctor.parsed import Instruction, Parsed
from ci_buildkit.report.advice import FETCHES

WHOLE = frozenset({".", "./", "/", "*", "./*", "/*"})
# Who asks Git for a version while it builds.
READS_GIT = re.compile(
    r"\bgit\s+(?:-\S+\s+)*(?:describe|rev-parse|log|show|diff|status|ls-files|submodule|rev-list|tag|worktree|fetch|checkout)"
    r"|setuptools[_-]scm|hatch-vcs|versioningit|dunamai|dynamic-versioning|versioneer|vcs_version|vergen|git-version|goreleaser"
    r"|\.git\b|gitversion|nerdbank|buildvcs",
    re.IGNORECASE,
)
GIT = re.compile(r"(?:git@|git://)|\.git(?:#|$)|^https?://github\.com/[^/]+/[^/]+?(?:\.git)?(?:#.*)?$")


def copies_whole(one: Instruction) -> bool:
    """Whether an instruction copies the whole context."""
    if one.keyword not in {"ADD", "COPY"} or one.values("--from") or "--parents" in one.flags:
        return False
    return any(word in WHOLE for word in one.words[:-1]) and not one.values("--exclude")


def binds_whole(one: Instruction) -> bool:
    """Whether a RUN mounts the whole context."""
    return one.keyword == "RUN" and any(
        fields.get("type", "bind").lower() == "bind"
        and not fields.get("from")
        and (fields.get("source") or fields.get("src") or ".") in WHOLE
        for fields in one.mounts
    )


def report_not_ignored(file: Parsed) -> Iterator[Flaw]:
    """The report folder in a context that is taken whole: the report of a run makes the next one start anew."""
    around = file.around
    if not around.report_dir or not around.ignore_file or around.ignore(f"{around.report_dir}/run.json"):
        return
    for one in file.instructions:
        if copies_whole(one) or binds_whole(one):
            yield Flaw(
                None,
                f"{file.path} takes the whole context (line {one.line}), and with it the report folder {around.report_dir}: "
                "each run would build everything behind that anew",
                f"{around.report_dir}/",
                safe=True,
                path=around.ignore_file,
            )
            return


def git_not_ignored(file: Parsed) -> Iterator[Flaw]:
    """`.git` in a context that is copied whole."""
    around = file.around
    if not around.ignore_file or ".git" not in around.files or around.ignore(".git/HEAD"):
        return
    if READS_GIT.search(around.settings) or any(
        READS_GIT.search(f"{one.text}\n{one.script}") for one in file.instructions
    ):
        return
    for one in file.instructions:
        if copies_whole(one):
            yield Flaw(
                None,
                f"{file.path} copies .git with the whole context (line {one.line}): each commit builds everything behind that "
                "anew, and the image holds the history",
                ".git",
                path=around.ignore_file,
            )
            return


def late_dependencies(file: Parsed) -> Iterator[Flaw]:
    """Dependencies that are fetched after the whole context was copied: any change fetches them again."""
    for section in file.sections:
        whole = next((one for one in section.body if copies_whole(one)), None)
        if whole is None:
            continue
        for one in section.body:
            needs = _needs(one) if one.line > whole.line else None
            if needs is None:
                continue
            names = _present(needs, file) or needs[:2]
            how = f"copy {' and '.join(names)} first, fetch, and copy the rest after that" if needs else "put it before"
            yield Flaw(
                one.line,
                f"this comes after the whole context is copied (line {whole.line}), so it runs again with any change: {how}",
            )
            break


def _needs(one: Instruction) -> tuple[str, ...] | None:
    return next((needs for command, needs in FETCHES if one.script and re.search(command, one.script)), None)


def _present(needs: tuple[str, ...], file: Parsed) -> tuple[str, ...]:
    return tuple(name for need in needs for name in sorted(file.around.files) if fnmatch(name, need))


def unchecked(file: Parsed) -> Iterator[Flaw]:
    """Files that ADD fetches without saying what they should be."""
    for one in file.instructions:
        if one.keyword != "ADD" or one.values("--checksum"):
            continue
        urls = [word for word in one.words[:-1] if word.startswith(("http://", "https://")) and not GIT.search(word)]
        if urls:
            yield Flaw(
                one.line,
                f"nobody checks what {urls[0]} brings; `ADD --checksum=sha256:...` refuses anything else",
            )
