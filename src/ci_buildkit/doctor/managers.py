"""Package managers and compilers that keep what they fetched or made, and where. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

from msgspec import Struct


class Cache(Struct, frozen=True):
    """A folder worth keeping between builds.

    `folder` is where it is for root; `moved` are variables that put it elsewhere, each with what comes behind their value.
    `holds_inputs` says that later steps read it, and would fetch it anew where it is not mounted again. `sharing` is how
    `--mount` shares it.
    """

    folder: str
    moved: tuple[tuple[str, str], ...] = ()
    holds_inputs: bool = False
    sharing: str = ""

    def mount(self, environment: Mapping[str, str], image: str) -> str:
        """The `--mount` for it, with the folder that the variables of a stage or its image say."""
        folder = next((home for word, usual, home in HOMES if word in image and usual == self.folder), self.folder)
        for name, rest in self.moved:
            if value := environment.get(name):
                folder = f"{value.rstrip('/')}{rest}"
                break
        return f"--mount=type=cache,target={folder}" + (f",sharing={self.sharing}" if self.sharing else "")


class Manager(Struct, frozen=True):
    """A program: which of its commands use which caches, and what switches a cache off or empties it.

    `off` is looked for in the command, `wipes` in the whole step, `switch` is a variable that switches it off. `known` are the
    images for which it is certain where the cache is; None for any image whose user is root.
    """

    name: str
    command: re.Pattern[str]
    caches: tuple[Cache, ...]
    off: str = r"(?!)"
    wipes: str = r"(?!)"
    switch: str = ""
    known: frozenset[str] | None = None
    is_certain: bool = True


GO_MODULES = Cache("/root/go/pkg/mod", (("GOMODCACHE", ""), ("GOPATH", "/pkg/mod")), holds_inputs=True)
GO_BUILD = Cache("/root/.cache/go-build", (("GOCACHE", ""),))
CARGO = Cache("/root/.cargo/registry", (("CARGO_HOME", "/registry"),), holds_inputs=True)
GRADLE = Cache("/root/.gradle", (("GRADLE_USER_HOME", ""),), holds_inputs=True)

# Where images with such a word in their name keep something else than root's home does.
HOMES: tuple[tuple[str, str, str], ...] = (
    ("golang", GO_MODULES.folder, "/go/pkg/mod"),
    ("rust", CARGO.folder, "/usr/local/cargo/registry"),
    ("cargo", CARGO.folder, "/usr/local/cargo/registry"),
    ("gradle", GRADLE.folder, "/home/gradle/.gradle"),
)
# Folders in which a project keeps what was fetched or compiled: who mounts them has thought of it.
OWN = frozenset({"node_modules", "target"})
_GO = r"(?:xx-)?go "
_APT = r"(?:apt-get|apt|aptitude) (?:-\S+ )*(?:install|upgrade|dist-upgrade|full-upgrade)\b"

MANAGERS: tuple[Manager, ...] = (
    Manager("go", re.compile(rf"{_GO}(?:mod (?:download|tidy|verify)|get)\b"), (GO_MODULES,), wipes=r"go clean\b"),
    Manager(
        "go",
        re.compile(rf"{_GO}(?:build|install|test|vet|run|generate|list)\b|gotestsum\b|golangci-lint run\b"),
        (GO_MODULES, GO_BUILD),
        wipes=r"go clean\b",
    ),
    Manager(
        "pip",
        re.compile(r"pip[\d.]* (?:-\S+ )*(?:install|wheel|download)\b"),
        (Cache("/root/.cache/pip", (("PIP_CACHE_DIR", ""),)),),
        off="--no-cache-dir",
        wipes=r"pip[\d.]* cache (?:purge|remove)|rm -\w+ [^&;|]*\.cache",
        switch="PIP_NO_CACHE_DIR",
    ),
    Manager(
        "uv",
        re.compile(r"uv (?:-\S+ )*(?:sync|pip (?:install|sync)|tool install|build)\b"),
        (Cache("/root/.cache/uv", (("UV_CACHE_DIR", ""),)),),
        off=r"--no-cache\b",
        wipes=r"uv cache|rm -\w+ [^&;|]*\.cache",
        switch="UV_NO_CACHE",
    ),
    Manager(
        "poetry",
        re.compile(r"poetry (?:-\S+ )*(?:install|sync|add)\b"),
        (Cache("/root/.cache/pypoetry", (("POETRY_CACHE_DIR", ""),)),),
        off=r"--no-cache\b",
        wipes=r"poetry cache|rm -\w+ [^&;|]*(?:\.cache|POETRY_CACHE_DIR)",
    ),
    Manager(
        "npm",
        re.compile(r"npm (?:-\S+ )*(?:ci|install|i|clean-install)\b"),
        (Cache("/root/.npm", (("NPM_CONFIG_CACHE", ""), ("npm_config_cache", ""))),),
        wipes=r"npm cache|rm -\w+ [^&;|]*\.npm",
    ),
    Manager(
        "yarn",
        re.compile(r"yarn(?: install\b| --(?!version)\S+| (?:workspaces focus|global add|add)\b|$)"),
        (Cache("/usr/local/share/.cache/yarn", (("YARN_CACHE_FOLDER", ""),)),),
        wipes=r"yarn cache|rm -\w+ [^&;|]*\.cache",
        is_certain=False,  # yarn 2 and later keep theirs elsewhere
    ),
    Manager(
        "pnpm",
        re.compile(r"pnpm (?:-\S+ )*(?:install|i|fetch|add|deploy)\b"),
        (Cache("/root/.local/share/pnpm/store", (("PNPM_HOME", "/store"),)),),
        wipes=r"pnpm store prune",
    ),
    Manager(
        "cargo",
        re.compile(
            r"(?:xx-)?cargo (?:\+\S+ )?(?:build|test|install|fetch|run|check|clippy|chef cook|nextest|auditable build)\b"
        ),
        (CARGO,),
        wipes=r"rm -\w+ [^&;|]*(?:\.?cargo|CARGO_HOME)",
        known=frozenset({"rust"}),
    ),
    Manager(
        "maven",
        re.compile(r"mvnw? "),
        (Cache("/root/.m2", holds_inputs=True),),
        off=r"-Dmaven\.repo\.local",
        wipes=r"rm -\w+ [^&;|]*\.m2",
    ),
    Manager(
        "gradle",
        re.compile(r"gradlew? "),
        (GRADLE,),
        off=r"--version\b|--project-cache-dir|(?:^| )-g ",
        wipes=r"rm -\w+ [^&;|]*\.gradle",
    ),
    Manager(
        "apt",
        re.compile(_APT),
        (Cache("/var/cache/apt", sharing="locked"), Cache("/var/lib/apt", sharing="locked")),
        wipes=r"rm -\w+ [^&;|]*/var/(?:lib|cache)/apt|apt(?:-get)? (?:-\S+ )*(?:auto)?clean\b",
        is_certain=False,  # Debian's images delete packages once they are installed (docker-clean)
    ),
    Manager(
        "apk",
        re.compile(r"apk (?:-\S+ )*(?:add|upgrade)\b"),
        (Cache("/etc/apk/cache", sharing="locked"),),
        off=r"--no-cache\b",
        wipes=r"rm -\w+ [^&;|]*/(?:var/cache|etc)/apk",
        is_certain=False,
    ),
    Manager(
        "dnf",
        re.compile(r"(?:micro)?dnf (?:-\S+ )*(?:install|upgrade|update|groupinstall)\b"),
        (Cache("/var/cache/dnf", sharing="locked"),),
        wipes=r"dnf (?:-\S+ )*clean\b|rm -\w+ [^&;|]*/var/cache",
        is_certain=False,  # packages are kept with keepcache=1 only
    ),
)
