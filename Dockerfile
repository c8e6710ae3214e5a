# syntax=docker/dockerfile:1

# ci-buildkit builds itself: `ci-buildkit run` in this folder.
#
# PYTHON_VERSION is the tag of the Python image, without -slim
ARG PYTHON_VERSION=3.11

# pip's cache is a cache mount, so none of it is in a layer.
#
# base has Python and the locked tools of development
FROM --platform=$BUILDPLATFORM python:${PYTHON_VERSION}-slim AS base
ENV PATH=/venv/bin:$PATH \
    PIP_CACHE_DIR=/cache/pip \
    PYTHONDONTWRITEBYTECODE=1
WORKDIR /src
# hadolint ignore=DL3042
RUN --mount=type=cache,target=/cache/pip \
    --mount=type=bind,source=requirements,target=requirements \
    python -m venv /venv && pip install --require-hashes -r requirements/dev.txt

# lint fails on findings and prints them
FROM base AS lint
RUN --mount=type=bind,target=. \
    code=0; \
    ruff check --no-cache src action bin lab tests bench || code=1; \
    ruff format --no-cache --check src action bin lab tests bench || code=1; \
    lint-imports --no-cache || code=1; \
    exit $code

# Those unit tests that need nothing but Python; `make test` runs all.
#
# test runs tests and never fails itself
FROM base AS test
RUN --mount=type=bind,target=. \
    mkdir /out; \
    PYTHONPATH=/src/src HYPOTHESIS_STORAGE_DIRECTORY=/tmp/hypothesis \
    pytest -q -n 2 -p no:cacheprovider --junit-xml=/out/junit.xml \
    tests/unit/config tests/unit/findings tests/unit/plan tests/unit/tags; \
    echo $? > /out/exit-code

# test-results is junit.xml and exit-code, for the local exporter
FROM scratch AS test-results
COPY --from=test /out/ /

# build makes the wheel and the source archive
FROM base AS build
RUN --mount=type=bind,target=. \
    hatchling build -d /out

# binaries are the wheel and the source archive, for the local exporter
FROM scratch AS binaries
COPY --from=build /out/ /
