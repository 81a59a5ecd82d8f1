"""The option that writes the golden files anew, and one person with a shell, an AWS and a LINE."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from provision.clients.aws import Aws
from provision.sandbox.delays import Delays
from tests.golden.command_runner import Session, Shell, at_a_shell
from tests.golden.recorder import Recorder
from tests.provision.conftest import AwsSession, open_env


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--update-golden`: what is sent now is what shall be sent."""
    parser.addoption("--update-golden", action="store_true", help="write tests/golden/*.json anew")


@pytest.fixture
def update(request: pytest.FixtureRequest) -> bool:
    """Whether the files are written."""
    return bool(request.config.getoption("--update-golden", default=False))


@pytest.fixture(scope="session")
def session() -> Session:
    """One for all: making clients is what takes long."""
    return Session(AwsSession(), Recorder())


@pytest.fixture
def shell(session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shell]:
    """An empty folder, an empty account."""
    aws = Aws("ap-northeast-1", session.aws_session.session)
    with (
        open_env(session.aws_session, aws, Delays.none(), tmp_path) as env,
        at_a_shell(env, session, monkeypatch) as shell,
    ):
        yield shell
