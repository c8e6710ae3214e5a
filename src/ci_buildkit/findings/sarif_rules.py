"""The rules of a SARIF run: those of its tool's driver and of the driver's extensions, and how results name them."""

from __future__ import annotations

from typing import Any, NamedTuple

from ci_buildkit.fields import label, mapping, sequence, string
from ci_buildkit.findings.values import message, web


class Rule(NamedTuple):
    """What a run says of a rule; `level` is "" where it says nothing."""

    id: str
    level: str = ""
    url: str | None = None
    description: str = ""
    messages: dict[str, str] = {}  # noqa: RUF012 - never changed


class _Component:
    """A driver or an extension."""

    def __init__(self, component: dict[str, Any]) -> None:
        shared = _messages(component.get("globalMessageStrings"))
        self.name = label(component.get("name"))
        self.guid = string(component.get("guid"))
        self.rules = [_rule(mapping(one), shared) for one in sequence(component.get("rules"))]
        self.by_id = {rule.id: rule for rule in reversed(self.rules)}
        self.by_guid = {
            string(mapping(one).get("guid")): rule
            for one, rule in zip(sequence(component.get("rules")), self.rules, strict=True)
        }

    def find(self, index: object, guid: str, rule_id: str) -> Rule | None:
        """The rule at `index`, unless that contradicts the id: some tools write 0 everywhere."""
        indexed = self.rules[index] if isinstance(index, int) and 0 <= index < len(self.rules) else None
        if indexed and (not rule_id or f"{rule_id}/".startswith(f"{indexed.id}/")):
            return indexed
        return self._by_id(rule_id) or (self.by_guid.get(guid) if guid else None) or indexed

    def _by_id(self, rule_id: str) -> Rule | None:
        """3.27.5: `CA1000/1` is a more special case of the rule `CA1000`."""
        while rule_id:
            found = self.by_id.get(rule_id)
            if found is not None:
                return found
            rule_id = rule_id.rpartition("/")[0]
        return None


def _rule(rule: dict[str, Any], shared: dict[str, str]) -> Rule:
    described = mapping(rule.get("shortDescription")) or mapping(rule.get("fullDescription"))
    return Rule(
        label(rule.get("id")),
        string(mapping(rule.get("defaultConfiguration")).get("level")),
        web(rule.get("helpUri")),
        message(string(described.get("text"))),
        {**shared, **_messages(rule.get("messageStrings"))},
    )


def _messages(strings: object) -> dict[str, str]:
    return {
        key: string(mapping(value).get("text")) or string(mapping(value).get("markdown"))
        for key, value in mapping(strings).items()
    }


class Rules:
    """All rules of a run."""

    def __init__(self, tool: dict[str, Any]) -> None:
        """`tool` is the run's."""
        self._driver = _Component(mapping(tool.get("driver")))
        self._extensions = [_Component(mapping(one)) for one in sequence(tool.get("extensions"))]
        self._found: dict[tuple[str, int], Rule] = {}
        self.tool = self._driver.name or "sarif"

    def of(self, result: dict[str, Any]) -> Rule:
        """The rule of a result, with the result's own id for it."""
        rule_id, index = result.get("ruleId"), result.get("ruleIndex")
        if "rule" in result or not isinstance(rule_id, str):
            return self._of(result)
        # Most results say no more than this, and many the same.
        key = (rule_id, index if isinstance(index, int) else -1)
        rule = self._found.get(key)
        if rule is None:
            rule = self._found[key] = self._of(result)
        return rule

    def _of(self, result: dict[str, Any]) -> Rule:
        reference = mapping(result.get("rule"))
        own = label(result.get("ruleId")) or label(reference.get("id"))
        index = result.get("ruleIndex", reference.get("index"))
        guid = string(reference.get("guid"))
        first, *others = self._components(mapping(reference.get("toolComponent")))
        rule = first.find(index, guid, own)
        for component in others:
            rule = rule or component.find(None, guid, own)
        if rule is None:
            return Rule(own or self.tool)
        return rule._replace(id=own or rule.id or self.tool)

    def _components(self, reference: dict[str, Any]) -> list[_Component]:
        """3.54: the extension that is named by index, GUID or name; without any the driver, and after it the others."""
        index = reference.get("index")
        if isinstance(index, int) and 0 <= index < len(self._extensions):
            return [self._extensions[index]]
        wanted = {string(reference.get("guid")), label(reference.get("name"))} - {""}
        every = [self._driver, *self._extensions]
        return [one for one in every if wanted & {one.guid, one.name}] or every
