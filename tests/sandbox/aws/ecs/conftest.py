"""A cluster, a load balancer and propagated roles for the ECS tests."""

import pytest

from tests.sandbox.aws.ecs.bot_service import Bot
from tests.sandbox.conftest import Account


@pytest.fixture
def bot(account: Account) -> Bot:
    """Return everything but the service."""
    made = Bot(account)
    account.clock.step = 200.0  # nothing that is watched happens meanwhile
    made.settle()
    account.clock.step = 1.0
    return made
