"""Seconds and tries that docstrings promise, where measuring takes real time or a long run of the sandbox."""

import importlib

import boto3
import pytest

from provision.clients.aws import Aws
from provision.resources.base import Resource, kinds
from provision.stack import Stack


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("provision.clients.dns.TIMEOUT", 3.0),
        ("provision.clients.dns.MAX_CNAMES", 8),
        ("provision.engine.engine.LISTS_LAG", 60.0),
        ("provision.clients.package_index.TIMEOUT", 600),
        ("provision.clients.line.TIMEOUT", 20),  # LINE's test of a webhook may itself take ten
        ("provision.verify.probes.FRESH", 36),  # hours
        ("provision.engine.interrupted.AGAIN", 5.0),
        ("provision.resources.steady_service.SILENCE", 90),
        ("provision.clients.tls.TIMEOUT", 10.0),
        ("provision.cli.outcome.UNATTENDED_WAIT", 1800.0),
    ],
)
def test_promise(name: str, expected: float) -> None:
    """By value: who changes one changes what people were told."""
    module, _, attribute = name.rpartition(".")
    assert expected == getattr(importlib.import_module(module), attribute)


def ours() -> list[type[Resource]]:
    """Every kind of resource that a stack may have."""
    assert Stack  # importing it imports them
    return [kind for kind in kinds().values() if kind.__module__.startswith("provision.")]


def test_bounds_of_waiting() -> None:
    """Seconds after which waiting is given up: ten minutes, but for these."""
    others = {kind.__name__: kind.polling.timeout for kind in ours() if kind.polling.timeout != 600}
    assert {"InitialCollection": 120, "SteadyService": 900} == others


def test_time_that_other_services_need() -> None:
    """Seconds after which a role can be assumed, and a new certificate be found by a load balancer."""
    delays = {kind.__name__: kind.polling.propagation_delay for kind in ours()}
    assert {"Role": 10.0, "IssuedCertificate": 2.0} == {k: v for k, v in delays.items() if v}


def test_calls_of_aws() -> None:
    """5 s to connect, 30 s for an answer, and one try: waiting is the engine's."""
    session = boto3.Session("access", "secret", region_name="ap-northeast-1")
    config = Aws("ap-northeast-1", session).sts.meta.config
    expected = (5, 30, 1)
    tries = config.retries["total_max_attempts"]
    assert expected == (config.connect_timeout, config.read_timeout, tries)
