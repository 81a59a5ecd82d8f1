"""Whether stack.yaml's lower half can be what provision wrote: kinds, outputs, ids, ARNs and their account.

An id that somebody edited, or that came in from another stack's file, would have us delete what is not ours.
A key that no line of stack.py has is no error: its line may have gone, and what it made has to go too.
"""

import dataclasses
import re
import typing
from typing import Any

from provision.i18n import _
from provision.resources.base import Milestone, Resource, kinds
from provision.state.stack_file import StackFile

ACCOUNT, REGION = r"[0-9]{12}", r"[a-z]{2}(-[a-z]+)+-[0-9]"
ARN = re.compile(r"arn:aws[a-z-]*:[a-z0-9-]+:([a-z0-9-]*):([0-9]*):\S+")
# How AWS writes ids, by the member of its answers: EC2 User Guide, Resource IDs (8 or 17 hexadecimal digits).
IDS = {
    "GroupId": "sg",
    "SecurityGroupRuleId": "sgr",
    "VpcId": "vpc",
    "SubnetIds": "subnet",
    "InternetGatewayId": "igw",
    "RouteTableId": "rtb",
    "RouteTableAssociationId": "rtbassoc",
}
NOUNS = {"vpc": "vpc", "subnet": "subnet", "internet-gateway": "igw", "route-table": "rtb"}
ZONE = re.compile(r"(/hostedzone/)?[A-Z0-9]{8,32}")  # Route 53 API Reference, ResourceId
# What an ARN's last part begins with, by the member of AWS's answers.
RESOURCES = {
    "CertificateArn": "certificate/",
    "clusterArn": "cluster/",
    "serviceArn": "service/",
    "taskDefinitionArn": "task-definition/",
    "LoadBalancerArn": "loadbalancer/app/",
    "ListenerArn": "listener/app/",
    "RuleArn": "listener-rule/app/",
    "TargetGroupArn": "targetgroup/",
    "repositoryArn": "repository/",
}


def check(file: StackFile) -> None:
    """Raise Damaged, which names the line, for a record that provision cannot have written."""
    if not file.records and not file.made_in:
        return
    _check_made_in(file)
    known = kinds()
    for key, record in file.records.items():
        if file.last.get(key) == record and file.made_in == file.last_made_in:
            continue  # as provision wrote it: whatever this endpoint's ids look like
        kind = known.get(record.kind)
        if kind is None or issubclass(kind, Milestone):
            why = _("there is no kind of resource {kind}", kind=record.kind)
            raise file.damaged(record.lines["kind"], why)
        for name, value in record.outputs.items():
            if why := _wrong(kind, name, value, file.made_in):
                raise file.damaged(record.lines[name], why)


def _check_made_in(file: StackFile) -> None:
    """Check that `made_in` has an account and a region, and nothing else."""
    account, region = (file.made_in.get(key, "") for key in ("account", "region"))
    whole = re.fullmatch(ACCOUNT, account) and re.fullmatch(REGION, region)
    if not whole or set(file.made_in) != {"account", "region"}:
        first = min(record.lines[""] for record in file.records.values()) if file.records else 1
        why = _("made_in says the account (12 digits) and the region of what is recorded below")
        raise file.damaged(file.made_in_line or first, why)


def _wrong(kind: type[Resource], name: str, value: Any, made_in: dict[str, str]) -> str:
    """Return what is wrong with one output; "" where nothing is."""
    outputs = {f.name: f for f in dataclasses.fields(kind) if "path" in f.metadata}
    if name not in outputs:
        return _(
            "a {kind} has no {name}; it has: {names}",
            kind=kind.__name__,
            name=name,
            names=", ".join(outputs),
        )
    several = typing.get_origin(typing.get_type_hints(kind)[name]) is list
    if several and not (isinstance(value, list) and all(isinstance(v, str) for v in value)):
        return _("{name} is a list of texts", name=name)
    if not several and not isinstance(value, str):
        return _("{name} must be a single string", name=name)
    member = re.split(r"[.\]]", outputs[name].metadata["path"])[-1]
    for text in value if several else [value]:
        if why := _misshapen(kind, member, text, made_in):
            return why
    return ""


def _misshapen(kind: type[Resource], member: str, text: str, made_in: dict[str, str]) -> str:
    """Return what is wrong with an id or an ARN as AWS writes it."""
    if member.lower().endswith("arn"):
        return _misplaced(member, text, made_in)
    prefix = IDS.get(member) or (NOUNS.get(getattr(kind, "noun", "")) if member == "Id" else None)
    form = re.compile(rf"{prefix}-[0-9a-f]{{8,}}") if prefix else None
    if member == "Id" and kind.__name__ == "HostedZone":
        form = ZONE
    if form and not form.fullmatch(text):
        return _("{text} is no {member} as AWS writes them", text=text, member=member)
    return ""


def _misplaced(member: str, text: str, made_in: dict[str, str]) -> str:
    """Return what is wrong with an ARN: its form, its account or region (IAM and S3 leave those out)."""
    arn = ARN.fullmatch(text)
    if not arn or not text.split(":", 5)[5].startswith(RESOURCES.get(member, "")):
        return _("{text} is no {member} as AWS writes them", text=text, member=member)
    region, account = arn[1] or made_in["region"], arn[2] or made_in["account"]
    if (account, region) != (made_in["account"], made_in["region"]):
        return _(
            "this is in {there}, and the stack was made in {made}",
            there=f"{account} {region}",
            made=f"{made_in['account']} {made_in['region']}",
        )
    return ""
