from __future__ import annotations

import pytest
from tests.unit.scaffold.trees import tree

from ci_buildkit.scaffold import existing

USUAL = """
FROM alpine AS lint
RUN true
FROM alpine AS test
RUN true
FROM scratch AS binaries
COPY --from=test / /
FROM alpine
CMD ["x"]
"""
UNUSUAL = """
FROM node AS deps
RUN npm ci
FROM deps AS eslint
RUN npx eslint .
FROM deps AS run-specs
RUN npm test
FROM scratch AS specs-report
COPY --from=run-specs /out /
FROM deps AS compile
RUN npm run build
FROM scratch AS dist
COPY --from=compile /dist /
FROM nginx AS web
COPY --from=compile /dist /usr/share/nginx/html
CMD ["nginx"]
"""


def test_usual_names_need_no_options() -> None:
    found = existing.read("Dockerfile", USUAL)
    assert found.stages == {"lint": ("lint",), "test": ("test",), "binaries": ("binaries",), "image": ("image",)}
    assert found.options == {}
    assert found.notes == ()


def test_unusual_names_become_options() -> None:
    found = existing.read("Dockerfile", UNUSUAL)
    assert found.stages == {"image": ("web",)}
    assert found.options == {"lint-target": ("eslint",), "test-target": ("specs-report",), "binaries-target": ("dist",)}


def test_what_is_missing_is_told() -> None:
    found = existing.read("Dockerfile", 'FROM alpine\nCMD ["latest"]\n')
    assert found.options == {}
    assert found.notes == ("Dockerfile has no lint and no test stage: only what it has is run",)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("FRMO x\n", "has no stage"),
        ("FROM a AS\nRUN <<E\n", "Dockerfile"),
        ("", "is no valid Dockerfile"),
        ("ARG A=1\n", "has no stage"),
    ],
)
def test_a_broken_file(text: str, said: str) -> None:
    assert said in existing.read("Dockerfile", text).notes[0]


@pytest.mark.parametrize(
    ("names", "file"),
    [
        (["Dockerfile", "Dockerfile.prod"], "Dockerfile"),
        (["Dockerfile", "docker-bake.hcl"], "docker-bake.hcl"),
        (["docker-bake.json"], "docker-bake.json"),
        (["Dockerfile.dev", "Dockerfile.prod"], "Dockerfile.prod"),
        (["docker/Dockerfile"], "docker/Dockerfile"),
        (["api.Dockerfile", "deploy/Dockerfile.release"], "deploy/Dockerfile.release"),
    ],
)
def test_which_file_is_used(names: list[str], file: str) -> None:
    found = existing.find(tree(dict.fromkeys(names, USUAL)), elsewhere=True)
    assert found is not None
    assert found.file == file
    assert found.bake == file.startswith("docker-bake")


def test_others_are_named() -> None:
    found = existing.find(tree({"Dockerfile.a": USUAL, "Dockerfile.b": USUAL}), elsewhere=True)
    assert found is not None
    assert found.notes[0].endswith("chooses another: Dockerfile.b")


@pytest.mark.parametrize("name", ["Dockerfile.dockerignore", "Dockerfile.j2", "a/b/c/Dockerfile"])
def test_what_is_no_dockerfile_of_the_project(name: str) -> None:
    assert existing.find(tree({name: USUAL}), elsewhere=True) is None


def test_elsewhere_only_where_it_is_asked_for() -> None:
    assert existing.find(tree({"docker/Dockerfile": USUAL}), elsewhere=False) is None
