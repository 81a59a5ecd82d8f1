"""LINE's own OpenAPI description as a check, with discriminators resolved.

Ready-made validators ignore `discriminator`, so that `{"type": "bogus"}` passes as any message.
"""

import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

FOLDER = Path(__file__).parents[2] / "shared" / "line-openapi"
_TYPES = {"string": str, "boolean": bool, "array": list, "object": dict, "integer": int}

needs_description = pytest.mark.skipif(
    not FOLDER.is_dir(), reason="LINE's OpenAPI description is not on this machine"
)


@cache
def schemas(document: str) -> dict[str, Any]:
    """The schemas of `messaging-api.yml` or `webhook.yml`."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    text = (FOLDER / document).read_text(encoding="utf-8")
    return yaml.load(text, Loader=loader)["components"]["schemas"]


def violations(document: str, name: str, value: Any) -> list[str]:
    """Where the value is not what the schema of this name says."""
    return _check(schemas(document), schemas(document)[name], value, name, dispatch=True)


def _check(
    known: dict[str, Any], schema: dict[str, Any], value: Any, path: str, *, dispatch: bool
) -> list[str]:
    if "$ref" in schema:
        target = known[schema["$ref"].rsplit("/", 1)[1]]
        return _check(known, target, value, path, dispatch=dispatch)
    if dispatch and "discriminator" in schema and isinstance(value, dict):
        kind = value.get(schema["discriminator"]["propertyName"])
        target = schema["discriminator"]["mapping"].get(kind)
        if target is None:
            return [f"{path}: unknown type {kind!r}"]
        # The target says allOf this schema: from there on it is only the common part.
        return _check(known, {"$ref": target}, value, path, dispatch=False)
    found = _plain(schema, value, path)
    for part in schema.get("allOf", []):
        found += _check(known, part, value, path, dispatch=False)
    if isinstance(value, dict):
        found += [
            f"{path}: lacks {name}" for name in schema.get("required", []) if name not in value
        ]
        for name, inner in schema.get("properties", {}).items():
            if name in value:
                found += _check(known, inner, value[name], f"{path}.{name}", dispatch=True)
    if isinstance(value, list) and "items" in schema:
        for index, item in enumerate(value):
            found += _check(known, schema["items"], item, f"{path}[{index}]", dispatch=True)
    return found


def _plain(schema: dict[str, Any], value: Any, path: str) -> list[str]:
    wanted = _TYPES.get(schema.get("type", ""))
    if wanted and (not isinstance(value, wanted) or (wanted is int and isinstance(value, bool))):
        return [f"{path}: not a {schema['type']}"]
    found = []
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{path}: {value!r} is none of {schema['enum']}")
    if isinstance(value, str | list):
        least = schema.get("minLength", schema.get("minItems", 0))
        most = schema.get("maxLength", schema.get("maxItems", len(value)))
        if not least <= len(value) <= most:
            found.append(f"{path}: length {len(value)} is not within {least} and {most}")
    if isinstance(value, str) and "pattern" in schema and not re.search(schema["pattern"], value):
        found.append(f"{path}: does not match {schema['pattern']}")
    return found
