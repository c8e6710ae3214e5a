"""What surrounds a Dockerfile and decides whether something in it is wrong."""

from __future__ import annotations

from msgspec import Struct

from ci_buildkit.checkout.ignore import Ignore
from ci_buildkit.config.options import Options


class Around(Struct, frozen=True):
    """The build context of a Dockerfile, as far as it is known, and who builds what of it.

    `targets` are the stages that bake files, workflows or scripts build (a variable in one may be anything), `contexts` the
    named contexts that bake files give it, all in lower case. `ignore_file` is the path of the `.dockerignore` in force,
    relative to the examined folder, "" where the context is unknown; `ignore` are its rules. `files` are the names in the
    context's top folder, `settings` the text of those in which test tools and builds are set up. `report_dir` is relative to
    the context, "" where it lies elsewhere.
    """

    options: Options = Options()
    targets: frozenset[str] = frozenset()
    contexts: frozenset[str] = frozenset()
    ignore_file: str = ""
    ignore: Ignore = Ignore()
    files: frozenset[str] = frozenset()
    settings: str = ""
    report_dir: str = ""
