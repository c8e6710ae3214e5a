"""Repositories in memory, one for each thing that a template decides by."""

from __future__ import annotations

import json

from ci_buildkit.scaffold.tree import Tree

LOCK = json.dumps({"lockfileVersion": 3, "packages": {}})


def tree(files: dict[str, str] | None = None, *names: str) -> Tree:
    """A tree of files with their text, and of others that nobody reads."""
    texts = files or {}
    return Tree(frozenset({*texts, *names}), texts)


def package(**keys: object) -> str:
    """A package.json."""
    return json.dumps({"name": "tool", "version": "1.0.0", **keys})


GO = {"go.mod": "module example.com/tool\n\ngo 1.24\n", "main.go": "package main\n"}
PYPROJECT = '[build-system]\nrequires = ["hatchling"]\n[project]\nname = "tool"\nscripts = {tool = "tool:main"}\n'
CARGO = '[package]\nname = "tool"\nversion = "1.0.0"\n'
POM = "<project><artifactId>tool</artifactId>%s</project>"
CMAKE = "project(tool CXX)\nadd_executable(tool main.cpp)\n"

GO_TREES = {
    "go": tree(GO, "main_test.go"),
    "go-modules": tree({**GO, "go.sum": "x\n"}, "a/a_test.go"),
    "go-library": tree({"go.mod": "module example.com/tool\n"}),
    "go-programs": tree(
        {"go.mod": GO["go.mod"], "cmd/a/main.go": "package main\n", "cmd/image/main.go": "package main\n"}, "x_test.go"
    ),
    "go-workspace": tree(
        {"go.work": "go 1.24\nuse (\n\t./a\n\t./b\n)\n", "a/go.mod": "", "b/go.mod": ""}, "a/a_test.go"
    ),
    "go-old-linter": tree({**GO, ".golangci.yml": "linters:\n  enable: [gosec]\n"}),
}
PYTHON_TREES = {
    "python-uv": tree({"pyproject.toml": PYPROJECT}, "uv.lock", "tests/test_a.py"),
    "python-unlocked": tree(
        {"pyproject.toml": PYPROJECT + "[dependency-groups]\ndev = ['ruff', 'pytest', 'mypy']\n[tool.mypy]\n"}
    ),
    "python-git-version": tree({"pyproject.toml": PYPROJECT.replace("hatchling", "hatch-vcs")}, "test_a.py"),
    "python-poetry": tree({"pyproject.toml": PYPROJECT}, "poetry.lock"),
    "python-pdm": tree({"pyproject.toml": PYPROJECT}, "pdm.lock", "tests/test_a.py"),
    "python-pipenv": tree({"Pipfile": ""}, "Pipfile.lock", "app.py", "test_a.py"),
    "python-requirements": tree(
        {"requirements.txt": "click==8 --hash=sha256:x\n", "requirements-dev.txt": "pytest\npylint\n"},
        "main.py",
        "test_a.py",
    ),
    "python-setup": tree(
        {"setup.py": "setup(entry_points={'console_scripts': ['tool = tool:main']})"}, "tests/test_a.py"
    ),
    "python-scripts": tree({"one.py": 'if __name__ == "__main__":\n    pass\n'}),
}
NODE_TREES = {
    "node": tree({"package.json": package(bin="main.js"), "package-lock.json": LOCK}, "main.js", "main.test.js"),
    "node-unlocked": tree({"package.json": package()}),
    "node-prepare": tree(
        {
            "package.json": package(scripts={"prepare": "husky", "start": "node a.js --port 1"}),
            "package-lock.json": LOCK,
        }
    ),
    "node-build": tree(
        {
            "package.json": package(main="dist/a.js", scripts={"build": "tsc", "test": "tsc && jest"}),
            "package-lock.json": LOCK,
        },
    ),
    "node-pnpm": tree(
        {"package.json": package(scripts={"test": "vitest", "lint": "eslint .", "typecheck": "tsc"})}, "pnpm-lock.yaml"
    ),
    "node-yarn": tree(
        {"package.json": package(packageManager="yarn@4.1.0", scripts={"test": "mocha"})}, "yarn.lock", ".yarnrc.yml"
    ),
    "node-yarn-1": tree({"package.json": package(scripts={"start": "next start"})}, "yarn.lock"),
    "node-bun": tree(
        {"package.json": package(devDependencies={"@biomejs/biome": "2", "jest": "30"})}, "bun.lock", "biome.json"
    ),
    "node-workspaces": tree(
        {"package.json": package(workspaces=["a"]), "package-lock.json": LOCK}, "a/package.json", "a.test.js"
    ),
    "node-unknown-runner": tree(
        {"package.json": package(scripts={"test": "tape test/*.js"}), "package-lock.json": LOCK}
    ),
}
OTHER_TREES = {
    "rust": tree({"Cargo.toml": CARGO, "src/main.rs": "#[test]\nfn a() {}\n"}, "Cargo.lock"),
    "rust-workspace": tree(
        {"Cargo.toml": "[workspace]\n", "a/Cargo.toml": CARGO, "a/src/main.rs": "", "b/Cargo.toml": CARGO.replace("tool", "b")},
        "a/src/bin/second.rs",
    ),
    "java-maven": tree({"pom.xml": POM % "<mainClass>A</mainClass>${revision}"}, "src/test/java/A.java"),
    "java-maven-wrapper": tree({"pom.xml": POM % "<modules>"}, "mvnw", ".mvn/wrapper/maven-wrapper.properties"),
    "java-gradle": tree(
        {"build.gradle.kts": 'plugins { application }\njava { toolchain { languageVersion = JavaLanguageVersion.of(17) } }',
         "settings.gradle.kts": 'rootProject.name = "tool"'}, "src/test/java/A.java", "gradlew",
    ),
    "java-spring": tree(
        {"build.gradle": "plugins { id 'org.springframework.boot' }", "settings.gradle": "rootProject.name = 'tool'"}
    ),
    "cpp-cmake": tree({"CMakeLists.txt": CMAKE + "enable_testing()\n"}, "main.cpp", ".clang-tidy"),
    "cpp-cmake-install": tree({"CMakeLists.txt": CMAKE + "add_executable(two b.cpp)\ninstall(TARGETS tool)\n"}, "main.cpp"),
    "cpp-meson": tree({"meson.build": "executable('tool', 'main.c')\ntest('a', x)\n"}, "main.c"),
    "cpp-make": tree({"Makefile": "PROGRAM = tool\n"}, "main.c"),
}  # fmt: skip
TREES = {**GO_TREES, **PYTHON_TREES, **NODE_TREES, **OTHER_TREES}
