"""How many calls each walk makes: times depend on the machine, these do not (benchmarks/setup.py has times).

The floor is benchmarks/floor.py's: as few calls as could do it, counted over the same stack.
"""

from collections import Counter

from benchmarks import floor
from provision import recover
from provision.account import holdings
from provision.resource import Resource
from provision.resources.listener import Listener
from provision.resources.parameter import Parameter
from provision.resources.record_set import RecordSet
from provision.resources.role import Role, RolePolicy
from provision.resources.schedule import Scheduled
from provision.resources.security_group import IngressRule, SecurityGroup
from provision.resources.task_definition import Family
from provision.sandbox.delays import Delays
from provision.stackfile import StackFile

from .conftest import READING, Desk
from .rounds import Rounds

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


def many(desk: Desk, operations: dict[str, type[Resource]]) -> dict[str, int]:
    """How often each would be called if it were called once for everything of its kind."""
    found = resources(desk)
    return {name: sum(isinstance(r, kind) for r in found) for name, kind in operations.items()}


def resources(desk: Desk) -> list[Resource]:
    """The stack's."""
    return desk.stack().resources


def calls(desk: Desk) -> Counter[str]:
    """Those since the last time this was asked, by operation; LINE's are not AWS's."""
    made = Counter(desk.cable.calls)
    desk.cable.calls.clear()
    del made["SetWebhookEndpoint"]
    return made


def test_setup(desk: Desk) -> None:
    """At most half as many calls again as the floor needs; nothing is made or set twice."""
    assert [] == desk.setup().refusals
    made = calls(desk)
    assert made.total() <= 1.5 * floor.setup_calls(resources(desk))
    assert many(desk, MADE) == {name: made[name] for name in MADE}
    changed = {name for name, times in made.items() if times > 1 and not name.startswith(READING)}
    assert set() == changed - set(MADE)


def test_rerun_and_look(desk: Desk) -> None:
    """A rerun asks what a look asks, and changes nothing; both stay near the floor."""
    desk.setup()
    calls(desk)
    desk.engine().look()
    looked = calls(desk)
    assert looked.total() <= 1.3 * floor.look_calls(resources(desk))
    desk.setup()
    again = calls(desk)
    assert [] == [name for name in again if not name.startswith(READING)]
    assert again.total() <= looked.total() + 5  # milestones are reached, not looked at


def test_round_trips(desk: Desk) -> None:
    """Everything is looked at in three; on a slow machine a thread may come too late for its own."""
    desk.setup()
    rounds = Rounds()
    desk.cable.before = rounds.hold
    desk.engine().look()
    assert rounds.taken() <= 5
    assert [] == desk.setup().refusals
    assert rounds.taken() <= 5
    desk.engine().foresee_teardown(everything=True)
    assert rounds.taken() <= 6  # and one more


def test_recover(desk: Desk) -> None:
    """What the account holds is listed once, to tell the settings and for the records; then comes a look."""
    desk.setup()
    looks = floor.look_calls(resources(desk))
    calls(desk)
    holdings(desk.doors(), desk.clock, "news-bot")
    listed = calls(desk)
    desk.path.unlink()
    recover.by_itself(StackFile(desk.path), desk.doors(), desk.clock, ())
    assert calls(desk).total() <= listed.total() + 1.3 * looks


def test_waiting_costs_few_calls(desk: Desk) -> None:
    """Minutes of AWS's time, and still half as many calls again as the floor: rare while the end is far."""
    desk.sandbox.cloud.delays.__dict__.update(vars(Delays()))
    assert [] == desk.setup().refusals
    made = calls(desk)
    del made["GetObject"]  # the collector's own
    assert made.total() <= 1.5 * floor.setup_calls(resources(desk))
    looks = {"DescribeLoadBalancers": 6, "DescribeCertificate": 16, "DescribeServices": 14}
    assert {} == {name: made[name] for name, most in looks.items() if made[name] > most}
    assert (1, 1) == (made["RunTask"], made["CreateService"])
    assert made["CreateSchedule"] == many(desk, MADE)["CreateSchedule"]  # no role was too young


def test_teardown(desk: Desk) -> None:
    """What others use is looked for before, what is left after; in between each goes with one call.

    But for security groups: side by side with what used them, they may come a moment too soon.
    """
    desk.setup()
    calls(desk)
    gone = desk.teardown()
    assert ([], []) == (gone.refusals, gone.left)
    made = calls(desk)
    assert made.total() <= 2 * floor.teardown_calls(resources(desk))
    assert many(desk, GONE) == {name: made[name] for name in GONE}
    groups = many(desk, {"DeleteSecurityGroup": SecurityGroup})
    least = groups["DeleteSecurityGroup"]
    assert least <= made["DeleteSecurityGroup"] <= 2 * least


def test_teardown_waits_with_few_calls(desk: Desk) -> None:
    """The longer it takes, the rarer they are."""
    desk.setup()
    desk.sandbox.cloud.delays.__dict__.update(vars(Delays()))
    calls(desk)
    desk.teardown()
    made = calls(desk)
    looks = {"DeleteSecurityGroup": 40, "DeleteCertificate": 20, "DescribeServices": 40}
    assert {} == {name: made[name] for name, most in looks.items() if made[name] > most}
