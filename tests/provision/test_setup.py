"""Setup, as a walk: what comes to be, what is on disk when, what waits for whom."""

import pytest
import yaml

from provision.engine import Engine
from provision.plan import Plan, plan
from provision.prices import prices
from provision.resource import Milestone
from provision.sandbox.delays import Delays
from provision.stackfile import StackFile
from tests.provision.conftest import READING, WHOLE, Desk


def planned(engine: Engine) -> Plan:
    """The plan from a fresh look."""
    return plan(engine.look(), engine.orphans(), prices("ap-northeast-1"))


def test_one_of_everything_and_the_bot_answers(desk: Desk) -> None:
    """After setup the account holds the whole stack, LINE knows it, and a message is answered."""
    outcome = desk.setup()
    assert ([], []) == (outcome.refusals, outcome.outside)
    assert WHOLE == desk.inventory()
    assert "https://example.jp/webhook" == desk.sandbox.line.endpoint
    told = desk.sandbox.line.send("help", "U" + "1" * 32)
    assert (200, 1) == (told["status"], len(told["reply"]))


def test_second_setup_changes_nothing(desk: Desk) -> None:
    """Everything is kept: no changing call, and a plan in which every action is keep."""
    desk.setup()
    desk.changes()
    found = planned(desk.engine())
    assert {"keep"} == {step.action for step in found.steps}
    assert (0, []) == (found.seconds, found.refusals)
    desk.setup()
    assert [] == desk.changes()


def test_rerun_is_a_few_round_trips(desk: Desk) -> None:
    """A look at a whole stack costs at most two reads a resource."""
    desk.setup()
    desk.cable.calls.clear()
    sights = desk.engine().look()
    assert len(desk.cable.calls) <= 2 * len(sights)


def test_intent_is_on_disk_before_every_create(desk: Desk) -> None:
    """When a create call goes out, the file already says `creating`; when it is answered, more is known."""
    seen: dict[str, str] = {}

    def look_at_file(operation: str) -> None:
        event, line = desk.now
        if event == "creating" and not operation.startswith(READING) and line not in seen:
            records = yaml.safe_load(desk.path.read_text())["resources"]
            seen[line] = next(
                r["state"] for key, r in records.items() if key.partition("/")[0] == line
            )

    desk.cable.before = look_at_file
    desk.setup()
    made = {
        r.line
        for r in desk.stack().resources
        if not isinstance(r, Milestone) and r.line != "network"
    }
    assert dict.fromkeys(made, "creating") == seen


@pytest.fixture
def aws_pace() -> Delays:
    """AWS's own medians."""
    return Delays()


class TestAtAwsPace:
    """With AWS's delays on."""

    @pytest.fixture
    def delays(self, aws_pace: Delays) -> Delays:
        """AWS's medians."""
        return aws_pace

    def test_waits_overlap(self, desk: Desk) -> None:
        """Setup takes little more than its longest chain: the load balancer's 150 s, not the sum of waits."""
        began = desk.clock.now()
        outcome = desk.setup()
        assert ([], []) == (outcome.refusals, outcome.outside)
        assert desk.clock.now() - began < 1.25 * desk.sandbox.cloud.delays.load_balancer

    def test_teardown_leaves_nothing(self, desk: Desk) -> None:
        """Draining services and network interfaces that live on are waited for."""
        desk.setup()
        gone = desk.teardown()
        assert ([], []) == (gone.refusals, gone.left)
        assert {} == desk.inventory()
        assert {"network/default", "service_linked_role"} == set(gone.kept)

    def test_registrar_not_done(self, desk: Desk) -> None:
        """All but the HTTPS listener and the webhook comes to be; the same command finishes later."""
        desk.at_registrar = False
        outcome = desk.setup(wait=0)
        assert [] == outcome.refusals
        assert outcome.outside
        assert all(why.outside for why in outcome.outside)
        missing = {"listener": 1}
        assert {k: v for k, v in WHOLE.items() if k != "listener"} | missing == desk.inventory()
        assert "" == desk.engine().look()["steady_service"].waiting
        servers = StackFile(desk.path).records["zone/example.jp"].outputs["name_servers"]
        assert all(server in str(outcome.outside[0].reason) for server in servers)
        desk.at_registrar = True
        outcome = desk.setup()
        assert ([], []) == (outcome.refusals, outcome.outside)
        assert WHOLE == desk.inventory()


def test_delegated_while_the_bot_sleeps(desk: Desk) -> None:
    """The schedule's stop fired while the person was at the registrar: setup ends well all the same."""
    desk.at_registrar = False
    desk.setup(wait=0)
    ecs = desk.cable.client("ecs")
    ecs.update_service(cluster="news-bot", service="news-bot", desiredCount=0)
    desk.clock.advance(60)
    desk.at_registrar = True
    outcome = desk.setup()
    assert ([], []) == (outcome.refusals, outcome.outside)
    assert "https://example.jp/webhook" == desk.sandbox.line.endpoint


def test_use_webhook_switched_off(desk: Desk) -> None:
    """The console's switch is off: nothing failed, the switch is named, and the same command goes on."""
    desk.sandbox.line.active = False
    outcome = desk.setup(wait=0)
    assert [] == outcome.refusals
    assert ["Use webhook"] == [why.reason.split('"')[1] for why in outcome.outside]
    desk.sandbox.line.active = True
    outcome = desk.setup(wait=0)
    assert ([], []) == (outcome.refusals, outcome.outside)


def test_nobody_reads_the_secrets_in_the_file(desk: Desk) -> None:
    """Neither of LINE's secrets is in stack.yaml, nor in an event."""
    desk.setup()
    desk.secrets = type(desk.secrets)("another-token", "another-secret")
    for secret in (desk.sandbox.line.access_token, desk.sandbox.line.channel_secret, "another-"):
        assert secret not in desk.path.read_text()
        assert secret not in repr(desk.events) + repr(desk.secrets)


def test_file_is_for_its_owner_only(desk: Desk) -> None:
    """Mode 0600."""
    desk.setup()
    assert 0o600 == desk.path.stat().st_mode & 0o777
