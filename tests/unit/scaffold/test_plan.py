from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from tests.unit.scaffold.trees import GO, LOCK, PYPROJECT, TREES, package, tree

from ci_buildkit.config.sources import load
from ci_buildkit.errors import ConfigurationError
from ci_buildkit.scaffold import starter
from ci_buildkit.scaffold.look import Look
from ci_buildkit.scaffold.plan import File, Plan, plan
from ci_buildkit.scaffold.tree import Tree
from ci_buildkit.scaffold.workflow import Wish

ROOT = Path(__file__).parents[3]
GITHUB: dict[str, Any] = {"host": "github.com", "path": "Acme/Shop"}
DOCKERFILE = 'FROM alpine AS eslint\nRUN true\nFROM alpine AS test\nRUN true\nFROM alpine\nCMD ["x"]\n'
MONO = tree(
    {"api/go.mod": GO["go.mod"], "api/main.go": GO["main.go"], "web/package.json": package(main="a.js"), "web/a.js": ""}
)


def planned(files: Tree, wish: Wish | None = None, **look: Any) -> Plan:
    return plan(Look(tree=files, **look), wish or Wish())


def contents(found: Plan) -> dict[str, str]:
    return {file.path: file.content for file in found.files}


def settings(found: Plan, path: str = "ci-buildkit.yml") -> dict[str, Any]:
    return yaml.safe_load(contents(found)[path]) or {}


def job(found: Plan) -> dict[str, Any]:
    workflow = yaml.safe_load(contents(found)[".github/workflows/ci.yml"])
    [one] = workflow["jobs"].values()
    return dict(one)


def test_files_of_a_project() -> None:
    found = planned(tree(GO, "main_test.go"))
    assert [(file.path, file.mode) for file in found.files] == [
        ("Dockerfile", "write"), (".dockerignore", "write"), ("ci-buildkit.yml", "write"),
        (".github/workflows/ci.yml", "write"), (".gitignore", "add"),
    ]  # fmt: skip
    assert found.found == ("Go 1.26, golangci-lint v2.15.0, go test, programs: tool",)
    assert found.notes == ()


@pytest.mark.parametrize("name", TREES)
def test_a_second_time_it_decides_the_same(name: str) -> None:
    first = contents(planned(TREES[name], **GITHUB))
    second = planned(Tree(TREES[name].files | first.keys(), {**TREES[name].texts, **first}), **GITHUB)
    assert {file.path for file in second.files if file.mode == "add"} == set()
    assert contents(second).items() <= first.items()


def test_a_dockerfile_that_is_there_is_kept_and_its_names_are_told() -> None:
    found = planned(tree({**GO, "Dockerfile": DOCKERFILE}))
    assert "Dockerfile" not in contents(found)
    assert settings(found) == {"lint-target": ["eslint"]}
    assert contents(found)[".dockerignore"].splitlines()[-1] == "ci-report/"
    assert ".git" not in contents(found)[".dockerignore"].splitlines()
    assert found.found == ("Dockerfile (test: test; image: image; lint: eslint)",)


def test_a_dockerfile_in_another_place_is_named() -> None:
    found = planned(tree({**GO, "docker/Dockerfile": DOCKERFILE}))
    assert settings(found) == {"file": "docker/Dockerfile", "lint-target": ["eslint"]}


def test_a_bake_file_is_used_as_it_is() -> None:
    found = planned(tree({**GO, "docker-bake.hcl": "target x {}"}), **GITHUB)
    assert "Dockerfile" not in contents(found)
    assert set(settings(found)) <= {"image"}
    assert "docker-bake.hcl is used as it is" in found.notes[0]


@pytest.mark.parametrize("name", ["Dockerfile", "docker/Dockerfile", "Dockerfile.prod"])
def test_a_dockerfile_alone_is_enough(name: str) -> None:
    assert settings(planned(tree({name: DOCKERFILE}))).get("file", "Dockerfile") == name


def test_a_dockerfile_for_deployment_is_not_the_projects() -> None:
    assert planned(tree({"deploy/Dockerfile": DOCKERFILE, "api/go.mod": ""})).folders == ("api",)


def test_a_dockerfile_at_the_top_wins_over_projects_in_folders() -> None:
    assert planned(tree({"Dockerfile": DOCKERFILE, "api/go.mod": ""})).folders == ("",)


@pytest.mark.parametrize(
    ("text", "added"),
    [
        ("node_modules\n.git\nci-report\n", None),
        ("*\n!src\n", None),
        (".git", "\n**/node_modules\nci-report/\n"),
        ("# ours\n", ".git\n**/node_modules\nci-report/\n"),
        ("ci-report/*.html\n**/node_modules\n.git/\n", "ci-report/\n"),
    ],
)
def test_lines_are_added_to_a_dockerignore(text: str, added: str | None) -> None:
    found = planned(tree({"package.json": package(), ".dockerignore": text}))
    ours = [file for file in found.files if file.path == ".dockerignore"]
    assert ours == ([File(".dockerignore", added, "add")] if added else [])


def test_the_dockerignore_beside_a_dockerfile_wins() -> None:
    files = tree({"Dockerfile": DOCKERFILE, "Dockerfile.dockerignore": "x\n", ".dockerignore": ""})
    assert File("Dockerfile.dockerignore", "ci-report/\n", "add") in planned(files).files


@pytest.mark.parametrize(
    ("text", "added"), [("ci-report/\n", None), ("/ci-report\n", None), ("x", "\nci-report/\n"), ("", "ci-report/\n")]
)
def test_lines_are_added_to_a_gitignore(text: str, added: str | None) -> None:
    found = planned(tree({**GO, ".gitignore": text}))
    assert [file.content for file in found.files if file.path == ".gitignore"] == ([added] if added else [])


class TestWorkflow:
    def test_rights_are_the_least_and_actions_are_pinned(self) -> None:
        text = contents(planned(tree(GO), branch="trunk"))[".github/workflows/ci.yml"]
        workflow = yaml.safe_load(text)
        assert workflow["permissions"] == {}
        assert workflow[True]["push"] == {"branches": ["trunk"], "tags": ["v*"]}  # `on` is true in YAML 1.1
        checkout, run = job(planned(tree(GO)))["steps"]
        assert job(planned(tree(GO)))["permissions"] == {"contents": "read"}
        assert checkout["with"] == {"fetch-depth": 0, "persist-credentials": False}
        assert "@08c6903cd8c0fde910a37f88322edcfb5dd907a8" in checkout["uses"]
        assert run == {"name": "Lint, test and build", "uses": "org/ci-buildkit@v1"}

    @pytest.mark.parametrize(("action", "excused"), [("me/ci@v2", True), ("me/ci@" + "a" * 40, False)])
    def test_another_action(self, action: str, excused: bool) -> None:
        text = contents(planned(tree(GO), Wish(action=action)))[".github/workflows/ci.yml"]
        assert f"uses: {action}" in text
        assert ("zizmor: ignore" in text) is excused

    def test_an_image_that_is_asked_for_is_pushed(self) -> None:
        found = planned(tree(GO), Wish(image="ghcr.io/acme/shop"))
        assert job(found)["permissions"] == {"contents": "read", "packages": "write"}
        step = job(found)["steps"][1]
        assert step["env"] == {"REGISTRY_PASSWORD": "${{ github.token }}"}
        assert step["with"]["push"] == "${{ github.event_name != 'pull_request' }}"
        assert "registry=ghcr.io,username={0},password-env=REGISTRY_PASSWORD', github.actor" in step["with"]["login"]
        assert settings(found)["image"] == "ghcr.io/acme/shop"

    @pytest.mark.parametrize(
        ("image", "login"),
        [
            ("acme/shop", "'username={0},"),
            ("localhost:5000/shop", "'registry=localhost:5000,username={0},"),
            ("shop", "'username"),
        ],
    )
    def test_another_registry_has_secrets_of_its_own(self, image: str, login: str) -> None:
        found = job(planned(tree(GO), Wish(image=image)))
        assert found["permissions"] == {"contents": "read"}
        assert found["steps"][1]["env"] == {"REGISTRY_PASSWORD": "${{ secrets.REGISTRY_PASSWORD }}"}
        assert login in found["steps"][1]["with"]["login"]
        assert "secrets.REGISTRY_USERNAME" in found["steps"][1]["with"]["login"]

    def test_a_branch_with_an_odd_name(self) -> None:
        text = contents(planned(tree(GO), branch='a": {b'))[".github/workflows/ci.yml"]
        assert yaml.safe_load(text)[True]["push"]["branches"] == ['a": {b']


class TestSettings:
    def test_the_image_is_the_repository_s_on_github(self) -> None:
        assert settings(planned(tree(GO), **GITHUB))["image"] == "ghcr.io/acme/shop"
        assert "image" not in settings(planned(tree(GO), host="git.example.com", path="acme/shop"))
        assert "image" not in settings(planned(tree({"go.mod": "module a\n"}), **GITHUB))

    def test_platforms_where_nothing_is_emulated(self) -> None:
        assert settings(planned(tree(GO)))["platform"] == ["linux/amd64", "linux/arm64"]
        assert "platform" not in settings(planned(tree({"pyproject.toml": PYPROJECT})))

    @pytest.mark.parametrize("name", TREES)
    def test_they_fit_the_schema_and_the_options(
        self, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for path, text in contents(planned(TREES[name], **GITHUB)).items():
            if not path.endswith("ci-buildkit.yml"):
                continue
            first, _, _ = text.partition("\n")
            assert first == (
                "# yaml-language-server: $schema="
                "https://raw.githubusercontent.com/org/ci-buildkit/v1/docs/reference/ci-buildkit.schema.json"
            )
            schema = json.loads((ROOT / "docs" / "reference" / "ci-buildkit.schema.json").read_text(encoding="utf-8"))
            jsonschema.validate(yaml.safe_load(text), schema)
            (tmp_path / "ci-buildkit.yml").write_text(text)
            monkeypatch.chdir(tmp_path)
            load({}, {})


class TestSeveralProjects:
    def test_each_has_files_of_its_own(self) -> None:
        found = planned(MONO, **GITHUB)
        assert set(contents(found)) == {
            "api/Dockerfile", "api/.dockerignore", "api/ci-buildkit.yml", "web/Dockerfile", "web/.dockerignore",
            "web/ci-buildkit.yml", ".github/workflows/ci.yml", ".gitignore",
        }  # fmt: skip
        assert found.folders == ("api", "web")
        assert found.found[0].startswith("api: Go")
        assert "2 projects" in found.notes[-1]
        assert settings(found, "api/ci-buildkit.yml")["image"] == "ghcr.io/acme/shop-api"

    def test_the_workflow_is_the_reusable_one(self) -> None:
        found = job(planned(MONO, Wish(action="me/ci@v2", image="ghcr.io/a/b")))
        assert found["uses"] == "me/ci/.github/workflows/pipeline.yml@v2"
        assert found["with"]["projects"] == "api\nweb\n"
        assert found["secrets"] == {"registry-password": "${{ github.token }}"}

    def test_what_it_gives_the_reusable_workflow_are_its_inputs(self) -> None:
        workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "pipeline.yml").read_text(encoding="utf-8"))
        found = job(planned(MONO, Wish(image="ghcr.io/a/b")))
        assert found["with"].keys() <= workflow[True]["workflow_call"]["inputs"].keys()
        assert found["secrets"].keys() <= workflow[True]["workflow_call"]["secrets"].keys()

    def test_one_project_in_a_folder_is_a_context(self) -> None:
        found = planned(MONO, Wish(kind="go"), **GITHUB)
        assert job(found)["steps"][1]["with"] == {"context": "api"}
        assert settings(found, "api/ci-buildkit.yml")["image"] == "ghcr.io/acme/shop"

    @pytest.mark.parametrize("folder", ["docs", "test", "a/examples", "a/b/c", "a b"])
    def test_folders_that_are_no_projects(self, folder: str) -> None:
        with pytest.raises(ConfigurationError):
            planned(tree({f"{folder}/go.mod": ""}))

    def test_a_folder_below_a_project_is_a_part_of_it(self) -> None:
        assert planned(tree({"api/go.mod": "", "api/tool/package.json": "{}"})).folders == ("api",)

    def test_a_folder_with_nothing_but_a_dockerfile(self) -> None:
        found = planned(tree({"api/go.mod": "", "proxy/Dockerfile": DOCKERFILE}))
        assert found.folders == ("api", "proxy")
        assert "proxy/Dockerfile" not in contents(found)

    def test_what_is_left_out_beside_the_top_is_told(self) -> None:
        found = planned(tree({**GO, "web/package.json": "{}", "pkg/go.mod": "", "docs/package.json": "{}"}))
        assert [note for note in found.notes if "left out" in note] == [
            "web (node) is left out: `ci-buildkit run --context web` builds it once it has a Dockerfile"
        ]


class TestNothing:
    def test_without_a_kind(self) -> None:
        with pytest.raises(ConfigurationError, match="go, python, node, rust, java, cpp") as raised:
            planned(tree({"README.md": ""}))
        assert raised.value.exit_code == 2

    @pytest.mark.parametrize("kind", ["rust", "java", "cpp"])
    def test_a_kind_without_a_first_program(self, kind: Any) -> None:
        with pytest.raises(ConfigurationError, match=f"no {kind} project") as raised:
            planned(tree(), Wish(kind=kind))
        assert "it begins with" in raised.value.hint

    def test_a_kind_that_is_not_there(self) -> None:
        with pytest.raises(ConfigurationError, match=r"no go project here: no go\.mod"):
            planned(tree({"package.json": "{}"}), Wish(kind="go"))


class TestStarter:
    @pytest.mark.parametrize("kind", starter.STARTERS)
    def test_an_empty_repository_gets_a_program(self, kind: Any) -> None:
        found = planned(tree({}, "README.md", "LICENSE", ".github/CODEOWNERS"), Wish(kind=kind), name="My Shop")
        assert len([path for path in contents(found) if "test" in path]) == 1
        assert "test" in found.found[0]
        assert found.notes == ()
        for stage in ("lint", "test-results", "binaries", "image"):
            assert f" AS {stage}\n" in contents(found)["Dockerfile"]

    def test_what_is_there_is_no_empty_repository(self) -> None:
        assert "main.go" not in contents(planned(tree({"go.mod": ""}), Wish(kind="go")))

    def test_names(self) -> None:
        found = contents(planned(tree(), Wish(kind="go"), name="Shop", **GITHUB))
        assert found["go.mod"].startswith("module github.com/Acme/Shop\n")
        found = contents(planned(tree(), Wish(kind="go"), name="My Shop"))
        assert found["go.mod"].startswith("module example.com/my-shop\n")

    @pytest.mark.parametrize(
        ("name", "module"), [("email", "email_app"), ("my-shop", "my_shop"), ("class", "class_app"), ("123", "app")]
    )
    def test_a_package_s_name_hides_nothing(self, name: str, module: str) -> None:
        assert f"src/{module}/__init__.py" in contents(planned(tree(), Wish(kind="python"), name=name))

    def test_the_lock_file_says_what_package_json_says(self) -> None:
        found = contents(planned(tree(), Wish(kind="node"), name="shop"))
        lock, about = json.loads(found["package-lock.json"]), json.loads(found["package.json"])
        assert lock["packages"][""] == {key: about[key] for key in ("name", "version", "bin", "engines")}
        assert json.loads(LOCK)["lockfileVersion"] == lock["lockfileVersion"]

    def test_what_its_tools_leave_behind_is_ignored(self) -> None:
        assert "node_modules/\n" in contents(planned(tree(), Wish(kind="node")))[".gitignore"]
