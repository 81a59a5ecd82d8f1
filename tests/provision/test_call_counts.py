"""How many calls each command makes: unlike times, counts do not depend on the machine.

benchmarks/floor.py has the minimum number of calls for the same stack, benchmarks/setup.py measures times.
"""

from collections import Counter

from benchmarks import floor
from provision.engine.inventory import list_inventory
from provision.resources.base import Resource
from provision.resources.listener import Listener, Rule
from provision.resources.parameter import Parameter
from provision.resources.record_set import RecordSet
from provision.resources.role import Role, RolePolicy
from provision.resources.schedule import Scheduled
from provision.resources.security_group import IngressRule, SecurityGroup
from provision.resources.task_definition import Family
from provision.sandbox.delays import Delays
from provision.state.stack_file import StackFile
from provision.wizard import recovery
from tests.provision.conftest import READING, Env
from tests.provision.round_trips import RoundTrips

# Calls that a setup makes several times, and what each creates.
CREATE_CALLS: dict[str, type[Resource]] = {
    "CreateRole": Role,
    "PutRolePolicy": RolePolicy,
    "PutParameter": Parameter,
    "CreateSecurityGroup": SecurityGroup,
    "AuthorizeSecurityGroupIngress": IngressRule,
    "AuthorizeSecurityGroupEgress": SecurityGroup,
    "RevokeSecurityGroupEgress": SecurityGroup,
    "CreateListener": Listener,
    "CreateRule": Rule,
    "ChangeResourceRecordSets": RecordSet,
    "RegisterTaskDefinition": Family,
    "CreateSchedule": Scheduled,
}
DELETE_CALLS: dict[str, type[Resource]] = {
    "DeleteRole": Role,
    "DeleteParameter": Parameter,
}


def expected_counts(env: Env, operations: dict[str, type[Resource]]) -> dict[str, int]:
    """Return how often each would be called if called once for every resource of its kind."""
    found = resources(env)
    return {name: sum(isinstance(r, kind) for r in found) for name, kind in operations.items()}


def resources(env: Env) -> list[Resource]:
    """Return the stack's resources."""
    return env.stack().resources


def calls(env: Env) -> Counter[str]:
    """Return the AWS calls since the last time this was called, by operation."""
    made = Counter(env.aws_session.calls)
    env.aws_session.calls.clear()
    del made["SetWebhookEndpoint"]
    return made


def test_setup_makes_few_calls(env: Env) -> None:
    """At most 1.5 times the minimum; nothing is created or set twice."""
    assert [] == env.setup().errors
    made = calls(env)
    assert made.total() <= 1.5 * floor.setup_calls(resources(env))
    assert expected_counts(env, CREATE_CALLS) == {name: made[name] for name in CREATE_CALLS}
    changed = {name for name, times in made.items() if times > 1 and not name.startswith(READING)}
    assert set() == changed - set(CREATE_CALLS)


def test_second_setup_makes_as_many_calls_as_an_inspection(env: Env) -> None:
    """It changes nothing; both stay near the minimum."""
    env.setup()
    calls(env)
    env.engine().inspect()
    inspected = calls(env)
    assert inspected.total() <= 1.3 * floor.inspection_calls(resources(env))
    env.setup()
    again = calls(env)
    assert [] == [name for name in again if not name.startswith(READING)]
    assert again.total() <= inspected.total() + 5  # for milestones


def test_round_trips(env: Env) -> None:
    """Everything is inspected in three round trips; on a slow machine a thread may miss one."""
    env.setup()
    rounds = RoundTrips()
    env.aws_session.before = rounds.hold
    env.engine().inspect()
    assert rounds.take() <= 5
    assert [] == env.setup().errors
    assert rounds.take() <= 5
    env.engine().check_teardown(everything=True)
    assert rounds.take() <= 6  # and one more


def test_recover_lists_the_account_once(env: Env) -> None:
    """One listing serves both the settings and the records; an inspection follows."""
    env.setup()
    polls = floor.inspection_calls(resources(env))
    calls(env)
    list_inventory(env.clients(), env.clock, "news-bot")
    listed = calls(env)
    env.path.write_text(env.path.read_text().partition("\n# What exists")[0])
    recovery.recover_if_empty(StackFile(env.path), env.clients(), env.clock, ())
    assert calls(env).total() <= listed.total() + 1.3 * polls


def test_waiting_in_setup_makes_few_calls(env: Env) -> None:
    """With AWS's delays still at most 1.5 times the minimum: polling is rare while the end is far."""
    env.sandbox.cloud.delays.__dict__.update(vars(Delays()))
    assert [] == env.setup().errors
    made = calls(env)
    del made["GetObject"]  # the collector's own
    assert made.total() <= 1.5 * floor.setup_calls(resources(env))
    polls = {"DescribeLoadBalancers": 6, "DescribeCertificate": 16, "DescribeServices": 14}
    assert {} == {name: made[name] for name, most in polls.items() if made[name] > most}
    assert (1, 1) == (made["RunTask"], made["CreateService"])
    # No call was repeated because a role was too new.
    assert made["CreateSchedule"] == expected_counts(env, CREATE_CALLS)["CreateSchedule"]


def test_teardown_makes_few_calls(env: Env) -> None:
    """External use is checked before, leftovers after; in between each resource takes one delete call.

    Except security groups: deleted in parallel with what used them, they may need a second call.
    """
    env.setup()
    calls(env)
    result = env.teardown()
    assert ([], []) == (result.errors, result.left)
    made = calls(env)
    assert made.total() <= 2 * floor.teardown_calls(resources(env))
    assert expected_counts(env, DELETE_CALLS) == {name: made[name] for name in DELETE_CALLS}
    groups = expected_counts(env, {"DeleteSecurityGroup": SecurityGroup})
    least = groups["DeleteSecurityGroup"]
    assert least <= made["DeleteSecurityGroup"] <= 2 * least


def test_waiting_in_teardown_makes_few_calls(env: Env) -> None:
    """The longer a deletion takes, the rarer it is polled."""
    env.setup()
    env.sandbox.cloud.delays.__dict__.update(vars(Delays()))
    calls(env)
    env.teardown()
    made = calls(env)
    polls = {"DeleteSecurityGroup": 40, "DeleteCertificate": 20, "DescribeServices": 40}
    assert {} == {name: made[name] for name, most in polls.items() if made[name] > most}
