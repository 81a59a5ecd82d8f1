"""A complete stack that tests share, each restoring it: building one is what takes time."""

from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

from provision.engine.plan import Plan, plan
from provision.pricing import prices
from provision.resources.base import Milestone, Resource
from provision.settings import Settings
from provision.stack import Secrets, Stack
from provision.status_report import entry
from tests.provision.conftest import ANSWERS, READING, WHOLE, Env

# What `network.vpc: new` adds; the route tables are the VPC's main one and ours.
NETWORK = {"association": 3, "internet gateway": 1, "route table": 2, "subnet": 3, "vpc": 1}
WHOLES = {"default": WHOLE, "new": {**WHOLE, **NETWORK}}


def created_resources(network: str) -> list[Resource]:
    """Return every resource of a complete stack that is created by a call, in stack.py's order."""
    stack = Stack(Settings({**ANSWERS, "network.vpc": network}), Secrets(), {})
    return [one for one in stack.resources if not isinstance(one, Milestone)]


@dataclass(frozen=True)
class Inspection:
    """The plan and the status of one inspection."""

    plan: Plan
    status: dict[str, dict[str, Any]]  # `provision status --json`, by line of stack.py

    @property
    def actions(self) -> dict[str, str | None]:
        """What setup would do, by logical id; unchanged resources are left out."""
        return {_line(step.key): step.action for step in self.plan.changes}

    @property
    def differences(self) -> set[tuple[str, str]]:
        """What differs, by logical id and property; plan and status must agree."""
        by_plan = {(_line(s.key), d.path) for s in self.plan.steps for d in s.differences}
        by_status = {(line, d["path"]) for line, told in self.status.items() for d in told["drift"]}
        assert by_plan == by_status
        return by_plan


def _line(key: str) -> str:
    return key.partition("/")[0]


def plan_and_status(env: Env) -> Inspection:
    """Return what `provision plan` and `provision status` report."""
    engine = env.engine()
    observations = engine.inspect()
    told = {
        observation.resource.logical_id: entry(observation) for observation in observations.values()
    }
    stay = engine.retained_orphans()
    orphans = [orphan for orphan in engine.orphans() if orphan.key not in stay]
    return Inspection(plan(observations, orphans, prices("ap-northeast-1")), told)


def setup_errors(env: Env, refused: Collection[str] = ()) -> list[str]:
    """Run `provision setup`, and return its errors and what it is still waiting for outside AWS.

    refused: the calls that AWS may reject meanwhile.
    """
    outcome = env.setup(refused=refused)
    return [str(one) for one in (*outcome.errors, *outcome.outside)]


def bot_answers(env: Env) -> bool:
    """Return whether the bot answers a message now."""
    return bool(env.sandbox.line.send("help", "U" + "1" * 32)["reply"])


@contextmanager
def record_outages(env: Env) -> Iterator[list[str]]:
    """Send the bot a message after every mutating call; yield the calls after which it did not answer."""
    silent: list[str] = []
    sending = False

    def send_message(operation: str) -> None:
        nonlocal sending
        if sending or operation.startswith(READING):
            return
        sending = True
        if not bot_answers(env):
            silent.append(operation)
        sending = False

    env.aws_session.after = send_message
    yield silent
    env.aws_session.free()


class FinishedStack:
    """Complete stacks, one at a time."""

    def __init__(self, opened: Callable[[], AbstractContextManager[Env]]) -> None:
        self._opened = opened
        self._open: AbstractContextManager[Env] | None = None
        self._env: Env | None = None
        self._network = ""

    @contextmanager
    def on(self, network: str) -> Iterator[Env]:
        """Yield a stack in that network. The test must restore it; after a failure it is built anew."""
        if self._network != network or self._is_gone():
            self.close()
        if self._env is None:
            self._open = self._opened()
            self._env, self._network = self._open.__enter__(), network
            self._env.set(network__vpc=network)
            assert [] == setup_errors(self._env)
        env = self._env
        try:
            yield env
        except BaseException:
            self.close()
            raise

    def _is_gone(self) -> bool:
        """Return whether a test in between had an account of its own: there is one in a process."""
        return bool(self._env and self._env.aws_session.application != self._env.sandbox.aws)

    def whole(self, env: Env) -> None:
        """Assert that the stack is complete, needs no change, and the bot answers. Ignore old revisions."""
        assert WHOLES[self._network] == {**env.inventory(), "task definition": 2}
        seen = plan_and_status(env)
        assert ({}, []) == (seen.actions, seen.plan.errors)
        assert bot_answers(env)

    def close(self) -> None:
        """Discard the stack."""
        if self._open is not None:
            self._open.__exit__(None, None, None)
        self._open, self._env, self._network = None, None, ""
