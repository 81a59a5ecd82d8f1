"""Setup: what is created, what is on disk when, and what waits for what."""

import pytest
import yaml

from provision.engine.engine import Engine
from provision.engine.plan import Plan, plan
from provision.pricing import prices
from provision.resources.base import Milestone
from provision.sandbox.delays import Delays
from provision.state.stack_file import StackFile
from tests.provision.conftest import READING, WHOLE, Env


def make_plan(engine: Engine) -> Plan:
    """Return the plan of a new inspection."""
    return plan(engine.inspect(), engine.orphans(), prices("ap-northeast-1"))


def test_setup_creates_a_working_stack(env: Env) -> None:
    """The account contains the complete stack, LINE has the endpoint, and a message is answered.

    stack.yaml has mode 0600; neither of LINE's secrets is in it, or in an event.
    """
    outcome = env.setup()
    assert ([], []) == (outcome.errors, outcome.outside)
    assert WHOLE == env.inventory()
    assert "https://example.jp/webhook" == env.sandbox.line.endpoint
    message = env.sandbox.line.send("help", "U" + "1" * 32)
    assert (200, 1) == (message["status"], len(message["reply"]))
    assert 0o600 == env.path.stat().st_mode & 0o777
    for secret in (env.sandbox.line.access_token, env.sandbox.line.channel_secret):
        assert secret not in env.path.read_text() + repr(env.events) + repr(env.secrets)


def test_second_setup_changes_nothing(shared_env: Env) -> None:
    """No mutating call is made, and every action in the plan is keep."""
    shared_env.changes()
    found = make_plan(shared_env.engine())
    assert {"keep"} == {step.action for step in found.steps}
    assert (0, []) == (found.seconds, found.errors)
    shared_env.setup()
    assert [] == shared_env.changes()


def test_inspection_makes_few_calls(shared_env: Env) -> None:
    """At most two reads per resource of a complete stack."""
    shared_env.aws_session.calls.clear()
    observations = shared_env.engine().inspect()
    assert len(shared_env.aws_session.calls) <= 2 * len(observations)


def test_record_is_on_disk_before_every_create(env: Env) -> None:
    """When a create call is sent, the file already says `creating`."""
    states: dict[str, str] = {}

    def read_file(operation: str) -> None:
        event, line = env.now
        if event == "creating" and not operation.startswith(READING) and line not in states:
            records = yaml.safe_load(env.path.read_text())["resources"]
            states[line] = next(
                r["state"] for key, r in records.items() if key.partition("/")[0] == line
            )

    env.aws_session.before = read_file
    env.setup()
    made = {
        r.logical_id
        for r in env.stack().resources
        if not isinstance(r, Milestone) and r.logical_id != "network"
    }
    assert dict.fromkeys(made, "creating") == states


@pytest.fixture
def aws_delays() -> Delays:
    """Return AWS's median delays."""
    return Delays()


class TestWithAwsDelays:
    """Setup and teardown with AWS's delays."""

    @pytest.fixture
    def delays(self, aws_delays: Delays) -> Delays:
        """Return AWS's median delays."""
        return aws_delays

    def test_waits_overlap(self, env: Env) -> None:
        """Setup takes little more than its longest chain: the load balancer's 150 s, not the sum of waits."""
        began = env.clock.now()
        outcome = env.setup()
        assert ([], []) == (outcome.errors, outcome.outside)
        assert env.clock.now() - began < 1.25 * env.sandbox.cloud.delays.load_balancer

    def test_teardown_leaves_nothing(self, env: Env) -> None:
        """It waits for draining services and remaining network interfaces."""
        env.setup()
        result = env.teardown()
        assert ([], []) == (result.errors, result.left)
        assert {} == env.inventory()
        assert {"network/default", "service_linked_role"} == set(result.kept)

    def test_missing_delegation(self, env: Env) -> None:
        """Everything but the HTTPS listener and the webhook is created; the same command finishes later."""
        env.at_registrar = False
        outcome = env.setup(wait=0)
        assert [] == outcome.errors
        assert outcome.outside
        assert all(why.outside for why in outcome.outside)
        assert WHOLE | {"listener": 1, "rule": 1} == env.inventory()
        assert "" == env.engine().inspect()["steady_service"].waiting
        servers = StackFile(env.path).records["zone/example.jp"].outputs["name_servers"]
        assert all(server in str(outcome.outside[0].reason) for server in servers)
        env.at_registrar = True
        outcome = env.setup()
        assert ([], []) == (outcome.errors, outcome.outside)
        assert WHOLE == env.inventory()


def test_delegation_after_the_schedule_stopped_the_bot(env: Env) -> None:
    """Setup succeeds although the schedule has stopped the service meanwhile."""
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
    """With the console's switch off nothing fails, the switch is named, and the same command continues."""
    env.sandbox.line.active = False
    outcome = env.setup(wait=0)
    assert [] == outcome.errors
    assert [
        '"Use webhook" is off: turn it on at https://developers.line.biz/console/ (your channel, tab '
        '"Messaging API")'
    ] == [why.reason for why in outcome.outside]
    env.sandbox.line.active = True
    outcome = env.setup(wait=0)
    assert ([], []) == (outcome.errors, outcome.outside)
