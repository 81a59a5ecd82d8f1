"""A finished stack that one test hands on to the next, whole again: building one is what costs time."""

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

# What a network of its own adds; the route tables are the VPC's main one and ours.
NETWORK = {"association": 3, "internet gateway": 1, "route table": 2, "subnet": 3, "vpc": 1}
WHOLES = {"default": WHOLE, "new": {**WHOLE, **NETWORK}}


def made(network: str) -> list[Resource]:
    """Every resource of the whole stack that is made by a call, by stack.py itself."""
    stack = Stack(Settings({**ANSWERS, "network.vpc": network}), Secrets(), {})
    return [one for one in stack.resources if not isinstance(one, Milestone)]


@dataclass(frozen=True)
class Seen:
    """What one look at everything says."""

    plan: Plan
    status: dict[str, dict[str, Any]]  # `provision status --json`, by line of stack.py

    @property
    def actions(self) -> dict[str, str | None]:
        """What setup would do, by line of stack.py; nothing of what would stay as it is."""
        return {_line(step.key): step.action for step in self.plan.changes}

    @property
    def differences(self) -> set[tuple[str, str]]:
        """What differs, by line and property; plan and status say the same."""
        by_plan = {(_line(s.key), d.path) for s in self.plan.steps for d in s.differences}
        by_status = {(line, d["path"]) for line, told in self.status.items() for d in told["drift"]}
        assert by_plan == by_status
        return by_plan


def _line(key: str) -> str:
    return key.partition("/")[0]


def look(env: Env) -> Seen:
    """`provision plan` and `provision status`."""
    engine = env.engine()
    observations = engine.inspect()
    told = {
        observation.resource.logical_id: entry(observation) for observation in observations.values()
    }
    stay = engine.retained_orphans()
    orphans = [orphan for orphan in engine.orphans() if orphan.key not in stay]
    return Seen(plan(observations, orphans, prices("ap-northeast-1")), told)


def errors(env: Env, refused: Collection[str] = ()) -> list[str]:
    """`provision setup`, and how it ended: what was refused, what is waited for outside.

    refused: the calls that AWS may refuse meanwhile.
    """
    outcome = env.setup(refused=refused)
    return [str(one) for one in (*outcome.errors, *outcome.outside)]


def answers(env: Env) -> bool:
    """Whether the bot answers a message now."""
    return bool(env.sandbox.line.send("help", "U" + "1" * 32)["reply"])


@contextmanager
def asked(env: Env) -> Iterator[list[str]]:
    """After every changing call a message that LINE sends then; the calls after which it was not answered."""
    silent: list[str] = []
    asking = False

    def ask(operation: str) -> None:
        nonlocal asking
        if asking or operation.startswith(READING):
            return
        asking = True
        if not answers(env):
            silent.append(operation)
        asking = False

    env.aws_session.after = ask
    yield silent
    env.aws_session.free()


class FinishedStack:
    """Finished stacks, one at a time."""

    def __init__(self, opened: Callable[[], AbstractContextManager[Env]]) -> None:
        self._opened = opened
        self._open: AbstractContextManager[Env] | None = None
        self._desk: Env | None = None
        self._network = ""

    @contextmanager
    def on(self, network: str) -> Iterator[Env]:
        """One in that network. Whoever has it makes it whole again; after a failure it is built anew."""
        if self._network != network:
            self.close()
        if self._desk is None:
            self._open = self._opened()
            self._desk, self._network = self._open.__enter__(), network
            self._desk.set(network__vpc=network)
            assert [] == errors(self._desk)
        env = self._desk
        try:
            yield env
        except BaseException:
            self.close()
            raise

    def whole(self, env: Env) -> None:
        """One of everything, nothing more to change, and the bot answers. Former revisions are history."""
        assert WHOLES[self._network] == {**env.inventory(), "task definition": 2}
        seen = look(env)
        assert ({}, []) == (seen.actions, seen.plan.errors)
        assert answers(env)

    def close(self) -> None:
        """No stack any more."""
        if self._open is not None:
            self._open.__exit__(None, None, None)
        self._open, self._desk, self._network = None, None, ""
