"""The registry of rules: where the sandbox's answers differ from moto's."""

from collections import defaultdict
from collections.abc import Callable
from typing import Any

from provision.sandbox.aws.calls import Call
from provision.sandbox.aws.cloud import Cloud

Answer = dict[str, Any]
Before = Callable[[Cloud, Call], Answer | None]
After = Callable[[Cloud, Call, Answer], None]


_before: defaultdict[tuple[str, str], list[Before]] = defaultdict(list)
_after: defaultdict[tuple[str, str], list[After]] = defaultdict(list)


def before(service: str, *operations: str) -> Callable[[Before], Before]:
    """Register a rule that sees the call first; operation "*" stands for every one of the service.

    It may raise a AwsError, or return a dict shaped as botocore's output, which is then the answer
    instead of moto's. Changing `call.params` changes nothing: moto gets the request as it was sent.
    """

    def register(rule: Before) -> Before:
        for operation in operations:
            _before[service, operation].append(rule)
        return rule

    return register


def after(service: str, *operations: str) -> Callable[[After], After]:
    """Register a rule that may change a successful answer (a dict shaped as botocore's output)."""

    def register(rule: After) -> After:
        for operation in operations:
            _after[service, operation].append(rule)
        return rule

    return register


def rules_before(call: Call) -> list[Before]:
    """Return the rules that see this call before it is carried out, in order of registration."""
    everything = _before.get((call.service, "*"), [])
    return everything + _before.get((call.service, call.operation), [])


def rules_after(call: Call) -> list[After]:
    """Return the rules that see this call's answer."""
    return _after.get((call.service, call.operation), [])
