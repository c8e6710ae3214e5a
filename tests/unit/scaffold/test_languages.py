"""What is found of a project, by kind: one row a rule."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.unit.scaffold.trees import CMAKE, GO, GO_TREES, NODE_TREES, PYPROJECT, PYTHON_TREES, TREES, package, tree

from ci_buildkit.scaffold import languages
from ci_buildkit.scaffold.project import Kind, Program
from ci_buildkit.scaffold.tree import Tree


def facts(found: Tree, *wanted: Kind) -> Any:
    project = languages.project(found, *([wanted] if wanted else []))
    assert project is not None
    return project.facts


def notes(found: Tree) -> str:
    project = languages.project(found)
    assert project is not None
    return "\n".join(project.notes)


@pytest.mark.parametrize("name", TREES)
def test_the_kind(name: str) -> None:
    assert languages.kinds(TREES[name]) == [name.partition("-")[0]]


@pytest.mark.parametrize(
    ("files", "kinds"),
    [
        ({"go.mod": "", "package.json": "{}", "a.go": "", "b.go": "", "x.js": ""}, ["go", "node"]),
        ({"go.mod": "", "package.json": "{}", "a.go": "", "b.js": "", "x.js": ""}, ["node", "go"]),
        ({"pyproject.toml": "", "Cargo.toml": "", "a.py": "", "src/lib.rs": "", "src/b.rs": ""}, ["rust", "python"]),
        ({"Makefile": "", "main.go": ""}, []),
        ({"Makefile": "", "go.mod": "", "hack.py": ""}, ["go"]),
        ({"tool.py": ""}, ["python"]),
        ({"README.md": ""}, []),
        ({}, []),
    ],
)
def test_several_kinds(files: dict[str, str], kinds: list[str]) -> None:
    assert languages.kinds(tree(files)) == kinds


def test_a_script_in_a_folder_is_no_project() -> None:
    assert languages.kinds(tree({"tool.py": ""}), top=False) == []


def test_the_kinds_that_are_left_out_are_told() -> None:
    found = tree({"go.mod": "", "package.json": "{}", "a.go": ""})
    assert "node is here too and was left out: --kind node takes it instead" in notes(found)
    assert facts(found, "node").manager.name == "npm"


class TestGo:
    @pytest.mark.parametrize(
        ("files", "version"),
        [
            ({"go.mod": "module a\n\ngo 1.21\n"}, "1.26"),
            ({"go.mod": "module a\n\ngo 1.99.1\n"}, "1.99"),
            ({"go.mod": "module a\n\ngo 1.21\ntoolchain go1.98.2\n"}, "1.98"),
            ({"go.mod": "module a\n\ngo 1.21\n", ".go-version": "1.25.5\n"}, "1.25.5"),
            ({"go.mod": "garbage"}, "1.26"),
        ],
    )
    def test_version(self, files: dict[str, str], version: str) -> None:
        assert facts(tree(files)).version == version

    @pytest.mark.parametrize(
        ("text", "linter"),
        [("version: '2'\n", "v2.15.0"), ('version: "2"', "v2.15.0"), ("run:\n  go: '1'\n", "v1.64.8")],
    )
    def test_linter(self, text: str, linter: str) -> None:
        assert facts(tree({**GO, ".golangci.yml": text})).linter == linter

    def test_programs(self) -> None:
        files = {
            **GO, "cmd/b/b.go": "// Doc\npackage main\n", "cmd/c/c.go": "package c\n", "cmd/d/d_test.go": "package main\n",
            "gen.go": "//go:build ignore\n\npackage main\n", "cmd/a b/x.go": "package main\n",
        }  # fmt: skip
        assert facts(tree(files)).programs == (Program("b", "./cmd/b", "b"), Program("tool", ".", "tool"))

    def test_the_name_of_a_single_program(self) -> None:
        assert facts(tree({**GO, "go.mod": "module example.com/tool/v2\n"})).programs == (
            Program("tool", ".", "image"),
        )

    def test_a_program_that_is_called_as_a_stage(self) -> None:
        assert {one.name: one.stage for one in facts(GO_TREES["go-programs"]).programs} == {
            "a": "a",
            "image": "image-image",
        }

    @pytest.mark.parametrize(
        ("files", "downloads"),
        [
            ({"go.sum": "x"}, True),
            ({}, False),
            ({"go.sum": "x", "vendor/modules.txt": ""}, False),
            ({"go.sum": "x", "go.mod": "module a\nreplace b => ../b\n"}, False),
        ],
    )
    def test_when_modules_are_fetched_apart(self, files: dict[str, str], downloads: bool) -> None:
        assert facts(tree({**GO, **files})).downloads is downloads

    @pytest.mark.parametrize(
        ("text", "workspace"), [("use ./a\n", False), ("use ./a\nuse ./b\n", True), ("use (\n\t.\n\t./b\n)\n", True)]
    )
    def test_workspace(self, text: str, workspace: bool) -> None:
        assert facts(tree({**GO, "go.work": text})).workspace is workspace


class TestPython:
    @pytest.mark.parametrize(
        ("files", "version"),
        [
            ({}, "3.11"),
            ({".python-version": "3.12.4\n"}, "3.12.4"),
            ({".python-version": "pypy3.10\n"}, "3.11"),
            ({"pyproject.toml": "[project]\nrequires-python = '>=3.13'\n"}, "3.13"),
            ({"pyproject.toml": "[tool.poetry.dependencies]\npython = '^3.12'\n"}, "3.12"),
            ({"setup.cfg": "[options]\npython_requires = >=3.14\n"}, "3.14"),
            ({"setup.py": "setup(python_requires='<3.11')"}, "3.10"),
            ({"pyproject.toml": "not [ toml"}, "3.11"),
        ],
    )
    def test_version(self, files: dict[str, str], version: str) -> None:
        assert facts(tree({"requirements.txt": "", **files})).version == version

    @pytest.mark.parametrize(
        ("name", "said"),
        [
            ("python-uv", "uv.lock"),
            ("python-poetry", "poetry.lock"),
            ("python-pdm", "pdm.lock"),
            ("python-pipenv", "Pipfile.lock"),
            ("python-requirements", "requirements.txt, requirements-dev.txt"),
            ("python-unlocked", "pyproject.toml without a lock file"),
            ("python-setup", "packages without a lock file"),
            ("python-scripts", "no packages"),
        ],
    )
    def test_installer(self, name: str, said: str) -> None:
        assert facts(PYTHON_TREES[name]).installer.said == said

    def test_groups_and_extras_that_are_for_development(self) -> None:
        text = (
            PYPROJECT
            + "[project.optional-dependencies]\ntest = ['pytest']\nfast = []\n[dependency-groups]\nlint = []\ndev = []\n"
        )
        locked = facts(tree({"pyproject.toml": text}, "uv.lock")).installer
        assert locked.develop == "uv sync --locked --no-install-project --group lint --extra test"
        assert locked.produce == "uv sync --locked --no-install-project --no-dev"
        free = facts(tree({"pyproject.toml": text})).installer
        assert free.develop == "uv pip install --requirements pyproject.toml --extra test --group lint --group dev"

    def test_a_workspace_of_uv_needs_all_its_members(self) -> None:
        assert facts(tree({"pyproject.toml": PYPROJECT + "[tool.uv.workspace]\n"}, "uv.lock")).installer.files == ()

    def test_requirements_with_and_without_hashes_are_installed_apart(self) -> None:
        installer = facts(PYTHON_TREES["python-requirements"]).installer
        assert installer.develop.split(" && \\\n    ") == [
            "pip install --require-hashes --requirement requirements.txt",
            "pip install --requirement requirements-dev.txt",
        ]
        assert installer.produce == "pip install --require-hashes --requirement requirements.txt"

    def test_requirements_in_a_folder(self) -> None:
        names = ("base", "prod", "dev", "test", "docs")
        found = tree(
            {f"requirements/{name}.txt": "a\n" for name in names} | {"requirements.txt": "", "constraints.txt": ""}
        )
        installer = facts(found).installer
        assert installer.produce == (
            "pip install --requirement requirements.txt --requirement requirements/base.txt --requirement requirements/prod.txt"
        )
        assert "docs" not in installer.develop
        assert "constraints.txt" in installer.files

    @pytest.mark.parametrize(
        ("text", "bound"),
        [("-e .\n", False), ("./lib[x]\n", False), (".[dev]\n", False), ("a==1.2\n", True), ("-r ./b.txt\n", True)],
    )
    def test_requirements_that_are_folders_need_the_sources(self, text: str, bound: bool) -> None:
        found = tree({"requirements.txt": "a\n", "requirements-dev.txt": text})
        assert bool(facts(found).installer.files) is bound

    def test_a_requirements_file_that_no_mount_can_name_is_left_out(self) -> None:
        found = tree({"requirements.txt": "", "requirements dev,x.txt": ""})
        assert facts(found).installer.files == ("requirements.txt",)

    @pytest.mark.parametrize(
        ("files", "linters"),
        [
            ({}, ("ruff check .",)),
            ({"pyproject.toml": PYPROJECT + "[dependency-groups]\ndev = ['mypy>=1']\n[tool.mypy]\n"}, ("mypy .",)),
            (
                {"pyproject.toml": PYPROJECT + "[dependency-groups]\ndev = ['mypy']\n[tool.mypy]\nfiles=['a']\n"},
                ("mypy",),
            ),
            ({"requirements.txt": "flake8==7\nmypy-extensions\n"}, ("flake8",)),
            ({"requirements.txt": "mypy\n", "mypy.ini": "", "ruff.toml": ""}, ("ruff check .", "mypy .")),
            ({"pyproject.toml": PYPROJECT + "[tool.mypy]\n"}, ("ruff check .",)),
            ({"requirements.txt": "mypy\n", "setup.cfg": "[mypy]\nfiles = a\n"}, ("mypy",)),
            ({"requirements.txt": "mypy\n", "setup.cfg": "[[mypy"}, ("ruff check .",)),
        ],
    )
    def test_linters(self, files: dict[str, str], linters: tuple[str, ...]) -> None:
        assert facts(tree({"setup.py": "", **files})).linters == linters

    def test_tools_that_the_project_names_are_not_installed_again(self) -> None:
        found = facts(tree({"requirements-dev.txt": "pytest==9\nruff\npytest-cov\n", "requirements.txt": ""}))
        assert (found.ruff, found.pytest) == ("", "")
        found = facts(tree({"requirements-dev.txt": "pytest-cov\n", "requirements.txt": ""}))
        assert found.ruff
        assert found.pytest

    @pytest.mark.parametrize(
        ("files", "start"),
        [
            ({"pyproject.toml": PYPROJECT}, ("tool",)),
            ({"setup.cfg": "[options.entry_points]\nconsole_scripts =\n  run-it = a:b\n", "setup.py": ""}, ("run-it",)),
            ({"requirements.txt": "", "app/__main__.py": ""}, ("python", "-m", "app")),
            ({"requirements.txt": "", "src/app/__main__.py": ""}, ()),
            ({"setup.py": "", "src/app/__main__.py": ""}, ("python", "-m", "app")),
            ({"requirements.txt": "", "app.py": "", "other.py": ""}, ("python", "app.py")),
            ({"requirements.txt": "", "manage.py": ""}, ("python", "manage.py", "runserver", "0.0.0.0:8000")),
            (
                {"one.py": "if __name__ == '__main__':\n", "test_one.py": "if __name__ == '__main__':\n"},
                ("python", "one.py"),
            ),
            ({"one.py": "if __name__ == '__main__':\n", "two.py": "if __name__ == '__main__':\n"}, ()),
            ({"requirements.txt": ""}, ()),
            ({"pyproject.toml": PYPROJECT.replace("{tool =", "{'; rm -rf /' =")}, ()),
        ],
    )
    def test_start(self, files: dict[str, str], start: tuple[str, ...]) -> None:
        assert facts(tree(files)).start == start

    @pytest.mark.parametrize(
        ("files", "copied"),
        [
            ({"pyproject.toml": PYPROJECT}, False),
            ({"pyproject.toml": PYPROJECT.replace("scripts", "urls"), "src/tool/__main__.py": ""}, False),
            ({"pyproject.toml": PYPROJECT.replace("scripts", "urls"), "app.py": ""}, True),
            ({"requirements.txt": "", "app/__main__.py": ""}, True),
        ],
    )
    def test_what_is_no_part_of_the_wheel_is_copied(self, files: dict[str, str], copied: bool) -> None:
        assert facts(tree(files)).copied is copied

    def test_a_broken_pyproject_is_told(self) -> None:
        assert "pyproject.toml is no TOML" in notes(tree({"pyproject.toml": "[a"}))

    def test_what_is_left_out_is_told(self) -> None:
        said = notes(tree({"requirements.txt": ""}))
        assert "no test stage" in said
        assert "no binaries" in said
        assert "no stage for an image" in said


class TestNode:
    @pytest.mark.parametrize(
        ("files", "keys", "version"),
        [
            ({}, {}, "24"),
            ({".nvmrc": "v22.11.0\n"}, {}, "22.11.0"),
            ({".nvmrc": "lts/Jod\n"}, {}, "22"),
            ({".nvmrc": "lts/*\n"}, {}, "24"),
            ({".nvmrc": "system\n"}, {}, "24"),
            ({".node-version": "20"}, {}, "20"),
            ({}, {"engines": {"node": "^20 || ^22"}}, "22"),
            ({}, {"volta": {"node": "20.1.0"}}, "20.1.0"),
            ({}, {"engines": "nonsense", "volta": []}, "24"),
        ],
    )
    def test_version(self, files: dict[str, str], keys: dict[str, Any], version: str) -> None:
        assert facts(tree({"package.json": package(**keys), **files})).version == version

    @pytest.mark.parametrize(
        ("name", "manager", "package_", "version"),
        [
            ("node", "npm", "", ""),
            ("node-pnpm", "pnpm", "pnpm", "12.21.0"),
            ("node-yarn", "yarn", "@yarnpkg/cli-dist", "4.1.0"),
            ("node-yarn-1", "yarn", "yarn", "1.22.22"),
            ("node-bun", "bun", "bun", "1.4.5"),
        ],
    )
    def test_manager(self, name: str, manager: str, package_: str, version: str) -> None:
        found = facts(NODE_TREES[name]).manager
        assert (found.name, found.package, found.version) == (manager, package_, version)

    def test_a_yarn_that_is_in_the_repository(self) -> None:
        files = {"package.json": package(), ".yarnrc.yml": "yarnPath: .yarn/releases/yarn-3.6.4.cjs\n"}
        found = facts(tree(files, "yarn.lock")).manager
        assert found.version == "3.6.4"
        assert "YARN_IGNORE_PATH=1" in found.settings

    @pytest.mark.parametrize(
        ("text", "named", "version"),
        [
            ("lockfileVersion: '6.0'\n", "", "8.15.9"),
            ("lockfileVersion: '9.0'\n", "", "12.21.0"),
            ("lockfileVersion: '6.0'\n", "pnpm@8.1.0+sha512.abc", "8.1.0+sha512.abc"),
            ("", "pnpm@$(x)", "12.21.0"),
        ],
    )
    def test_pnpm_that_reads_the_lock_file(self, text: str, named: str, version: str) -> None:
        found = facts(tree({"package.json": package(packageManager=named), "pnpm-lock.yaml": text})).manager
        assert found.version.partition("+")[0] == version.partition("+")[0]

    @pytest.mark.parametrize(
        ("keys", "names", "command"),
        [
            ({"test": "node --test"}, (), "npm run test"),
            ({"test": "NODE_ENV=test mocha"}, (), "npm run test -- --reporter json --reporter-option output=/out/mocha.json"),
            ({"test": "tsc && jest --coverage"}, (), "npm run test -- --ci --json --outputFile=/out/jest.json"),
            ({"test": "vitest run"}, (), "npm run test -- --reporter=default --reporter=junit --outputFile.junit=/out/junit.xml"),
            ({"test": "cross-env A=1 vitest"}, (), "npm run test -- --run --reporter=default --reporter=junit --outputFile.junit=/out/junit.xml"),
            ({"test": "jest && echo done"}, (), "npm run test"),
            ({"test": 'echo "Error: no test specified" && exit 1'}, (), ""),
            ({"test": 'echo "Error: no test specified" && exit 1'}, ("a.test.js",), "node --test"),
            ({}, ("test/a.js",), "node --test"),
            ({}, (), ""),
        ],
    )  # fmt: skip
    def test_tests(self, keys: dict[str, str], names: tuple[str, ...], command: str) -> None:
        found = facts(tree({"package.json": package(scripts=keys), "package-lock.json": "{}"}, *names))
        assert found.test.rpartition('" \\\n      ')[2] == command

    def test_a_runner_that_is_not_known_may_print(self) -> None:
        found = NODE_TREES["node-unknown-runner"]
        assert facts(found).piped == "/out/test.tap"
        assert "the test runner is not known" in notes(found)

    @pytest.mark.parametrize(
        ("keys", "names", "linters"),
        [
            ({"scripts": {"lint": "eslint ."}}, (), ("npm run lint",)),
            ({"scripts": {"type-check": "tsc"}, "devDependencies": {"eslint": "9"}}, (), ("npx --no-install eslint .", "npm run type-check")),
            ({"devDependencies": {"@biomejs/biome": "2"}, "scripts": {"lint": "x"}}, ("biome.json",), ("npx --no-install biome ci --reporter=checkstyle .",)),
            ({"devDependencies": {"typescript": "5"}}, ("tsconfig.json",), ("npx --no-install tsc --noEmit",)),
            ({}, ("eslint.config.mjs",), ("eslint .",)),
        ],
    )  # fmt: skip
    def test_linters(self, keys: dict[str, Any], names: tuple[str, ...], linters: tuple[str, ...]) -> None:
        assert facts(tree({"package.json": package(**keys)}, *names)).linters == linters

    def test_without_a_linter_eslint_looks_for_what_is_wrong_anywhere(self) -> None:
        found = facts(tree({"package.json": package()}))
        assert found.eslint
        assert "no-unreachable: error" in found.linters[0]

    @pytest.mark.parametrize(
        ("keys", "names", "start"),
        [
            ({"scripts": {"start": "node server.js --port 80"}}, (), ("node", "server.js", "--port", "80")),
            ({"scripts": {"start": "NODE_ENV=x node server.js"}}, (), ("npm", "run", "start")),
            ({"scripts": {"start": "node a.js && node b.js"}}, (), ("npm", "run", "start")),
            ({"scripts": {"start": "next start"}, "dependencies": {"next": "1"}}, (), ("npm", "run", "start")),
            ({"scripts": {"start": "vite"}, "devDependencies": {"vite": "1"}}, (), ()),
            (
                {"scripts": {"start": "nodemon a.js"}, "devDependencies": {"nodemon": "1"}},
                ("app.js",),
                ("node", "app.js"),
            ),
            ({"scripts": {"start": "node 'a"}}, (), ("npm", "run", "start")),
            ({"bin": {"a": "./cli.js"}}, ("cli.js",), ("node", "cli.js")),
            ({"bin": "dist/cli.js", "scripts": {"build": "tsc"}}, (), ("node", "dist/cli.js")),
            ({"main": "gone.js"}, (), ()),
            ({}, ("server.js",), ("node", "server.js")),
            ({"workspaces": ["a"]}, ("server.js",), ()),
            ({"bin": ["nonsense"], "scripts": []}, (), ()),
        ],
    )
    def test_start(self, keys: dict[str, Any], names: tuple[str, ...], start: tuple[str, ...]) -> None:
        assert facts(tree({"package.json": package(**keys)}, *names)).start == start

    @pytest.mark.parametrize("text", ["", "[]", "{", '"x"', json.dumps({"scripts": {"test": 1}})])
    def test_a_strange_package_json(self, text: str) -> None:
        found = tree({"package.json": text})
        assert not facts(found).packs
        assert ("is no JSON object" in notes(found)) == (not text.startswith('{"'))


class TestRust:
    def test_programs(self) -> None:
        found = facts(TREES["rust-workspace"])
        assert [(one.name, one.source) for one in found.programs] == [("second", "tool"), ("tool", "tool")]

    @pytest.mark.parametrize(
        ("files", "version"),
        [
            ({}, "1"),
            ({"rust-toolchain": "1.80.1\n"}, "1.80.1"),
            ({"rust-toolchain.toml": "[toolchain]\nchannel = '1.85'\n"}, "1.85"),
            ({"rust-toolchain.toml": "[toolchain]\nchannel = 'nightly'\n"}, "1"),
            ({"rust-toolchain.toml": "toolchain = 3\n"}, "1"),
        ],
    )
    def test_version(self, files: dict[str, str], version: str) -> None:
        assert facts(tree({"Cargo.toml": "[package]\nname = 'a'\n", **files})).version == version

    def test_names_of_programs(self) -> None:
        text = "[package]\nname = 'a'\n[[bin]]\nname = 'b'\n[[bin]]\nname = '$(x)'\n"
        assert [one.name for one in facts(tree({"Cargo.toml": text, "src/main.rs": ""})).programs] == ["b"]

    def test_libraries_of_the_system_are_told(self) -> None:
        files = {"Cargo.toml": "[package]\nname = 'a'\n", "Cargo.lock": 'name = "openssl-sys"\n'}
        assert "openssl-sys" in notes(tree(files))

    @pytest.mark.parametrize(
        ("text", "tests"), [("#[test]\n", True), ("#[tokio::test]\n", True), ("fn a() {}\n", False)]
    )
    def test_tests(self, text: str, tests: bool) -> None:
        assert facts(tree({"Cargo.toml": "[package]\nname = 'a'\n", "src/lib.rs": text})).tests is tests


class TestJava:
    @pytest.mark.parametrize(
        ("files", "version"),
        [
            ({"pom.xml": "<maven.compiler.release>17</maven.compiler.release>"}, "17"),
            ({"pom.xml": "<java.version>1.8</java.version>"}, "8"),
            ({"pom.xml": "<java.version>${x}</java.version>"}, "21"),
            ({"pom.xml": "<release>19</release>"}, "21"),
            ({"pom.xml": "<release>30</release>"}, "30"),
            ({"pom.xml": "", ".java-version": "temurin-25.0.1\n"}, "25"),
            ({"build.gradle": "sourceCompatibility = '11'"}, "11"),
            ({"build.gradle": "sourceCompatibility = JavaVersion.VERSION_1_8"}, "8"),
            ({"build.gradle.kts": "kotlin { jvmToolchain(17) }"}, "17"),
        ],
    )
    def test_version(self, files: dict[str, str], version: str) -> None:
        assert facts(tree(files)).version == version

    def test_the_wrapper_is_taken(self) -> None:
        assert facts(TREES["java-maven-wrapper"]).image.startswith("eclipse-temurin:")
        assert facts(TREES["java-maven"]).image.startswith("maven:")

    def test_the_linters_of_a_pom(self) -> None:
        found = facts(tree({"pom.xml": "<artifactId>maven-checkstyle-plugin</artifactId> spotbugs-maven-plugin"}))
        assert found.linter == "checkstyle, spotbugs"
        assert found.lint.endswith(" checkstyle:check compile spotbugs:check")

    def test_the_artifact_is_not_the_parent_s(self) -> None:
        pom = "<parent><artifactId>parent</artifactId></parent><artifactId>own</artifactId><mainClass>A</mainClass>"
        assert facts(tree({"pom.xml": pom})).name == "own"


class TestCpp:
    def test_programs_that_are_no_tests(self) -> None:
        text = (
            CMAKE + "add_executable(unit_tests a.cpp)\nadd_executable(other IMPORTED)\nadd_executable( second b.cpp)\n"
        )
        assert [one.name for one in facts(tree({"CMakeLists.txt": text})).programs] == ["second", "tool"]

    def test_linter(self) -> None:
        assert facts(tree({"CMakeLists.txt": CMAKE}, ".clang-tidy")).lint.startswith("run-clang-tidy")
        assert facts(tree({"CMakeLists.txt": CMAKE})).lint.startswith("cppcheck")

    def test_tests(self) -> None:
        assert "--output-junit" in facts(tree({"CMakeLists.txt": CMAKE + "include(CTest)\n"})).test
        assert facts(tree({"CMakeLists.txt": CMAKE})).test == ""
