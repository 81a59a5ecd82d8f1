"""Setup, as a walk: what comes to be, what is on disk when, what waits for whom."""

import pytest
import yaml

from provision.engine.engine import Engine
from provision.engine.plan import Plan, plan
from provision.pricing import prices
from provision.resources.base import Milestone
from provision.sandbox.delays import Delays
from provision.state.stack_file import StackFile
from tests.provision.conftest import READING, WHOLE, Env


def planned(engine: Engine) -> Plan:
    """The plan from a fresh look."""
    return plan(engine.inspect(), engine.orphans(), prices("ap-northeast-1"))


def test_one_of_everything_and_the_bot_answers(env: Env) -> None:
    """After setup the account holds the whole stack, LINE knows it, and a message is answered."""
    outcome = env.setup()
    assert ([], []) == (outcome.errors, outcome.outside)
    assert WHOLE == env.inventory()
    assert "https://example.jp/webhook" == env.sandbox.line.endpoint
    told = env.sandbox.line.send("help", "U" + "1" * 32)
    assert (200, 1) == (told["status"], len(told["reply"]))


def test_second_setup_changes_nothing(env: Env) -> None:
    """Everything is kept: no changing call, and a plan in which every action is keep."""
    env.setup()
    env.changes()
    found = planned(env.engine())
    assert {"keep"} == {step.action for step in found.steps}
    assert (0, []) == (found.seconds, found.errors)
    env.setup()
    assert [] == env.changes()


def test_rerun_is_a_few_round_trips(env: Env) -> None:
    """A look at a whole stack costs at most two reads a resource."""
    env.setup()
    env.aws_session.calls.clear()
    observations = env.engine().inspect()
    assert len(env.aws_session.calls) <= 2 * len(observations)


def test_intent_is_on_disk_before_every_create(env: Env) -> None:
    """When a create call goes out, the file already says `creating`; when it is answered, more is known."""
    seen: dict[str, str] = {}

    def look_at_file(operation: str) -> None:
        event, line = env.now
        if event == "creating" and not operation.startswith(READING) and line not in seen:
            records = yaml.safe_load(env.path.read_text())["resources"]
            seen[line] = next(
                r["state"] for key, r in records.items() if key.partition("/")[0] == line
            )

    env.aws_session.before = look_at_file
    env.setup()
    made = {
        r.logical_id
        for r in env.stack().resources
        if not isinstance(r, Milestone) and r.logical_id != "network"
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

    def test_waits_overlap(self, env: Env) -> None:
        """Setup takes little more than its longest chain: the load balancer's 150 s, not the sum of waits."""
        began = env.clock.now()
        outcome = env.setup()
        assert ([], []) == (outcome.errors, outcome.outside)
        assert env.clock.now() - began < 1.25 * env.sandbox.cloud.delays.load_balancer

    def test_teardown_leaves_nothing(self, env: Env) -> None:
        """Draining services and network interfaces that live on are waited for."""
        env.setup()
        gone = env.teardown()
        assert ([], []) == (gone.errors, gone.left)
        assert {} == env.inventory()
        assert {"network/default", "service_linked_role"} == set(gone.kept)

    def test_registrar_not_done(self, env: Env) -> None:
        """All but the HTTPS listener and the webhook comes to be; the same command finishes later."""
        env.at_registrar = False
        outcome = env.setup(wait=0)
        assert [] == outcome.errors
        assert outcome.outside
        assert all(why.outside for why in outcome.outside)
        missing = {"listener": 1}
        assert {k: v for k, v in WHOLE.items() if k != "listener"} | missing == env.inventory()
        assert "" == env.engine().inspect()["steady_service"].waiting
        servers = StackFile(env.path).records["zone/example.jp"].outputs["name_servers"]
        assert all(server in str(outcome.outside[0].reason) for server in servers)
        env.at_registrar = True
        outcome = env.setup()
        assert ([], []) == (outcome.errors, outcome.outside)
        assert WHOLE == env.inventory()


def test_delegated_while_the_bot_sleeps(env: Env) -> None:
    """The schedule's stop fired while the person was at the registrar: setup ends well all the same."""
    env.at_registrar = False
    env.setup(wait=0)
    ecs = env.aws_session.client("ecs")
    ecs.update_service(cluster="news-bot", service="news-bot", desiredCount=0)
    env.clock.advance(60)
    env.at_registrar = True
    outcome = env.setup()
    assert ([], []) == (outcome.errors, outcome.outside)
    assert "https://example.jp/webhook" == env.sandbox.line.endpoint


def test_use_webhook_switched_off(env: Env) -> None:
    """The console's switch is off: nothing failed, the switch is named, and the same command goes on."""
    env.sandbox.line.active = False
    outcome = env.setup(wait=0)
    assert [] == outcome.errors
    assert ["Use webhook"] == [why.reason.split('"')[1] for why in outcome.outside]
    env.sandbox.line.active = True
    outcome = env.setup(wait=0)
    assert ([], []) == (outcome.errors, outcome.outside)


def test_nobody_reads_the_secrets_in_the_file(env: Env) -> None:
    """Neither of LINE's secrets is in stack.yaml, nor in an event."""
    env.setup()
    env.secrets = type(env.secrets)("another-token", "another-secret")
    for secret in (env.sandbox.line.access_token, env.sandbox.line.channel_secret, "another-"):
        assert secret not in env.path.read_text()
        assert secret not in repr(env.events) + repr(env.secrets)


def test_file_is_for_its_owner_only(env: Env) -> None:
    """Mode 0600."""
    env.setup()
    assert 0o600 == env.path.stat().st_mode & 0o777
