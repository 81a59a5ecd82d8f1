"""AWS's answers that botocore cannot read: of another type, deeper than Python reads, damaged."""

import json
from typing import Any

import botocore.session
import pytest
from botocore.parsers import ResponseParserError

from provision.clients.aws_parser import ParserFactory
from provision.engine.inspector import Observation
from tests.provision.conftest import Env
from tests.provision.test_domain import inspected_run

STREAM = {"logGroupName": "/ecs/news-bot", "retentionInDays": 30, "logGroupArn": "a"}


def parse(service: str, operation: str, body: bytes) -> Any:
    """Return the answer to an operation."""
    model = botocore.session.get_session().get_service_model(service)
    response = {"body": body, "headers": {}, "status_code": 200}
    parser = ParserFactory().create_parser(model.resolved_protocol)
    return parser.parse(response, model.operation_model(operation).output_shape)


def test_valid_answers() -> None:
    """They are returned as botocore returns them; members may be missing, even all."""
    body = json.dumps({"logGroups": [STREAM], "unknown": 7}).encode()
    answer = parse("logs", "DescribeLogGroups", body)
    assert [STREAM] == answer["logGroups"]
    assert {"ResponseMetadata"} == set(parse("logs", "DescribeLogGroups", b"{}"))


@pytest.mark.parametrize(
    ("service", "operation", "body", "error"),
    [
        ("logs", "DescribeLogGroups", b'{"logGroups": [7]}', "AttributeError"),
        ("logs", "DescribeLogGroups", b'{"logGroups": 7}', "TypeError"),
        ("logs", "DescribeLogGroups", b"[" * 3000, "RecursionError"),
        ("ssm", "GetParameter", b'{"Parameter": {"LastModifiedDate": 1e30}}', "Error"),
        ("iam", "GetRole", b"<a><b/></a>", "KeyError: 'GetRoleResult'"),
    ],
)
def test_invalid_answers(service: str, operation: str, body: bytes, error: str) -> None:
    """Whatever botocore makes of them: no answer, with the reason."""
    with pytest.raises(ResponseParserError, match=error):
        parse(service, operation, body)


def damage(env: Env, target: str, old: bytes, new: bytes) -> None:
    """Replace bytes in what AWS answers to one operation of a JSON service."""
    aws = env.aws_session.application

    def application(environ: dict[str, Any], start: Any) -> list[bytes]:
        given: list[Any] = []
        content = b"".join(aws(environ, lambda *values: given.append(values)))
        status, headers = given[0]
        if environ.get("HTTP_X_AMZ_TARGET", "").endswith(target):
            assert old in content
            content = content.replace(old, new)
        start(status, [pair for pair in headers if pair[0].lower() != "content-length"])
        return [content]

    env.aws_session.application = application


def find(env: Env, line: str) -> Observation:
    """Inspect the stack; return what is known of one line of stack.py."""
    observations = inspected_run(env).observations
    return next(seen for key, seen in observations.items() if key.partition("/")[0] == line)


def test_answer_of_another_type(env: Env) -> None:
    """The resource is unknown, and the others are not."""
    env.setup()
    damage(env, ".DescribeLogGroups", b'"logGroups"', b'"logGroups": 7, "x"')
    reason = "the answer cannot be read; it may be from a proxy or from another server than AWS"
    assert f"{reason} (ResponseParserError)" == find(env, "log_group").unknown
    assert "" == find(env, "cluster").unknown
