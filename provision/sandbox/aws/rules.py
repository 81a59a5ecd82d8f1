"""The registry of rules: where the sandbox answers as AWS does and moto does not."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from provision.sandbox.aws.calls import Call

if TYPE_CHECKING:
    from provision.sandbox.aws.account import Cloud

Answer = dict[str, Any]
Before = Callable[["Cloud", Call], Answer | None]
After = Callable[["Cloud", Call, Answer], None]

Enforcer = TypeVar("Enforcer", bound=Callable[..., Any])


@dataclass(frozen=True)
class Behaviour:
    """One thing that AWS does, the document that says so, and where the sandbox does it.

    `key` is "<service>.<what>", as the tests name it; `answer` is the code and HTTP status, or what
    is seen; `moto` says why its test passes on plain moto too, and is empty where it fails there.
    """

    key: str
    says: str
    answer: str
    source: str
    moto: str
    enforced_by: str


BEHAVIOURS: dict[str, Behaviour] = {}

_before: defaultdict[tuple[str, str], list[Before]] = defaultdict(list)
_after: defaultdict[tuple[str, str], list[After]] = defaultdict(list)


def behaves(
    key: str, says: str, answer: str, source: str, moto: str = ""
) -> Callable[[Enforcer], Enforcer]:
    """The decorated rule, method or class is what makes the sandbox behave so.

    docs/parity.md is the list of these; a test marked `behaviour(key)` holds each of them.
    """

    def register(enforcer: Enforcer) -> Enforcer:
        if key in BEHAVIOURS:
            raise ValueError(f"two behaviours are called {key}")
        where = f"{enforcer.__module__}.{enforcer.__qualname__}"
        BEHAVIOURS[key] = Behaviour(key, says, answer, source, moto, where)
        return enforcer

    return register


def before(service: str, *operations: str) -> Callable[[Before], Before]:
    """The decorated rule sees the call first; operation "*" stands for every one of the service.

    It may raise a Refusal, or return a dict shaped as botocore's output, which is then the answer
    instead of moto's. Changing `call.params` changes nothing: moto gets the request as it was sent.
    """

    def register(rule: Before) -> Before:
        for operation in operations:
            _before[service, operation].append(rule)
        return rule

    return register


def after(service: str, *operations: str) -> Callable[[After], After]:
    """The decorated rule may change a successful answer (a dict shaped as botocore's output)."""

    def register(rule: After) -> After:
        for operation in operations:
            _after[service, operation].append(rule)
        return rule

    return register


def rules_before(call: Call) -> list[Before]:
    """The rules that look at this call before it is carried out, in the order of registration."""
    everything = _before.get((call.service, "*"), [])
    return everything + _before.get((call.service, call.operation), [])


def rules_after(call: Call) -> list[After]:
    """The rules that look at this call's answer."""
    return _after.get((call.service, call.operation), [])
