"""What a Node.js project is made of. Pure."""

from __future__ import annotations

import re
import shlex

from msgspec import Struct

from ci_buildkit.scaffold.manager import Manager, manager, node_version
from ci_buildkit.scaffold.project import Project
from ci_buildkit.scaffold.tables import Table, parsed, strings
from ci_buildkit.scaffold.tree import Tree

MARKERS = ("package.json",)
# Preferred first: the versions with long-term support, the one in the middle of its time before the others.
NODES = ("24", "26", "22", "20", "18")
NAMES = {"*": "24", "krypton": "24", "jod": "22", "iron": "20", "hydrogen": "18"}
ESLINT = "10.15.0"
ESLINT_FILES = tuple(f"eslint.config.{end}" for end in ("js", "mjs", "cjs", "ts", "mts", "cts"))
# What is wrong in any program, whatever its globals and its style.
RULES = (
    "constructor-super", "for-direction", "getter-return", "no-const-assign", "no-dupe-args", "no-dupe-else-if",
    "no-dupe-keys", "no-self-assign", "no-unreachable", "no-unsafe-finally", "use-isnan", "valid-typeof",
)  # fmt: skip
# Scripts that an installation runs; at that time there are no sources.
INSTALLING = ("preinstall", "install", "postinstall", "prepare")
IGNORED = ("**/node_modules",)
_TESTS = ("*.test.?s", "*.test.??s", "*.spec.?s", "*.spec.??s", "test/*.?s", "test.?s", "*_test.?s")


class Node(Struct, frozen=True):
    """What the template needs.

    `eslint` is the version to install, "" where the project brings its linter. `test` is the command that leaves its
    report in /out, `piped` where it goes when the runner can only print; "" for both without tests. `deletes` are the
    scripts to take out of package.json while packages are installed. `builds` is the command of a build. `packs` says
    whether there is a name for a package, `unlisted` that package.json does not say what is in it. `start` are the words
    that start the program.
    """

    version: str
    manager: Manager
    workspaces: bool
    eslint: str
    linters: tuple[str, ...]
    test: str
    piped: str
    deletes: tuple[str, ...]
    builds: str
    packs: bool
    unlisted: bool
    start: tuple[str, ...]


def find(tree: Tree) -> Project:
    """The Node.js project at the top of a tree."""
    package = parsed(tree.text("package.json"))
    packages, scripts = _packages(package), strings(package, "scripts")
    tool = manager(tree, package)
    workspaces = bool(package.get("workspaces")) or "pnpm-workspace.yaml" in tree.files
    eslint, linters = _linters(tree, scripts, packages, tool)
    runner, test = _test(tree, scripts, packages, tool)
    start = () if workspaces else _start(tree, package, scripts)
    packs = not workspaces and isinstance(package.get("name"), str) and isinstance(package.get("version"), str)
    facts = Node(
        version=node_version(tree, package, NODES, NAMES),
        manager=tool,
        workspaces=workspaces,
        eslint=eslint,
        linters=linters,
        test=test,
        piped="" if runner else "/out/test.tap",
        deletes=tuple(name for name in INSTALLING if name in scripts),
        builds=tool.run("build") if "build" in scripts else "",
        packs=packs,
        unlisted="files" not in package and ".npmignore" not in tree.files,
        start=start if packs else (),
    )
    said = [f"Node.js {facts.version}", tool.name, *(_tool(one) for one in linters)]
    said += [runner or "npm test"] if test else []
    said += [f"starts with `{' '.join(facts.start)}`"] if facts.start else []
    return Project("node", facts, tuple(said), tuple(_notes(package, facts, runner)), IGNORED, image=bool(facts.start))


def _notes(package: Table, facts: Node, runner: str) -> list[str]:
    notes = []
    if not package:
        notes.append("package.json is no JSON object, so nothing of it was read")
    if not facts.test:
        notes.append("no test script and no *.test.js: there is no test stage")
    elif not runner:
        notes.append("the test runner is not known: let it print TAP, or write JUnit XML to /out/ in the stage test")
    if facts.workspaces:
        notes.append(
            "workspaces: there are no stages for binaries and an image, add them for the package that you ship"
        )
    elif not facts.packs:
        notes.append("package.json has no name and version: there are no stages for binaries and an image")
    elif not facts.start:
        notes.append("no start script, no bin and no main that the image could start: there is no stage for an image")
    if facts.manager.name == "npm" and len(facts.manager.files) == 1:
        notes.append("no lock file: `npm install` makes one, then let the Dockerfile use `npm ci`")
    return notes


def _packages(package: Table) -> dict[str, str]:
    """The packages that a project depends on, each with the range that it asks for."""
    return {**strings(package, "dependencies"), **strings(package, "devDependencies")}


def _tool(command: str) -> str:
    """The tool that a command runs, for people."""
    return next((word for word in ("biome", "eslint", "tsc") if word in command), command)


def _linters(
    tree: Tree, scripts: dict[str, str], packages: dict[str, str], tool: Manager
) -> tuple[str, tuple[str, ...]]:
    """The version of eslint to install, "" for none, and the commands of the lint stage."""
    checks = [tool.run(name) for name in ("typecheck", "type-check", "check-types") if name in scripts][:1]
    if "@biomejs/biome" in packages and tree.first("biome.json", "biome.jsonc"):
        # What biome prints for people has a finding on many lines.
        return "", (f"{tool.execute} biome ci --reporter=checkstyle .", *checks)
    if "lint" in scripts:
        return "", (tool.run("lint"), *checks)
    if "eslint" in packages:
        return "", (f"{tool.execute} eslint .", *checks)
    if "typescript" in packages and "tsconfig.json" in tree.files and not tree.matching("*.js", "*.mjs", "*.cjs"):
        return "", tuple(checks or [f"{tool.execute} tsc --noEmit"])
    if tree.first(*ESLINT_FILES):
        return ESLINT, ("eslint .", *checks)
    lines = [", ".join(f"{rule}: error" for rule in RULES[at : at + 4]) for at in range(0, len(RULES), 4)]
    rules = ", \\\n      ".join(lines)
    return ESLINT, (f"eslint --no-config-lookup --ignore-pattern dist --rule '{{ \\\n      {rules}}}' .", *checks)


def _test(tree: Tree, scripts: dict[str, str], packages: dict[str, str], tool: Manager) -> tuple[str, str]:
    """The test runner, "" where it is not known, and the command; two times "" where there are no tests."""
    script = "" if "no test specified" in scripts.get("test", "") else scripts.get("test", "")
    last = re.split(r"&&|;|\|\|", script)[-1].split()
    # What stands before the program: variables, and programs that start it.
    while last and (re.match(r"\w+=", last[0]) or last[0] in {"cross-env", "npx", "c8", "nyc", "yarn", "pnpm", "bunx"}):
        last = last[1:]
    runner = last[0] if last else ""
    if runner == "node" and "--test" in last:
        return "node --test", f"{_node_options()} {tool.run('test')}"
    if runner in {"vitest", "jest", "mocha"}:
        return runner, tool.run("test", *_flags(runner, last))
    if script:
        return "", tool.run("test")
    for runner in ("vitest", "jest", "mocha"):
        if runner in packages:
            return runner, " ".join((tool.execute, runner, *_flags(runner, [])))
    if tree.matching(*_TESTS):
        return "node --test", f"{_node_options()} node --test"
    return "", ""


def _flags(runner: str, words: list[str]) -> tuple[str, ...]:
    """What makes a test runner leave a report, and end when it is done."""
    if runner == "vitest":
        once = () if {"run", "--run"} & set(words) else ("--run",)
        return (*once, "--reporter=default", "--reporter=junit", "--outputFile.junit=/out/junit.xml")
    if runner == "jest":
        return ("--ci", "--json", "--outputFile=/out/jest.json")
    return ("--reporter", "json", "--reporter-option", "output=/out/mocha.json")


def _node_options() -> str:
    """In the environment, since a script may have arguments of its own behind which no option counts."""
    reporters = (("spec", "stdout"), ("junit", "/out/junit.xml"))
    options = " ".join(f"--test-reporter={name} --test-reporter-destination={to}" for name, to in reporters)
    return f'NODE_OPTIONS="{options}" \\\n     '


def _start(tree: Tree, package: Table, scripts: dict[str, str]) -> tuple[str, ...]:
    """How the program starts: the script `start`, a `bin`, `main`, or a file with a usual name."""
    if words := _of_script(scripts.get("start", ""), strings(package, "devDependencies")):
        return words
    program = package.get("bin")
    if isinstance(program, dict):
        program = next(iter(program.values()), None)
    for file in (program, package.get("main")):
        if isinstance(file, str) and (tree.first(file.removeprefix("./")) or "build" in scripts):
            return ("node", file.removeprefix("./"))
    usual = tree.first("server.js", "app.js", "index.js", "main.js", "server.mjs", "index.mjs")
    return ("node", usual) if usual else ()


def _of_script(script: str, development: dict[str, str]) -> tuple[str, ...]:
    """A script as words where it only starts node, else through npm; none where it needs what only development has."""
    try:
        words = shlex.split(script)
    except ValueError:
        words = []
    if not script:
        return ()
    if words and words[0] == "node" and not re.search(r"[&|;<>$`*]", script):
        return tuple(words)
    program = words[0] if words else ""
    # A program may have another name than its package: react-scripts has its own, `ng` is @angular/cli's.
    return () if program in {*development, "ng", "tsc", "react-scripts", "vite"} else ("npm", "run", "start")
