"""Somebody deletes a thing of ours by hand: plan and status name it, setup makes it again, teardown works."""

from collections.abc import Callable
from typing import Any

import pytest

from provision.clients import aws
from provision.engine.deleter import dependents
from provision.errors import Pending, ProvisionError
from provision.resources.base import Resource
from provision.resources.network import ExistingNetwork
from provision.state.stack_file import StackFile
from tests.provision.conftest import Env
from tests.provision.finished_stack import (
    FinishedStack,
    created_resources,
    plan_and_status,
    setup_errors,
)

NETWORKS = ("default", "new")
FULL = pytest.mark.full
PATIENCE = 30  # times: somebody at the console tries again every ten seconds


def service_linked_role(env: Env) -> None:
    """IAM deletes such a role once nothing of its service's is left."""
    env.aws_session.client("iam").delete_service_linked_role(RoleName="AWSServiceRoleForECS")


def endpoint_elsewhere(env: Env) -> None:
    """LINE has no delete: in its console another URL is set."""
    env.clients().line.set_endpoint("https://elsewhere.example/webhook")


def news(env: Env) -> None:
    """What was collected, in S3's console."""
    s3 = env.aws_session.client("s3")
    for bucket in s3.list_buckets()["Buckets"]:
        for one in s3.list_objects_v2(Bucket=bucket["Name"]).get("Contents", []):
            s3.delete_object(Bucket=bucket["Name"], Key=one["Key"])


OWN_WAYS: dict[str, Callable[[Env], None]] = {
    "service_linked_role": service_linked_role,
    "webhook": endpoint_elsewhere,
    "initial_collection": news,
}


def delete_by_hand(env: Env, line: str) -> set[str]:
    """Deletes it, and first what AWS wants gone first; the lines that went."""
    resources, records = env.engine().resources, StackFile(env.path).records
    went: set[str] = set()

    def users_go(one: Resource) -> None:
        for user in dependents(one, resources, Resource)[::-1]:
            if user.key in records and user.logical_id not in went:
                delete(user)

    def delete(one: Resource) -> None:
        went.add(one.logical_id)
        if one.logical_id in OWN_WAYS:
            users_go(one)
            OWN_WAYS[one.logical_id](env)
            return
        one.load_from_record(records[one.key].outputs)
        if not tried(one):
            users_go(one)
            assert any(tried(one) for _ in range(PATIENCE)), one.key

    def tried(one: Resource) -> bool:
        try:
            with aws.translate_errors(
                "by hand", not_found=one.errors.not_found, retry=one.errors.retry
            ):
                one.delete(env.clients())
        except aws.NotFound:
            return True
        except (Pending, ProvisionError):
            env.clock.advance(10)
            return False
        return True

    delete(next(one for one in resources if one.logical_id == line))
    return went


def cases(fast: bool) -> list[Any]:
    """Every resource in both networks; what the new one has besides its network is the same again.

    fast: the first of each kind in `make test`.
    """
    found, kinds = [], set()
    common = {one.logical_id for one in created_resources("default")}
    for network in NETWORKS:
        for one in created_resources(network):
            again = network == "new" and one.logical_id in common
            first = fast and network == "default" and one.kind not in kinds
            kinds.add(one.kind)
            marks = pytest.mark.full if again else () if first else FULL
            if not isinstance(one, ExistingNetwork):  # somebody else's: it is never made again
                found.append(
                    pytest.param(
                        network, one.logical_id, id=f"{network}-{one.logical_id}", marks=marks
                    )
                )
    return found


@pytest.mark.parametrize(("network", "line"), cases(fast=True))
def test_deleted_is_named_and_made_again(
    finished_stack: FinishedStack, network: str, line: str
) -> None:
    """plan says create, status says that it is not there; afterwards there is one of everything."""
    with finished_stack.on(network) as env:
        went = delete_by_hand(env, line)
        seen = plan_and_status(env)
        assert {"create"} == {seen.actions[each] for each in went}
        shown = [seen.status[each] for each in went]
        assert {(False, False)} == {(each["live"], each["ready"]) for each in shown}
        draining = ["CreateService"] if "service" in went else []  # its name is not free at once
        assert [] == setup_errors(env, draining)
        finished_stack.whole(env)


@pytest.mark.parametrize(("network", "line"), cases(fast=False))
def test_teardown_where_it_is_missing(
    finished_stack: FinishedStack, network: str, line: str
) -> None:
    """Nothing is left, nothing is refused; and setup afterwards begins from nothing."""
    with finished_stack.on(network) as env:
        delete_by_hand(env, line)
        gone = env.teardown(everything=True)
        assert ([], [], {}) == (gone.errors, gone.left, gone.unasked)
        assert {} == env.inventory()
        assert [] == setup_errors(env)
        finished_stack.whole(env)


def test_target_group_deleted_under_the_service(finished_stack: FinishedStack) -> None:
    """ECS does not stand in the way of that: the service is told of the new one."""
    with finished_stack.on("default") as env:
        for line in ("https", "bootstrap_listener", "target_group"):
            assert {line} == delete_by_hand(env, line)
        assert [] == setup_errors(env)
        finished_stack.whole(env)
