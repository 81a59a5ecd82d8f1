"""A resource is deleted by hand: plan and status show it, setup recreates it, and teardown works."""

from collections.abc import Callable
from typing import Any

import pytest

from provision.clients import aws_errors
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
ATTEMPTS = 30  # as of a user at the console, every ten seconds


def delete_service_linked_role(env: Env) -> None:
    """Delete the role, which IAM allows once nothing of its service is left."""
    env.aws_session.client("iam").delete_service_linked_role(RoleName="AWSServiceRoleForECS")


def change_endpoint(env: Env) -> None:
    """Set another URL in LINE's console, as LINE cannot delete one."""
    env.clients().line.set_endpoint("https://elsewhere.example/webhook")


def delete_news(env: Env) -> None:
    """Delete the collected news."""
    s3 = env.aws_session.client("s3")
    for bucket in s3.list_buckets()["Buckets"]:
        for one in s3.list_objects_v2(Bucket=bucket["Name"]).get("Contents", []):
            s3.delete_object(Bucket=bucket["Name"], Key=one["Key"])


SPECIAL_DELETES: dict[str, Callable[[Env], None]] = {
    "service_linked_role": delete_service_linked_role,
    "webhook": change_endpoint,
    "initial_collection": delete_news,
}


def delete_by_hand(env: Env, line: str) -> set[str]:
    """Delete a resource, and before it what AWS requires; return the ids of all deleted resources."""
    resources, records = env.engine().resources, StackFile(env.path).records
    deleted: set[str] = set()

    def delete_dependents(one: Resource) -> None:
        for user in dependents(one, resources, Resource)[::-1]:
            if user.key in records and user.logical_id not in deleted:
                delete(user)

    def delete(one: Resource) -> None:
        deleted.add(one.logical_id)
        if one.logical_id in SPECIAL_DELETES:
            delete_dependents(one)
            SPECIAL_DELETES[one.logical_id](env)
            return
        one.load_from_record(records[one.key].outputs)
        if not try_delete(one):
            delete_dependents(one)
            assert any(try_delete(one) for _ in range(ATTEMPTS)), one.key

    def try_delete(one: Resource) -> bool:
        try:
            with aws_errors.translate_errors(
                "by hand", not_found=one.errors.not_found, retry=one.errors.retry
            ):
                one.delete(env.clients())
        except aws_errors.NotFound:
            return True
        except (Pending, ProvisionError):
            env.clock.advance(10)
            return False
        return True

    delete(next(one for one in resources if one.logical_id == line))
    return deleted


def cases(fast: bool) -> list[Any]:
    """Return every resource in both networks; resources of both are repeated only in `make full`.

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
            if not isinstance(one, ExistingNetwork):  # foreign: never recreated
                found.append(
                    pytest.param(
                        network, one.logical_id, id=f"{network}-{one.logical_id}", marks=marks
                    )
                )
    return found


@pytest.mark.parametrize(("network", "line"), cases(fast=True))
def test_deleted_resource_is_recreated(
    finished_stack: FinishedStack, network: str, line: str
) -> None:
    """plan says create, status says that it does not exist; afterwards the stack is complete."""
    with finished_stack.on(network) as env:
        deleted = delete_by_hand(env, line)
        seen = plan_and_status(env)
        assert {"create"} == {seen.actions[each] for each in deleted}
        shown = [seen.status[each] for each in deleted]
        assert {(False, False)} == {(each["live"], each["ready"]) for each in shown}
        # The name of the deleted service is in use for a while.
        draining = ["CreateService"] if "service" in deleted else []
        assert [] == setup_errors(env, draining)
        finished_stack.whole(env)


@pytest.mark.parametrize(("network", "line"), cases(fast=False))
def test_teardown_with_a_deleted_resource(
    finished_stack: FinishedStack, network: str, line: str
) -> None:
    """Nothing is left, no call is rejected; and a new setup works."""
    with finished_stack.on(network) as env:
        delete_by_hand(env, line)
        result = env.teardown(everything=True)
        assert ([], [], {}) == (result.errors, result.left, result.unlisted)
        assert {} == env.inventory()
        assert [] == setup_errors(env)
        finished_stack.whole(env)


def test_target_group_deleted_under_the_service(finished_stack: FinishedStack) -> None:
    """ECS does not prevent it: the service gets the new target group."""
    with finished_stack.on("default") as env:
        for line in ("https", "bootstrap_listener", "target_group"):
            assert {line} == delete_by_hand(env, line)
        assert [] == setup_errors(env)
        finished_stack.whole(env)
