"""A small project of shell scripts with every stage, which builds in a second: for tests of what is around a pipeline."""

from __future__ import annotations

DOCKERFILE = r"""
FROM --platform=$BUILDPLATFORM alpine AS base
WORKDIR /src

FROM base AS lint
RUN --mount=type=bind,target=. \
    ! grep -n TODO greet.sh | sed 's/^\([0-9]*\):.*/greet.sh:\1:1: error: a TODO is left [todo]/' | grep .

FROM base AS test
RUN --mount=type=bind,target=. sh greet_test.sh

FROM base AS build
ARG TARGETOS TARGETARCH VERSION
RUN --mount=type=bind,target=. mkdir /out && sed "s/VERSION/$VERSION for $TARGETOS $TARGETARCH/" greet.sh >/out/greet && chmod +x /out/greet

FROM scratch AS binaries
COPY --from=build /out/ /

FROM scratch AS app
COPY --from=build /out/ /bin/
CMD ["/bin/greet"]
"""
SCRIPT = """#!/bin/sh
echo "Hello, ${1:-world}! (VERSION)"
"""
TEST = """
echo "TAP version 13"
echo "1..2"
case $(sh greet.sh Ada) in "Hello, Ada!"*) echo "ok 1 - greets by name" ;; *) echo "not ok 1 - greets by name"; bad=1 ;; esac
case $(sh greet.sh) in "Hello, world!"*) echo "ok 2 - greets all" ;; *) echo "not ok 2 - greets all"; bad=1 ;; esac
exit ${bad:-0}
"""
FILES = {"Dockerfile": DOCKERFILE, "greet.sh": SCRIPT, "greet_test.sh": TEST, ".dockerignore": ".git\nci-report/\n"}
UNTIDY = {**FILES, "greet.sh": f"{SCRIPT}# TODO: more languages\n"}
BROKEN = {**FILES, "greet.sh": SCRIPT.replace("Hello", "Goodbye")}


def below(folder: str, files: dict[str, str]) -> dict[str, str]:
    """The same files in a folder."""
    return {f"{folder}/{name}": text for name, text in files.items()}
