"""The reference page of the doctor's rules, from their tables."""

from __future__ import annotations

from markup import code, page, sentence, table

from ci_buildkit.doctor import bake, environment, rules, workflows


def doctor_rules() -> str:
    """The page on rules."""
    tables = {
        "Dockerfiles": [(rule.name, rule.severity, rule.about) for rule in rules.RULES],
        "Bake files": [(rule.name, rule.severity, rule.about) for rule in bake.RULES],
        "Workflows": [(rule.name, rule.severity, rule.about) for rule in workflows.RULES],
        "The machine": [(rule.name, rule.severity, rule.about) for rule in environment.RULES],
        "Anything": list(rules.OTHERS),
    }
    about = (
        "What [ci-buildkit doctor](../how-to/doctor.md) tells, in the order in which it looks. The severity is the usual one; "
        "a rule may take another where it knows less or more."
    )
    parts = [about]
    for title, rows in tables.items():
        parts += [f"## {title}", table(["Rule", "Severity", "About"], [(code(n), s, sentence(a)) for n, s, a in rows])]
    return page("Rules of the doctor", "the tables of `src/ci_buildkit/doctor`", *parts)
