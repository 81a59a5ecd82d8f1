"""A cluster, a load balancer and roles that are known everywhere, for the tests of ECS."""

import pytest

from tests.sandbox.aws.ecs.bot_service import Bot
from tests.sandbox.conftest import Account


@pytest.fixture
def bot(account: Account) -> Bot:
    """Everything but the service."""
    made = Bot(account)
    account.clock.step = 200.0  # nothing that is watched happens meanwhile
    made.settle()
    account.clock.step = 1.0
    return made
