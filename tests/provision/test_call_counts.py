"""How many calls each walk makes: times depend on the machine, these do not (benchmarks/setup.py has times).

The floor is benchmarks/floor.py's: as few calls as could do it, counted over the same stack.
"""

from collections import Counter

from benchmarks import floor
from provision.engine.inventory import list_inventory
from provision.resources.base import Resource
from provision.resources.listener import Listener
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

MADE: dict[str, type[Resource]] = {  # the calls of which a setup makes several, and what each makes
    "CreateRole": Role,
    "PutRolePolicy": RolePolicy,
    "PutParameter": Parameter,
    "CreateSecurityGroup": SecurityGroup,
    "AuthorizeSecurityGroupIngress": IngressRule,
    "CreateListener": Listener,
    "ChangeResourceRecordSets": RecordSet,
    "RegisterTaskDefinition": Family,
    "CreateSchedule": Scheduled,
}
GONE: dict[str, type[Resource]] = {
    "DeleteRole": Role,
    "DeleteParameter": Parameter,
}


def many(env: Env, operations: dict[str, type[Resource]]) -> dict[str, int]:
    """How often each would be called if it were called once for everything of its kind."""
    found = resources(env)
    return {name: sum(isinstance(r, kind) for r in found) for name, kind in operations.items()}


def resources(env: Env) -> list[Resource]:
    """The stack's."""
    return env.stack().resources


def calls(env: Env) -> Counter[str]:
    """Those since the last time this was asked, by operation; LINE's are not AWS's."""
    made = Counter(env.aws_session.calls)
    env.aws_session.calls.clear()
    del made["SetWebhookEndpoint"]
    return made


def test_setup(env: Env) -> None:
    """At most half as many calls again as the floor needs; nothing is made or set twice."""
    assert [] == env.setup().errors
    made = calls(env)
    assert made.total() <= 1.5 * floor.setup_calls(resources(env))
    assert many(env, MADE) == {name: made[name] for name in MADE}
    changed = {name for name, times in made.items() if times > 1 and not name.startswith(READING)}
    assert set() == changed - set(MADE)


def test_rerun_and_look(env: Env) -> None:
    """A rerun asks what a look asks, and changes nothing; both stay near the floor."""
    env.setup()
    calls(env)
    env.engine().inspect()
    looked = calls(env)
    assert looked.total() <= 1.3 * floor.look_calls(resources(env))
    env.setup()
    again = calls(env)
    assert [] == [name for name in again if not name.startswith(READING)]
    assert again.total() <= looked.total() + 5  # milestones are reached, not looked at


def test_round_trips(env: Env) -> None:
    """Everything is looked at in three; on a slow machine a thread may come too late for its own."""
    env.setup()
    rounds = RoundTrips()
    env.aws_session.before = rounds.hold
    env.engine().inspect()
    assert rounds.take() <= 5
    assert [] == env.setup().errors
    assert rounds.take() <= 5
    env.engine().check_teardown(everything=True)
    assert rounds.take() <= 6  # and one more


def test_recover(env: Env) -> None:
    """What the account holds is listed once, to tell the settings and for the records; then comes a look."""
    env.setup()
    looks = floor.look_calls(resources(env))
    calls(env)
    list_inventory(env.clients(), env.clock, "news-bot")
    listed = calls(env)
    env.path.unlink()
    recovery.recover_if_empty(StackFile(env.path), env.clients(), env.clock, ())
    assert calls(env).total() <= listed.total() + 1.3 * looks


def test_waiting_costs_few_calls(env: Env) -> None:
    """Minutes of AWS's time, and still half as many calls again as the floor: rare while the end is far."""
    env.sandbox.cloud.delays.__dict__.update(vars(Delays()))
    assert [] == env.setup().errors
    made = calls(env)
    del made["GetObject"]  # the collector's own
    assert made.total() <= 1.5 * floor.setup_calls(resources(env))
    looks = {"DescribeLoadBalancers": 6, "DescribeCertificate": 16, "DescribeServices": 14}
    assert {} == {name: made[name] for name, most in looks.items() if made[name] > most}
    assert (1, 1) == (made["RunTask"], made["CreateService"])
    assert made["CreateSchedule"] == many(env, MADE)["CreateSchedule"]  # no role was too young


def test_teardown(env: Env) -> None:
    """What others use is looked for before, what is left after; in between each goes with one call.

    But for security groups: side by side with what used them, they may come a moment too soon.
    """
    env.setup()
    calls(env)
    gone = env.teardown()
    assert ([], []) == (gone.errors, gone.left)
    made = calls(env)
    assert made.total() <= 2 * floor.teardown_calls(resources(env))
    assert many(env, GONE) == {name: made[name] for name in GONE}
    groups = many(env, {"DeleteSecurityGroup": SecurityGroup})
    least = groups["DeleteSecurityGroup"]
    assert least <= made["DeleteSecurityGroup"] <= 2 * least


def test_teardown_waits_with_few_calls(env: Env) -> None:
    """The longer it takes, the rarer they are."""
    env.setup()
    env.sandbox.cloud.delays.__dict__.update(vars(Delays()))
    calls(env)
    env.teardown()
    made = calls(env)
    looks = {"DeleteSecurityGroup": 40, "DeleteCertificate": 20, "DescribeServices": 40}
    assert {} == {name: made[name] for name, most in looks.items() if made[name] > most}
