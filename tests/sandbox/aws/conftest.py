"""An account with Lambda functions."""

from collections.abc import Iterator

import pytest

from provision.console.server import HttpServer
from tests.sandbox.aws.awslambda.functions import Functions
from tests.sandbox.conftest import Account


@pytest.fixture
def functions(account: Account) -> Iterator[Functions]:
    """Return a role for functions and a client; serve the account's AWS, which functions call."""
    server = HttpServer(account.aws_session.from_outside)
    account.cloud.endpoint = server.url
    yield Functions(account)
    server.close()
