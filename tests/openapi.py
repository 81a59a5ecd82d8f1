"""LINE's OpenAPI description, to validate requests and to generate events.

jsonschema ignores `discriminator`, so `{"type": "bogus"}` passes as any message: schemas with one are
therefore rewritten so that the type decides which schema applies. The description lies beside the project
($LINE_OPENAPI, or ../shared/line-openapi); on a machine without it line-bot-sdk's generated models are used,
which check less: `SOURCE` says which of the two it is.
"""

import os
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

ROOT = Path(__file__).parents[1]
FOLDER = Path(os.environ.get("LINE_OPENAPI") or ROOT.parent / "shared" / "line-openapi")
DESCRIBED = FOLDER.is_dir()
SOURCE = "LINE's OpenAPI description" if DESCRIBED else "line-bot-sdk's models"

needs_description = pytest.mark.skipif(
    not DESCRIBED, reason="LINE's OpenAPI description is not on this machine"
)
Schema = dict[str, Any]


@cache
def schemas(document: str) -> dict[str, Schema]:
    """Return the schemas of `messaging-api.yml` or `webhook.yml`."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    text = (FOLDER / document).read_text(encoding="utf-8")
    return yaml.load(text, Loader=loader)["components"]["schemas"]


def violations(document: str, name: str, value: Any) -> list[str]:
    """Return where the value violates the schema of this name."""
    return [
        f"{error.json_path}: {error.message[:200]}"
        for error in _validator(document, name).iter_errors(value)
    ]


@cache
def _validator(document: str, name: str) -> Draft202012Validator:
    known = schemas(document)
    defined: dict[str, Schema] = {}
    for each, schema in known.items():
        # The target of a mapping has its base in allOf: there the base is only the common part.
        defined[f"{each}:plain"] = _without_dispatch(schema)
        defined[each] = _dispatching(each, schema) if "discriminator" in schema else schema
    text = yaml.safe_dump({"$defs": defined, "$ref": f"#/$defs/{name}"})
    document_of = yaml.safe_load(text.replace("#/components/schemas/", "#/$defs/"))
    return Draft202012Validator(_without_recursion(document_of, set(_bases(known))))


def _without_dispatch(schema: Schema) -> Schema:
    return {key: value for key, value in schema.items() if key != "discriminator"}


def _dispatching(name: str, schema: Schema) -> Schema:
    """Return a schema of the base's own rules, one of the known kinds, and that kind's rules."""
    property_name, mapping = (schema["discriminator"][key] for key in ("propertyName", "mapping"))
    kinds = [
        {
            "if": {"properties": {property_name: {"const": kind}}},
            "then": {"$ref": target},
        }
        for kind, target in mapping.items()
    ]
    known = {"properties": {property_name: {"enum": list(mapping)}}, "required": [property_name]}
    return {"allOf": [{"$ref": f"#/$defs/{name}:plain"}, known, *kinds]}


def _bases(known: dict[str, Schema]) -> list[str]:
    return [name for name, schema in known.items() if "discriminator" in schema]


def _without_recursion(schema: Any, bases: set[str]) -> Any:
    """Within allOf use a base without its dispatch, which would otherwise recurse for ever."""
    if isinstance(schema, list):
        return [_without_recursion(one, bases) for one in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: _without_recursion(value, bases) for key, value in schema.items()}
    for part in made.get("allOf", []) if isinstance(made.get("allOf"), list) else []:
        if "if" not in part and part.get("$ref", "").removeprefix("#/$defs/") in bases:
            part["$ref"] += ":plain"
    return made


def values(document: str, name: str) -> st.SearchStrategy[Any]:
    """Generate values that the schema of this name allows, of all its kinds."""
    return _values(document, {"$ref": f"#/components/schemas/{name}"}, dispatch=True)


def _values(document: str, schema: Schema, *, dispatch: bool) -> st.SearchStrategy[Any]:
    known = schemas(document)
    if "$ref" in schema:
        target = schema["$ref"].rsplit("/", 1)[1]
        return st.deferred(lambda: _values(document, known[target], dispatch=dispatch))
    if dispatch and "discriminator" in schema:
        mapping = schema["discriminator"]["mapping"]
        key = schema["discriminator"]["propertyName"]
        return st.sampled_from(sorted(mapping)).flatmap(
            lambda kind: _values(document, {"$ref": mapping[kind]}, dispatch=False).map(
                lambda value: {**value, key: kind}
            )
        )
    if "allOf" in schema:
        parts = [_values(document, part, dispatch=False) for part in schema["allOf"]]
        return st.tuples(*parts).map(lambda made: {k: v for part in made for k, v in part.items()})
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    kind = schema.get("type", "object")
    if kind == "array":
        return st.lists(_values(document, schema["items"], dispatch=True), max_size=2)
    if kind == "object":
        properties = {
            name: _values(document, inner, dispatch=True)
            for name, inner in schema.get("properties", {}).items()
        }
        required = set(schema.get("required", ()))
        return st.fixed_dictionaries(
            {name: value for name, value in properties.items() if name in required},
            optional={name: value for name, value in properties.items() if name not in required},
        )
    plain: dict[str, st.SearchStrategy[Any]] = {
        "string": st.text(max_size=30),
        "boolean": st.booleans(),
        "integer": st.integers(0, 2**31),
        "number": st.floats(-180, 180),
    }
    return plain[kind]
