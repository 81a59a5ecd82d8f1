"""The --update-golden option, and a user's shell with AWS and LINE."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from provision.clients.aws import Aws
from provision.sandbox.delays import Delays
from tests.golden.command_runner import Session, Shell, open_shell
from tests.golden.recorder import Recorder
from tests.provision.conftest import AwsSession, open_env


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--update-golden`, which accepts what is sent now."""
    parser.addoption("--update-golden", action="store_true", help="write tests/golden/*.json anew")


@pytest.fixture
def update(request: pytest.FixtureRequest) -> bool:
    """Return whether to write the files."""
    return bool(request.config.getoption("--update-golden", default=False))


@pytest.fixture(scope="session")
def session() -> Session:
    """Return one session for all tests, because creating clients takes long."""
    return Session(AwsSession(), Recorder())


@pytest.fixture
def shell(session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shell]:
    """Yield a shell in an empty folder, with an empty account."""
    aws = Aws("ap-northeast-1", session.aws_session.session)
    with (
        open_env(session.aws_session, aws, Delays.none(), tmp_path) as env,
        open_shell(env, session, monkeypatch) as shell,
    ):
        yield shell
