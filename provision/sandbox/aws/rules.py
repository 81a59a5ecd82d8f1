"""The registry of rules, with which the sandbox differs from moto."""

from collections import defaultdict
from collections.abc import Callable
from typing import Any, TypeVar

from provision.sandbox.aws.calls import Call
from provision.sandbox.aws.cloud import Cloud

Answer = dict[str, Any]
Before = Callable[[Cloud, Call], Answer | None]
After = Callable[[Cloud, Call, Answer], None]
Rule = TypeVar("Rule", Before, After)


_before: defaultdict[tuple[str, str], list[Before]] = defaultdict(list)
_after: defaultdict[tuple[str, str], list[After]] = defaultdict(list)
_unlocked: defaultdict[tuple[str, str], list[After]] = defaultdict(list)


def before(service: str, *operations: str) -> Callable[[Before], Before]:
    """Register a rule to run before moto; operation "*" stands for all of the service.

    It may raise an AwsError, or return a dict shaped as botocore's output, which replaces moto's response.
    Changing `call.params` has no effect on moto, which gets the request as it was sent.
    """
    return _register(_before, service, operations)


def after(service: str, *operations: str) -> Callable[[After], After]:
    """Register a rule to run after moto, which may change the answer (a dict shaped as botocore's output)."""
    return _register(_after, service, operations)


def unlocked(service: str, *operations: str) -> Callable[[After], After]:
    """Register a rule to run last, without the account's lock, so that it may take long and call AWS."""
    return _register(_unlocked, service, operations)


def _register(
    rules: defaultdict[tuple[str, str], list[Rule]], service: str, operations: tuple[str, ...]
) -> Callable[[Rule], Rule]:
    """Return a decorator that adds the rule for each operation."""

    def register(rule: Rule) -> Rule:
        for operation in operations:
            rules[service, operation].append(rule)
        return rule

    return register


def rules_before(call: Call) -> list[Before]:
    """Return the rules to run before moto, in order of registration."""
    everything = _before.get((call.service, "*"), [])
    return everything + _before.get((call.service, call.operation), [])


def rules_after(call: Call) -> list[After]:
    """Return the rules to run after a successful call."""
    return _after.get((call.service, call.operation), [])


def rules_unlocked(call: Call) -> list[After]:
    """Return the rules to run after a successful call, without the lock."""
    return _unlocked.get((call.service, call.operation), [])
