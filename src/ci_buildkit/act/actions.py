"""Where the actions and called workflows of a run come from: folders that stand for repositories, else act gets them."""

from __future__ import annotations

import contextlib
import re
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from subprocess import TimeoutExpired

from msgspec import Struct, field

import ci_buildkit
from ci_buildkit.act import choice, workflow, yamlnodes
from ci_buildkit.act.workflow import Use, Workflow
from ci_buildkit.checkout import git
from ci_buildkit.engine.process import Cancellation, answer
from ci_buildkit.errors import ConfigurationError, EngineError

REMOTE = re.compile(r"(?P<repository>[^/@.][^/@]*/[^/@]+)(?:/(?P<path>[^@]*))?@(?P<ref>.+)")
TOOLKIT = re.compile(r"[^/]+/ci-buildkit@(?P<ref>.+)")
COMMIT = re.compile(r"[0-9a-f]{40}")
CHECKOUT = "actions/checkout"
UPLOAD = re.compile(r"actions/upload-artifact@(?P<ref>\S+)(?:\s+#\s*v?(?P<said>\d+))?")
REFUSED = 7  # the first major version of actions/upload-artifact whose uploads act's server does not understand
FILES = ("action.yml", "action.yaml")
NOT_NEEDED = ("tests", "docs", "bench", "examples")  # folders of this project that no action looks into
GIT_SECONDS = 120.0


class Used(Struct, frozen=True):
    """What the steps of a run use: repositories that nobody here has, by who uses them, images, and what to tell."""

    missing: Mapping[str, str]
    images: tuple[str, ...]
    notes: tuple[str, ...]


class Repositories(Struct):
    """Folders by OWNER/REPO@REF. `given` are the user's own; `scratch` is a folder for copies of this run.

    A folder under Git is copied without what Git ignores, since act takes all that is there. `offline` also takes what
    an earlier act has fetched, so that act itself asks nobody.
    """

    given: Mapping[str, Path]
    scratch: Path
    environ: Mapping[str, str]
    cancellation: Cancellation
    offline: bool = False
    found: dict[str, Path | None] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def folder(self, name: str) -> Path | None:
        """The folder that stands for a repository; None where act has to get it. Raises EngineError, OSError."""
        if name not in self.found:
            self.found[name] = self._look(name)
        return self.found[name]

    @property
    def flags(self) -> list[str]:
        """How act is told of them."""
        return [f"--local-repository={name}={folder}" for name, folder in self.found.items() if folder]

    def workflow(self, uses: str, root: Path) -> tuple[Workflow, Path] | None:
        """The workflow that a job calls, and the top of its repository; `root` is that of the calling one.

        None where act has to get it. Raises ConfigurationError where it is not there or cannot be read.
        """
        remote = REMOTE.fullmatch(uses)
        top = self.folder(f"{remote['repository']}@{remote['ref']}") if remote else root
        if top is None:
            return None
        inside = (remote["path"] or "") if remote else uses.removeprefix("./")
        if not (top / inside).is_file():
            raise ConfigurationError(f"a job calls the workflow {uses}, which does not exist in {top}")
        return choice.load(top / inside, uses if remote else inside), top

    def _look(self, name: str) -> Path | None:
        if own := self.given.get(name):
            return self._copy(own, name)
        toolkit = TOOLKIT.fullmatch(name)
        if toolkit and (own := checkout()) and _stands_for(own, toolkit["ref"]):
            self.notes.append(f"{name} is this installation's own checkout, {own}")
            return self._copy(own, name, NOT_NEEDED)
        return self._cached(name) if self.offline else None

    def _copy(self, folder: Path, name: str, without: Iterable[str] = ()) -> Path:
        """What of a folder would be committed; the folder itself where it is no checkout of its own."""
        top = git.top(folder)
        if top is None or top.resolve() != folder.resolve():
            return folder.resolve()
        target = self.scratch / _file_name(name)
        for inside in git.files(folder, "*"):
            source = folder / inside
            if inside.partition("/")[0] not in without and (source.is_file() or source.is_symlink()):
                (target / inside).parent.mkdir(parents=True, exist_ok=True)
                with contextlib.suppress(FileNotFoundError):  # it went meanwhile
                    shutil.copy2(source, target / inside, follow_symlinks=False)
        return target

    def _cached(self, name: str) -> Path | None:
        """What an earlier act fetched (nektos/act pkg/runner/action_cache.go and step_action_remote.go)."""
        home = Path(self.environ.get("XDG_CACHE_HOME") or Path(self.environ.get("HOME", ""), ".cache"), "act")
        repository, _, ref = name.partition("@")
        clone = home / _file_name(name)
        if clone.is_dir():
            return clone
        bare = home / f"{_file_name(repository)}.git"
        target = self.scratch / _file_name(name)
        if bare.is_dir() and self._unpack(bare, f"refs/action-cache-offline/{ref}", target):
            return target
        return None

    def _unpack(self, bare: Path, ref: str, target: Path) -> bool:
        index = target.with_name(f"{target.name}.index")
        target.mkdir(parents=True, exist_ok=True)
        env = {**self.environ, "GIT_INDEX_FILE": str(index)}
        words = (["read-tree", ref], ["checkout-index", "--all", f"--prefix={target}/"])
        for part in words:
            command = ["git", f"--git-dir={bare}", f"--work-tree={target}", *part]
            try:
                done = answer(command, env=env, cancellation=self.cancellation, seconds=GIT_SECONDS)
            except (OSError, TimeoutExpired) as error:
                raise EngineError(f"act's copy of an action cannot be read with git: {error}") from error
            if done.returncode:
                return False
        return True


def checkout() -> Path | None:
    """The top of this project's checkout, where this installation runs from one."""
    top = Path(ci_buildkit.__file__).resolve().parents[2]
    return top if (top / "action.yml").is_file() and (top / "src" / "ci_buildkit").is_dir() else None


def _stands_for(top: Path, ref: str) -> bool:
    """Whether a checkout can stand for a ref: for any name, and for a commit only where it is that one."""
    return not COMMIT.fullmatch(ref) or git.revision(top) == ref


def _file_name(name: str) -> str:
    return re.sub(r'[<>:"/\\|?*]', "-", name)


def given(texts: Iterable[str]) -> dict[str, Path]:
    """The folders that `--use` names. Raises ConfigurationError."""
    found = {}
    for text in texts:
        name, equals, folder = text.partition("=")
        remote = REMOTE.fullmatch(name)
        if not equals or not remote or remote["path"]:
            raise ConfigurationError(f"--use {text!r}: it is not of the form OWNER/REPO@REF=DIR")
        if not folder or not Path(folder).is_dir():
            raise ConfigurationError(f"--use {text!r}: there is no folder {folder}")
        found[name] = Path(folder).resolve()
    return found


def look(workflows: Iterable[Workflow], uses: Iterable[Use], top: Path, repositories: Repositories) -> Used:
    """Go through all actions that steps use, and those that composite actions use in turn."""
    walk = _Walk(top, repositories)
    for one in workflows:
        walk.check_uploads(one.text, one.file)
    waiting = [(use, "a step") for use in uses]
    while waiting:
        use, by = waiting.pop(0)
        waiting.extend(walk.follow(use, by))
    return Used(walk.missing, tuple(dict.fromkeys(walk.images)), tuple(dict.fromkeys(walk.notes)))


class _Walk(Struct):
    top: Path
    repositories: Repositories
    seen: set[str] = field(default_factory=set)
    missing: dict[str, str] = field(default_factory=dict)
    images: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def follow(self, use: Use, by: str) -> list[tuple[Use, str]]:
        """The actions that an action uses; `by` says who uses it."""
        if use.name in self.seen or _is_own_checkout(use):
            return []
        self.seen.add(use.name)
        if use.name.startswith("docker://"):
            self.images.append(use.name.removeprefix("docker://"))
            return []
        folder = self._folder(use.name, by)
        file = next((folder / name for name in FILES if (folder / name).is_file()), None) if folder else None
        if file is None:
            return []
        text = file.read_text(encoding="utf-8", errors="replace")
        self.check_uploads(text, use.name)
        _, content = yamlnodes.read(text, f"{use.name} ({file.name})")
        runs = content.get("runs")
        runs = runs if isinstance(runs, dict) else {}
        image = str(runs.get("image", ""))
        if image.startswith("docker://"):
            self.images.append(image.removeprefix("docker://"))
        return [(inner, use.name) for inner in workflow.uses_of(runs.get("steps"))]

    def _folder(self, name: str, by: str) -> Path | None:
        if name.startswith("./"):  # also in an action of elsewhere: it means the job's own checkout
            return self.top / name
        remote = REMOTE.fullmatch(name)
        if remote is None:
            return None
        repository = f"{remote['repository']}@{remote['ref']}"
        folder = self.repositories.folder(repository)
        if folder is None:
            self.missing.setdefault(repository, by)
            return None
        return folder / (remote["path"] or "")

    def check_uploads(self, text: str, file: str) -> None:
        """Tell of uploads that act's server refuses: newer ones send a field that it does not know."""
        for found in UPLOAD.finditer(text):
            major = re.match(r"v?(\d+)", found["said"] or ("" if COMMIT.fullmatch(found["ref"]) else found["ref"]))
            mapped = f"actions/upload-artifact@{found['ref']}" in self.repositories.given
            if major and int(major[1]) >= REFUSED and not mapped:
                self.notes.append(
                    f"{file}: act's artifact server refuses actions/upload-artifact v{major[1]}; v4 to v6 work, or map it "
                    f"with --use actions/upload-artifact@{found['ref']}=DIR"
                )


def _is_own_checkout(use: Use) -> bool:
    """Whether act copies the working directory instead of running the action (`isLocalCheckout`)."""
    return use.name.partition("@")[0] == CHECKOUT and not {"repository", "ref"} & use.inputs.keys()
