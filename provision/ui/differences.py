"""Describe what differs between two values of a property, in short lines: of a policy, its statements."""

import json
from typing import Any

Node = dict[str, Any]


def describe(path: str, have: Any, want: Any) -> list[str]:
    """Return a line for each part that differs. path: the property's jmespath."""
    policies = [_is_policy(have), _is_policy(want)]
    if all(policies) or (any(policies) and not (have and want)):
        return _statements(path, have or {}, want or {})
    if isinstance(have, dict) and isinstance(want, dict):
        return [
            line
            for name in dict.fromkeys((*have, *want))
            if have.get(name) != want.get(name)
            for line in describe(f"{path}.{name}", have.get(name), want.get(name))
        ]
    if isinstance(have, list) and isinstance(want, list):
        return [f"{path}: {_members(have, want)}"]
    return [f"{path}: {have!r} -> {want!r}"]


def _is_policy(value: Any) -> bool:
    statements = _listed(value.get("Statement")) if isinstance(value, dict) else []
    return bool(statements) and all(isinstance(each, dict) for each in statements)


def _statements(path: str, have: Node, want: Node) -> list[str]:
    """Return the statements that are added (+), removed (-) or changed (~), and what else differs."""
    before, after = _by_sid(have), _by_sid(want)
    lines = []
    for sid in dict.fromkeys((*before, *after)):
        old, new = before.get(sid), after.get(sid)
        if old == new:
            continue
        if old and new:
            parts = [
                f"{name} {_members(_listed(old.get(name)), _listed(new.get(name)))}"
                for name in dict.fromkeys((*old, *new))
                if old.get(name) != new.get(name)
            ]
            lines.append(f"{path} ~ {sid}: {'; '.join(parts)}")
        else:
            statement = new or old or {}
            actions = ", ".join(map(_text, _listed(statement.get("Action"))))
            lines.append(f"{path} {'+' if new else '-'} {sid}: {actions}")
    if not (have and want):
        return lines
    rest = [{k: v for k, v in each.items() if k != "Statement"} for each in (have, want)]
    return lines + describe(path, *rest)


def _by_sid(policy: Node) -> dict[str, Node]:
    """Return the statements by Sid; those without one by what they allow or deny, and a number."""
    found: dict[str, Node] = {}
    for number, statement in enumerate(_listed(policy.get("Statement")), 1):
        name = f"{statement.get('Effect')} {_text(statement.get('Principal', ''))}".strip()
        name = str(statement.get("Sid") or name)
        found[f"{name} ({number})" if name in found else name] = statement
    return found


def _listed(value: Any) -> list[Any]:
    """Return the value as a list: IAM takes a single one without brackets."""
    return value if isinstance(value, list) else [] if value is None else [value]


def _members(have: list[Any], want: list[Any]) -> str:
    """Return what is added to a list, and what is removed from it; both whole if only the order differs."""
    removed = [f"- {_text(each)}" for each in have if each not in want]
    added = [f"+ {_text(each)}" for each in want if each not in have]
    return ", ".join((*removed, *added)) or f"{have!r} -> {want!r}"


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
