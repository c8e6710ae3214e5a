"""The `ci-buildkit` command."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the command line of this process and return its exit code."""
    if sys.argv[1:] == ["--version"]:  # answered before anything is imported
        from ci_buildkit import __version__

        print(f"ci-buildkit {__version__}")
        return 0
    from ci_buildkit.cli.main import main as run

    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
