"""Validate the records in stack.yaml: kinds, outputs, ids, ARNs and their account.

An edited id, or one from another stack's file, would make provision delete somebody else's resource.
A key that is not in stack.py is valid: its resource was removed from the stack and is still to be deleted.
"""

import dataclasses
import re
import typing
from typing import Any

from provision.i18n import _
from provision.resources.base import Milestone, Resource, kinds
from provision.state.stack_file import Record, StackFile

ACCOUNT, REGION = r"[0-9]{12}", r"[a-z]{2}(-[a-z]+)+-[0-9]"
ARN = re.compile(r"arn:aws[a-z-]*:[a-z0-9-]+:([a-z0-9-]*):([0-9]*):\S+")


def check(file: StackFile) -> None:
    """Raise Damaged with the line of a record that provision cannot have written."""
    if not file.records and not file.made_in:
        return
    _check_made_in(file)
    known = kinds()
    for key, record in file.records.items():
        if file.last.get(key) == record and file.made_in == file.last_made_in:
            continue  # unchanged since provision wrote it; other endpoints may use other id formats
        kind = known.get(record.kind)
        if kind is None or issubclass(kind, Milestone):
            why = _("there is no kind of resource {kind}", kind=record.kind)
            raise file.damaged(record.lines["kind"], why)
        if record.state != "creating" and (missing := _missing(kind, record)):
            why = _("the record lacks {name}", name=missing)
            raise file.damaged(record.lines[""], why)
        for name, value in record.outputs.items():
            if why := _wrong(kind, name, value, file.made_in):
                raise file.damaged(record.lines[name], why)


def _missing(kind: type[Resource], record: Record) -> str:
    """Return the first output, by which AWS and others name it, where the record lacks it; "" else."""
    names = [item.name for item in dataclasses.fields(kind) if "path" in item.metadata]
    return names[0] if names and not record.outputs.get(names[0]) else ""


def _check_made_in(file: StackFile) -> None:
    """Check that `made_in` has an account and a region, and nothing else."""
    account, region = (file.made_in.get(key, "") for key in ("account", "region"))
    valid = re.fullmatch(ACCOUNT, account) and re.fullmatch(REGION, region)
    if not valid or set(file.made_in) != {"account", "region"}:
        first = min(record.lines[""] for record in file.records.values()) if file.records else 1
        why = _("made_in says the account (12 digits) and the region of what is recorded below")
        raise file.damaged(file.made_in_line or first, why)


def _wrong(kind: type[Resource], name: str, value: Any, made_in: dict[str, str]) -> str:
    """Return what is wrong with one output; "" if it is valid."""
    outputs = {f.name: f for f in dataclasses.fields(kind) if "path" in f.metadata}
    if name not in outputs:
        return _(
            "a {kind} has no {name}; it has: {names}",
            kind=kind.__name__,
            name=name,
            names=", ".join(outputs),
        )
    is_list = typing.get_origin(typing.get_type_hints(kind)[name]) is list
    if is_list and not (isinstance(value, list) and all(isinstance(v, str) for v in value)):
        return _("{name} is a list of texts", name=name)
    if not is_list and not isinstance(value, str):
        return _("{name} must be a single string", name=name)
    metadata = outputs[name].metadata
    member = re.split(r"[.\]]", metadata["path"])[-1]
    for text in value if is_list else [value]:
        if metadata["pattern"] and not re.fullmatch(metadata["pattern"], text):
            return _("{text} is not a valid {member}", text=text, member=member)
        if (arn := ARN.fullmatch(text)) and (why := _misplaced(arn, made_in)):
            return why
    return ""


def _misplaced(arn: re.Match[str], made_in: dict[str, str]) -> str:
    """Return what is wrong with an ARN's account or region (IAM and S3 leave those out)."""
    region, account = arn[1] or made_in["region"], arn[2] or made_in["account"]
    if (account, region) != (made_in["account"], made_in["region"]):
        return _(
            "this is in {there}, and the stack was made in {made}",
            there=f"{account} {region}",
            made=f"{made_in['account']} {made_in['region']}",
        )
    return ""
