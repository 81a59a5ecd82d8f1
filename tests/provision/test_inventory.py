"""The inventory of a stack from each service's own lists, compared with stack.yaml."""

from collections.abc import Callable
from typing import Any

import botocore.exceptions
import pytest

from provision.engine.inventory import list_inventory
from provision.resources.base import Resource, kinds
from provision.resources.certificate import Certificate
from provision.resources.record_set import ValidationRecord
from provision.state.stack_file import StackFile
from tests.provision.conftest import Env

# Not listed by themselves, only inside another resource (test_teardown_leftovers.py maps each to it).
UNLISTED = {
    name
    for name, kind in kinds().items()
    if kind.list_tagged.__func__ is Resource.list_tagged.__func__  # type: ignore[attr-defined]
}


def unsupported(operation: str) -> Callable[[str], None]:
    """Return a hook for an endpoint that does not support this operation."""

    def before(called: str) -> None:
        if called == operation:
            unknown = {"Error": {"Code": "UnknownOperationException", "Message": "no such API"}}
            raise botocore.exceptions.ClientError(unknown, operation)

    return before


def recorded_outputs(env: Env) -> dict[str, dict[str, Any]]:
    """Return the outputs of created resources that have a list of their own."""
    return {
        key: record.outputs
        for key, record in StackFile(env.path).records.items()
        if record.state == "created" and record.kind not in UNLISTED
    }


def test_every_resource_is_found_by_its_tags(env: Env) -> None:
    """The lists contain what stack.yaml records, with the ids needed for deletion."""
    env.set(network__vpc="new")
    env.setup()
    found = list_inventory(env.clients(), env.clock, "news-bot")
    assert {} == found.unlisted
    # Not returned by AWS, or not by its list.
    remembered = (
        *("caller_reference", "idempotency_token", "counted"),
        *("protected_by", "log_bucket"),
    )
    expected = {
        key: {name: value for name, value in outputs.items() if name not in remembered}
        for key, outputs in recorded_outputs(env).items()
    }
    seen = {
        tagged.key: {n: v for n, v in tagged.outputs().items() if n not in remembered}
        for tagged in found.tagged
    }
    assert expected == seen
    assert sorted(seen) == sorted(tagged.key for tagged in found.tagged)


def test_other_stacks_are_not_ours(env: Env) -> None:
    """A stack whose name begins with ours is another one; resources without tags belong to none."""
    env.setup()
    assert [] == list_inventory(env.clients(), env.clock, "news").tagged
    assert {"news-bot"} == {
        tagged.stack for tagged in list_inventory(env.clients(), env.clock, "").tagged
    }


def test_throttled_lists_are_retried(env: Env) -> None:
    """With the first eight calls throttled the result is the same, after waiting on the clock."""
    env.setup()
    everything = [
        str(tagged) for tagged in list_inventory(env.clients(), env.clock, "news-bot").tagged
    ]
    before = env.clock.now()
    env.sandbox.cloud.faults.add({"kind": "throttle", "times": 8})
    found = list_inventory(env.clients(), env.clock, "news-bot")
    assert sorted(everything) == sorted(str(tagged) for tagged in found.tagged)
    assert env.clock.now() > before


def test_unsupported_list_operation(env: Env) -> None:
    """The kind is reported with AWS's reason; the others are found."""
    env.setup()
    env.aws_session.before = unsupported("ListScheduleGroups")
    found = list_inventory(env.clients(), env.clock, "news-bot")
    assert ["ScheduleGroup"] == list(found.unlisted)
    assert "zone/example.jp" in [tagged.key for tagged in found.tagged]


@pytest.mark.parametrize("kind", [Certificate, ValidationRecord])
def test_what_is_deleted_while_it_is_listed(env: Env, kind: type[Resource]) -> None:
    """It is listed again, also for a kind whose list begins with the list of another."""
    acm = env.aws_session.client("acm")
    tags = [{"Key": "provision:stack", "Value": "news-bot"}]
    arn = acm.request_certificate(DomainName="example.jp", ValidationMethod="DNS", Tags=tags)[
        "CertificateArn"
    ]
    deleted: list[str] = []

    def delete_first(operation: str) -> None:
        if operation == "DescribeCertificate" and not deleted:
            deleted.append(operation)
            acm.delete_certificate(CertificateArn=arn)

    env.aws_session.before = delete_first
    found = list_inventory(env.clients(), env.clock, "news-bot", (kind,))
    assert (["DescribeCertificate"], [], {}) == (deleted, found.tagged, found.unlisted)
