"""The rules for Dockerfiles, in the order in which they look. A further rule is a function and a line here."""

from __future__ import annotations

from ci_buildkit.doctor import (
    caches,
    contexts,
    images,
    platforms,
    secrets,
    spelling,
    stages,
    syntax,
    testing,
    variables,
    versions,
)
from ci_buildkit.doctor.diagnosis import Severity
from ci_buildkit.doctor.flaw import Rule
from ci_buildkit.doctor.parsed import Parsed

RULES: tuple[Rule[Parsed], ...] = (
    Rule("syntax-line", "warning", "`# syntax=` is misspelt or not in the first line.", syntax.misplaced, repairs=True),
    Rule("unknown-frontend", "error", "`# syntax=` names a misspelt frontend.", syntax.frontend, repairs=True),
    Rule("unknown-instruction", "error", "An instruction does not exist.", spelling.instructions, repairs=True),
    Rule("unknown-flag", "error", "An instruction has a misspelt flag.", spelling.flags, repairs=True),
    Rule("unknown-mount-field", "error", "A mount has a misspelt field.", spelling.mount_keys, repairs=True),
    Rule("unknown-mount-type", "error", "A mount has a misspelt type or sharing.", spelling.mount_types, repairs=True),
    Rule("unknown-stage", "error", "A stage is misspelt, not there yet, or uses itself.", stages.unknown, repairs=True),
    Rule("unknown-image", "error", "An official image is misspelt.", images.misspelt, repairs=True),
    Rule(
        "undeclared-from",
        "error",
        "A FROM line uses a variable that nothing sets.",
        variables.undeclared_in_from,
        repairs=True,
    ),
    Rule(
        "misspelt-variable",
        "warning",
        "A variable is a slip away from a declared one.",
        variables.misspelt,
        repairs=True,
    ),
    Rule("parse-error", "error", "BuildKit's parser refuses something.", syntax.broken),
    Rule("invalid-instruction", "error", "An instruction lacks something or stands where it may not.", syntax.shapes),
    Rule("swallowed-instruction", "error", "An instruction is read as part of the one above it.", syntax.swallowed),
    Rule("old-syntax", "error", "The frontend is older than something that the file uses.", syntax.outdated),
    Rule("undeclared-variable", "error", "A stage uses an argument that it does not declare.", variables.undeclared),
    Rule("empty-version", "error", "A stage stamps a version that it does not declare.", versions.empty),
    Rule("false-green", "warning", "Tests may fail and the step succeeds.", testing.false_green),
    Rule("lost-results", "warning", "Results are not exported when a test fails.", testing.lost),
    Rule("no-test-report", "warning", "A test stage writes no report that can be read.", testing.no_report),
    Rule("duplicate-stage", "warning", "Two stages have the same name.", stages.duplicates),
    Rule("unused-stage", "warning", "Nothing uses a stage.", stages.unused),
    Rule("missing-build-platform", "warning", "A stage is emulated that could cross-compile.", platforms.missing),
    Rule(
        "report-not-ignored",
        "warning",
        "The report folder lies in a context that is taken whole.",
        contexts.report_not_ignored,
    ),
    Rule("git-not-ignored", "warning", "`.git` lies in a context that is copied whole.", contexts.git_not_ignored),
    Rule("secret-in-image", "warning", "ARG or ENV look like a credential.", secrets.found),
    Rule(
        "late-dependencies",
        "notice",
        "Dependencies are fetched after the whole context is copied.",
        contexts.late_dependencies,
    ),
    Rule("missing-cache-mount", "notice", "A step fetches anew what a cache mount would keep.", caches.missing),
    Rule("no-version", "notice", "A program is compiled and gets no version.", versions.missing),
    Rule("unchecked-download", "notice", "ADD fetches a file without a checksum.", contexts.unchecked),
    Rule("floating-image", "notice", "An image has no tag, or the tag latest.", images.floating),
    Rule("final-newline", "notice", "The last line has no line end.", syntax.final_newline),
)

# What no rule over one file says: name, severity, and what it is about.
OTHERS: tuple[tuple[str, Severity, str], ...] = (
    ("unreadable", "error", "A file cannot be read, is no text, or is too large."),
    ("wrong-setting", "error", "The settings file, or a variable, says what no option takes."),
    ("bake-refused", "error", "Bake refuses a file, for what only evaluating it shows."),
    ("report-in-git", "notice", "Git does not ignore the report folder."),
    ("checks-not-run", "notice", "BuildKit could not be asked for its own checks."),
)
