"""What a Rust project is made of. Pure."""

from __future__ import annotations

import re

from msgspec import Struct

from ci_buildkit.scaffold import project
from ci_buildkit.scaffold.project import Program, Project
from ci_buildkit.scaffold.tables import table, toml
from ci_buildkit.scaffold.tree import Tree

MARKERS = ("Cargo.toml",)
RUST = "1"  # a newer compiler builds what an older one did
IGNORED = ("**/target",)
NAME = re.compile(r"[\w-]+")
_TEST = re.compile(r"#\[(?:\w+::)?test\b")


class Rust(Struct, frozen=True):
    """What the template needs. `locked` is `--locked` where there is a lock file."""

    version: str
    locked: str
    tests: bool
    programs: tuple[Program, ...]


def find(tree: Tree) -> Project:
    """The Rust project at the top of a tree, with the members of its workspace."""
    manifests = {file: toml(tree.texts.get(file, "")) for file in tree.matching("Cargo.toml", "*/Cargo.toml")}
    found = project.programs(_programs(tree, manifests))
    tests = any(_TEST.search(text) for file, text in tree.texts.items() if file.endswith(".rs"))
    facts = Rust(
        version=_version(tree),
        locked="--locked " if "Cargo.lock" in tree.files else "",
        tests=tests,
        programs=found,
    )
    said = [f"Rust {facts.version}", "clippy", *(["cargo test"] if tests else [])]
    said += [f"programs: {', '.join(one.name for one in found)}"] if found else []
    notes = [] if tests else ["no #[test] in src or tests: there is no test stage"]
    notes += [] if found else ["no program: there are no stages for binaries and an image"]
    notes += (
        [] if facts.locked or not found else ["no Cargo.lock: commit it, so that every build takes the same crates"]
    )
    if re.search(r'^name = "openssl-sys"', tree.text("Cargo.lock"), re.MULTILINE):
        notes.append("openssl-sys needs OpenSSL of each platform: rustls, or its feature `vendored`, saves you that")
    return Project("rust", facts, tuple(said), tuple(notes), IGNORED, crosses=bool(found), image=bool(found))


def _version(tree: Tree) -> str:
    """The tag of the image: the channel of rust-toolchain where it is a version."""
    text = tree.text("rust-toolchain.toml", "rust-toolchain")
    channel = table(toml(text), "toolchain").get("channel") or text.strip()
    found = re.fullmatch(r"\d+(?:\.\d+)*", str(channel))
    return found[0] if found else RUST


def _programs(tree: Tree, manifests: dict[str, dict[str, object]]) -> dict[str, str]:
    """Programs by name: [[bin]] tables, src/main.rs and src/bin, of every package."""
    found: dict[str, str] = {}
    for file, manifest in manifests.items():
        package, folder = table(manifest, "package").get("name"), file.removesuffix("Cargo.toml")
        if not isinstance(package, str) or not NAME.fullmatch(package):
            continue
        tables = manifest.get("bin")
        named = [one.get("name") for one in tables if isinstance(one, dict)] if isinstance(tables, list) else []
        if not named and f"{folder}src/main.rs" in tree.files:
            named = [package]
        sources = tree.matching(f"{folder}src/bin/*.rs")
        named += [
            source.rpartition("/")[2].removesuffix(".rs") for source in sources if not source.endswith("/main.rs")
        ]
        found.update({name: package for name in named if isinstance(name, str) and NAME.fullmatch(name)})
    return found
