"""How the packages that a Node.js project needs are installed, and how its commands are run. Pure."""

from __future__ import annotations

import re

from msgspec import Struct

from ci_buildkit.scaffold import ranges
from ci_buildkit.scaffold.tables import Table, strings
from ci_buildkit.scaffold.tree import Tree

# Newest versions of the managers where package.json's `packageManager` names none; npm comes with Node.js.
VERSIONS = {"pnpm": "12.21.0", "yarn": "4.18.1", "yarn-classic": "1.22.22", "bun": "1.4.5"}
# The last version that reads an older form of the lock file.
_PNPM_OF_LOCK = {"5": "7.33.7", "6": "8.15.9"}
PNPM_STORE = "/root/.local/share/pnpm/store"
YARN_CACHE = "/usr/local/share/.cache/yarn"  # where the first yarn has it by itself
_NAMED = re.compile(r"(npm|pnpm|yarn|bun)@(\d+\.\d+\.\d+[\w.-]*)")


class Manager(Struct, frozen=True):
    """The commands of one package manager.

    `package` is what npm installs to have it, "" for npm. `cache` is the target of a cache mount, `files` are what is read to
    install. `develop` installs all packages, `produce` those that the program needs. `execute` comes before a package's
    program, `script` before the name of a script in package.json and `arguments` before what is given on to it. `settings`
    are variables for all of it.
    """

    name: str
    package: str
    version: str
    cache: str
    files: tuple[str, ...]
    develop: str
    produce: str
    execute: str
    script: str
    arguments: str = ""
    settings: tuple[str, ...] = ()

    def run(self, script: str, *flags: str) -> str:
        """The command that runs a script of package.json, with flags added to its end."""
        words = (self.script, script, *((self.arguments, *flags) if flags else ()))
        return " ".join(filter(None, words))


def manager(tree: Tree, package: Table) -> Manager:
    """The package manager of a project: by its lock file, else by `packageManager`."""
    named = _NAMED.match(str(package.get("packageManager", "")))
    name, version = (named[1], named[2]) if named else ("", "")
    config = tree.at_top(".npmrc", ".yarnrc.yml", ".yarnrc", ".pnpmfile.cjs", "pnpm-workspace.yaml", "bunfig.toml")
    if lock := tree.first("pnpm-lock.yaml"):
        return _pnpm(version if name == "pnpm" else _PNPM_OF_LOCK.get(_lock_version(tree.text(lock)), ""), lock, config)
    if lock := tree.first("bun.lock", "bun.lockb"):
        return _bun(version if name == "bun" else "", lock, config)
    if lock := tree.first("yarn.lock"):
        modern = bool(tree.first(".yarnrc.yml")) or (name == "yarn" and not version.startswith("1."))
        brought = re.search(r"^yarnPath:.*yarn-(\d+\.\d+\.\d+)", tree.text(".yarnrc.yml"), re.MULTILINE)
        version = version if name == "yarn" else brought[1] if brought else ""
        return _yarn(version, lock, config, modern=modern)
    return _npm(tree.first("package-lock.json", "npm-shrinkwrap.json"), config)


def _lock_version(text: str) -> str:
    """The major version of pnpm's lock file, "" where it tells none."""
    found = re.search(r"^lockfileVersion: '?(\d+)", text, re.MULTILINE)
    return found[1] if found else ""


def _npm(lock: str, config: tuple[str, ...]) -> Manager:
    install = f"npm {'ci' if lock else 'install --no-package-lock'} --no-audit --no-fund"
    return Manager(
        name="npm",
        package="",
        version="",
        cache="/root/.npm",
        files=("package.json", *filter(None, [lock]), *config),
        develop=install,
        produce=f"{install} --omit=dev",
        execute="npx --no-install",
        script="npm run",
        arguments="--",
    )


def _pnpm(version: str, lock: str, config: tuple[str, ...]) -> Manager:
    install = f"pnpm install --frozen-lockfile --store-dir {PNPM_STORE}"
    return Manager(
        name="pnpm",
        package="pnpm",
        version=version or VERSIONS["pnpm"],
        cache=PNPM_STORE,
        files=("package.json", lock, *config),
        develop=install,
        produce=f"{install} --prod",
        execute="pnpm exec",
        script="pnpm run",
    )


def _yarn(version: str, lock: str, config: tuple[str, ...], *, modern: bool) -> Manager:
    files = ("package.json", lock, *config)
    if not modern:
        install = "yarn install --frozen-lockfile"
        return Manager(
            name="yarn",
            package="yarn",
            version=version or VERSIONS["yarn-classic"],
            cache=f"{YARN_CACHE},sharing=locked",  # two of them at once damage it
            files=files,
            develop=install,
            produce=f"{install} --production",
            execute="yarn run",
            script="yarn run",
        )
    return Manager(
        name="yarn",
        package="@yarnpkg/cli-dist",
        version=version or VERSIONS["yarn"],
        cache=YARN_CACHE,
        files=files,
        develop="yarn install --immutable",
        produce="yarn workspaces focus --production",
        execute="yarn exec",
        # Without node_modules (Plug'n'Play) there would be nothing to hand on to the other stages, and a yarn that is in
        # the repository is not there yet when packages are installed.
        settings=(
            "YARN_NODE_LINKER=node-modules",
            "YARN_IGNORE_PATH=1",
            "YARN_ENABLE_GLOBAL_CACHE=false",
            f"YARN_CACHE_FOLDER={YARN_CACHE}",
        ),
        script="yarn run",
    )


def _bun(version: str, lock: str, config: tuple[str, ...]) -> Manager:
    return Manager(
        name="bun",
        package="bun",
        version=version or VERSIONS["bun"],
        cache="/root/.bun/install/cache",
        files=("package.json", lock, *config),
        develop="bun install --frozen-lockfile",
        produce="bun install --frozen-lockfile --production",
        execute="bunx",
        script="bun run",
    )


def node_version(tree: Tree, package: Table, candidates: tuple[str, ...], names: dict[str, str]) -> str:
    """The tag of the Node.js image: a version that a file names, else the first candidate that `engines` allows."""
    line = tree.line(".nvmrc", ".node-version").lower()
    if named := ranges.exact(line) or names.get(line.removeprefix("lts/")):
        return named
    if named := ranges.exact(strings(package, "volta").get("node", "")):
        return named
    return ranges.choose(strings(package, "engines").get("node", ""), candidates) or candidates[0]
