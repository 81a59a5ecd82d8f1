"""The fixtures of tests/provision that are used here too."""

from tests.provision.conftest import aws_session as aws_session
from tests.provision.conftest import clients as clients
