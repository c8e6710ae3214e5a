#!/bin/sh
# First step of the action: finds a Python that is new enough and lets it run boot.py, which makes the environment.
# POSIX sh, because job containers need not have bash.
set -u

# Prints the interpreter itself, which is not `$1` where that is a shim or wrapper; fails where it is too old.
interpreter() {
    "$1" -I -S -c 'import sys; print(sys.executable); sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

# What is on PATH comes first (actions/setup-python puts the caller's choice there), then the runner's tool cache.
find_python() {
    for name in python3 python python3.14 python3.13 python3.12 python3.11; do
        if command -v "$name" >/dev/null && found=$(interpreter "$name"); then
            return 0
        fi
    done
    for path in "${RUNNER_TOOL_CACHE:-/opt/hostedtoolcache}"/Python/3.*/*/bin/python3; do
        if [ -x "$path" ] && found=$(interpreter "$path"); then
            return 0
        fi
    done
    return 1
}

if ! find_python; then
    echo "::error title=ci-buildkit::No Python 3.11 or newer was found on PATH or in the tool cache. Add a step with actions/setup-python before ci-buildkit, or install python3 in the job's container."
    exit 4
fi
exec "$found" -I "${0%/*}/boot.py"
