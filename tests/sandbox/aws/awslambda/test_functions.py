"""Lambda: which functions it accepts, and how it runs them."""

import base64
import re
from typing import Any

import pytest

from tests.sandbox.aws.awslambda.functions import ECHO, Functions, zipped


@pytest.mark.behaviour("lambda.invoke")
def test_function_returns_its_result(functions: Functions) -> None:
    """The handler gets the event; its result is the payload."""
    functions.create()
    answer = functions.invoke({"number": 1, "words": "おはよう"})
    assert (200, "$LATEST", {"number": 1, "words": "おはよう"}) == (
        answer["StatusCode"],
        answer["ExecutedVersion"],
        answer["Payload"],
    )
    assert "FunctionError" not in answer


@pytest.mark.behaviour("lambda.environment")
def test_function_has_an_environment(functions: Functions) -> None:
    """Its own variables, Lambda's, and a context."""
    source = """
import os

def lambda_handler(event, context):
    return [
        os.environ["CLUSTER"], os.environ["AWS_REGION"], os.environ["AWS_LAMBDA_FUNCTION_NAME"],
        context.function_name, context.invoked_function_arn, context.memory_limit_in_mb,
        context.log_group_name, 0 < context.get_remaining_time_in_millis() <= 60_000,
    ]
"""
    arn = functions.create(source, Environment={"Variables": {"CLUSTER": "news"}}, MemorySize=256)
    assert [
        *("news", "ap-northeast-1", "toggle", "toggle", arn, "256", "/aws/lambda/toggle", True)
    ] == functions.invoke()["Payload"]


@pytest.mark.behaviour("lambda.execution-role")
def test_function_calls_aws_as_its_role(functions: Functions) -> None:
    """It may what its role may, and nothing else."""
    source = """
import boto3

def lambda_handler(event, context):
    return [
        boto3.client("sts").get_caller_identity()["Arn"],
        boto3.client("ssm").get_parameter(Name="COUNT")["Parameter"]["Value"],
        boto3.client("ssm").delete_parameter(Name="COUNT"),
    ]
"""
    functions.account.client("ssm").put_parameter(Name="COUNT", Value="3", Type="String")
    functions.allow("ssm:GetParameter")
    functions.create(source)
    answer = functions.invoke()
    caller = "arn:aws:sts::123456789012:assumed-role/lambda/toggle"
    assert ("AccessDeniedException", True) == (
        answer["Payload"]["errorType"],
        f"User: {caller} is not authorized to perform: ssm:DeleteParameter on resource: "
        "arn:aws:ssm:ap-northeast-1:123456789012:parameter/COUNT"
        in answer["Payload"]["errorMessage"],
    )


@pytest.mark.behaviour("lambda.errors")
def test_error_of_the_handler(functions: Functions) -> None:
    """An error document in place of the result; HTTP status 200."""
    functions.create("def lambda_handler(event, context):\n    raise ValueError('no such count')\n")
    answer = functions.invoke()
    assert ("Unhandled", 200) == (answer["FunctionError"], answer["StatusCode"])
    identifier = answer["Payload"].pop("requestId")
    assert {
        "errorMessage": "no such count",
        "errorType": "ValueError",
        "stackTrace": [
            '  File "/var/task/lambda_function.py", line 2, in lambda_handler\n'
            "    raise ValueError('no such count')\n"
        ],
    } == answer["Payload"]
    assert [
        f"START RequestId: {identifier} Version: $LATEST",
        "[ERROR] ValueError: no such count",
        "Traceback (most recent call last):",
        '  File "/var/task/lambda_function.py", line 2, in lambda_handler',
        "    raise ValueError('no such count')",
        f"END RequestId: {identifier}",
    ] == functions.log()[:-1]


@pytest.mark.behaviour("lambda.errors")
@pytest.mark.parametrize(
    ("source", "handler", "kind", "message"),
    [
        (
            "import nothing\n",
            "lambda_function.lambda_handler",
            "Runtime.ImportModuleError",
            "Unable to import module 'lambda_function': No module named 'nothing'",
        ),
        (
            ECHO,
            "index.handler",
            "Runtime.ImportModuleError",
            "Unable to import module 'index': No module named 'index'",
        ),
        (
            ECHO,
            "lambda_function.handler",
            "Runtime.HandlerNotFound",
            "Handler 'handler' missing on module 'lambda_function'",
        ),
        (
            ECHO,
            "lambda_handler",
            "Runtime.MalformedHandlerName",
            "Bad handler 'lambda_handler': not enough values to unpack (expected 2, got 1)",
        ),
        (
            "def lambda_handler(event, context):\n    return {1}\n",
            "lambda_function.lambda_handler",
            "Runtime.MarshalError",
            "Unable to marshal response: Object of type set is not JSON serializable",
        ),
    ],
)
def test_errors_of_the_runtime(
    functions: Functions, source: str, handler: str, kind: str, message: str
) -> None:
    """As Lambda's runtime for Python words them."""
    functions.create(source, Handler=handler)
    payload = functions.invoke()["Payload"]
    assert (kind, message, []) == (
        payload["errorType"],
        payload["errorMessage"],
        payload["stackTrace"],
    )


@pytest.mark.behaviour("lambda.errors")
@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("os._exit(3)", "Runtime exited with error: exit status 3"),
        ("os._exit(0)", "Runtime exited without providing a reason"),
        ("os.kill(os.getpid(), 9)", "Runtime exited with error: signal: killed"),
    ],
)
def test_process_that_ends(functions: Functions, statement: str, reason: str) -> None:
    """An error that says how."""
    functions.create(f"import os\n\ndef lambda_handler(event, context):\n    {statement}\n")
    answer = functions.invoke()
    assert ("Unhandled", "Runtime.ExitError") == (
        answer["FunctionError"],
        answer["Payload"]["errorType"],
    )
    assert answer["Payload"]["errorMessage"].endswith(f" Error: {reason}")


@pytest.mark.behaviour("lambda.timeout")
def test_timeout(functions: Functions) -> None:
    """The process is killed, even one that computes; what it printed is in the log."""
    source = (
        "def lambda_handler(event, context):\n    print('begun')\n    while True:\n        pass\n"
    )
    functions.create(source, Timeout=1)
    answer = functions.invoke()
    assert ("Unhandled", "Sandbox.Timedout") == (
        answer["FunctionError"],
        answer["Payload"]["errorType"],
    )
    message = answer["Payload"]["errorMessage"]
    assert message.endswith(" Error: Task timed out after 1.00 seconds")
    _start, begun, timed_out, _end, report = functions.log()
    assert "begun" == begun
    assert timed_out.endswith(" Task timed out after 1.00 seconds")
    assert report.endswith("\tStatus: timeout")


@pytest.mark.behaviour("lambda.log", "lambda.log-result")
def test_log(functions: Functions) -> None:
    """START, what the function prints and logs, END, REPORT; the end of it in the response."""
    source = """
import logging

logging.getLogger().setLevel(logging.INFO)

def lambda_handler(event, context):
    print("one")
    logging.info("two")
"""
    functions.create(source)
    answer = functions.invoke(LogType="Tail")
    start, one, two, end, report = functions.log()
    identifier = start.split()[2]
    assert (f"START RequestId: {identifier} Version: $LATEST", "one") == (start, one)
    assert re.fullmatch(rf"\[INFO\]\t[-0-9T:.]+Z\t{identifier}\ttwo", two)
    assert f"END RequestId: {identifier}" == end
    assert re.fullmatch(
        rf"REPORT RequestId: {identifier}\tDuration: [0-9.]+ ms\tBilled Duration: \d+ ms\t"
        r"Memory Size: 128 MB\tMax Memory Used: \d+ MB\tInit Duration: [0-9.]+ ms",
        report,
    )
    tail = base64.b64decode(answer["LogResult"]).decode()
    assert [start, one, two, end, report] == tail.splitlines()
    (stream,) = functions.account.client("logs").describe_log_streams(
        logGroupName="/aws/lambda/toggle"
    )["logStreams"]
    assert re.fullmatch(r"2026/05/28/\[\$LATEST\][0-9a-f]{32}", stream["logStreamName"])


@pytest.mark.behaviour("lambda.log-permissions")
def test_role_without_permissions_has_no_log(functions: Functions) -> None:
    """The function runs all the same."""
    functions.iam.delete_role_policy(RoleName="lambda", PolicyName="logs")
    functions.create()
    assert {"number": 1} == functions.invoke({"number": 1})["Payload"]
    assert [] == functions.account.client("logs").describe_log_groups()["logGroups"]


@pytest.mark.behaviour("lambda.asynchronous", "lambda.invoke-types")
def test_asynchronous_invocation(functions: Functions) -> None:
    """The response is 202 without a payload; the function runs afterwards."""
    functions.create("def lambda_handler(event, context):\n    print(event['number'])\n")
    answer = functions.invoke({"number": 7}, InvocationType="Event")
    assert (202, None) == (answer["StatusCode"], answer["Payload"])
    functions.account.clock.advance(1)
    functions.end()
    assert "7" == functions.log()[1]


def test_asynchronous_invocations_wait_for_each_other(functions: Functions) -> None:
    """A function that is due often, on a fast clock, does not fill this machine with processes."""
    functions.create("import time\n\ndef lambda_handler(event, context):\n    time.sleep(50)\n")
    for _ in range(10):
        functions.invoke(InvocationType="Event")
    functions.account.clock.advance(2)
    assert 8 == len(functions.account.cloud.awslambda.running)


def test_reset_kills_running_functions(functions: Functions) -> None:
    """No process of the sandbox outlives it."""
    functions.create("import time\n\ndef lambda_handler(event, context):\n    time.sleep(50)\n")
    functions.invoke(InvocationType="Event")
    functions.account.clock.advance(1)
    (execution,) = functions.account.cloud.awslambda.running
    assert not execution.has_ended()
    functions.account.cloud.reset()
    assert execution.has_ended()


@pytest.mark.behaviour("lambda.retries")
def test_asynchronous_invocation_is_retried(functions: Functions) -> None:
    """Twice: after one minute, and after two more."""
    functions.create("def lambda_handler(event, context):\n    raise ValueError\n")
    functions.invoke(InvocationType="Event")
    runs = []
    for seconds in (1, 58, 2, 118, 2, 400):
        functions.account.clock.advance(seconds)
        functions.end()
        runs.append(sum(line.startswith("START") for line in functions.log()))
    assert [1, 1, 2, 2, 3, 3] == runs
    assert 1 == len({line for line in functions.log() if line.startswith("START")})


@pytest.mark.behaviour("lambda.invoke-types")
def test_dry_run(functions: Functions) -> None:
    """Nothing runs."""
    functions.create()
    answer = functions.invoke(InvocationType="DryRun")
    assert (204, None) == (answer["StatusCode"], answer["Payload"])
    assert [] == functions.account.client("logs").describe_log_groups()["logGroups"]


@pytest.mark.behaviour("lambda.invoke-payload")
def test_payload_is_json(functions: Functions) -> None:
    functions.create()
    code, status, message = functions.account.refusal(
        functions.client.invoke, FunctionName="toggle", Payload=b"{"
    )
    assert ("InvalidRequestContentException", 400) == (code, status)
    assert message.startswith("Could not parse request body into json")


@pytest.mark.behaviour("lambda.pending", "lambda.invoke-pending")
def test_new_function_is_pending(functions: Functions) -> None:
    """It cannot be invoked yet."""
    assert "Pending" == functions.client.create_function(**functions.given())["State"]
    code, status, message = functions.account.refusal(
        functions.client.invoke, FunctionName="toggle"
    )
    assert ("ResourceConflictException", 409) == (code, status)
    assert message.endswith("state: Pending")
    functions.account.clock.advance(functions.account.cloud.delays.function)
    found = functions.client.get_function(FunctionName="toggle")["Configuration"]
    assert "Active" == found["State"]


def test_changed_code_and_published_version(functions: Functions) -> None:
    """A version keeps its code; the function has the new one."""
    functions.create("def lambda_handler(event, context):\n    return 1\n")
    functions.client.publish_version(FunctionName="toggle")
    new = zipped("def lambda_handler(event, context):\n    return 2\n")
    functions.client.update_function_code(FunctionName="toggle", ZipFile=new)
    first = functions.invoke(Qualifier="1")
    assert (1, "1") == (first["Payload"], first["ExecutedVersion"])
    assert 2 == functions.invoke()["Payload"]


@pytest.mark.behaviour("lambda.role", "lambda.role-fresh")
def test_role_that_lambda_cannot_assume(functions: Functions) -> None:
    """A new role takes seconds; another service's role never is one."""
    fresh, foreign = functions.a_role("fresh"), functions.a_role("foreign", "ecs-tasks")
    create = functions.client.create_function
    wanted = (
        "InvalidParameterValueException",
        400,
        "The role defined for the function cannot be assumed by Lambda.",
    )
    assert wanted == functions.account.refusal(create, **functions.given(Role=fresh))
    functions.account.clock.advance(functions.account.cloud.delays.role)
    assert wanted == functions.account.refusal(create, **functions.given(Role=foreign))
    create(**functions.given(Role=fresh))


@pytest.mark.behaviour("lambda.zip-file", "lambda.runtime-and-handler", "lambda.reserved-variables")
@pytest.mark.parametrize(
    ("change", "code", "part"),
    [
        (
            {"Code": {"ZipFile": b"print(1)"}},
            "InvalidParameterValueException",
            "Could not unzip uploaded file.",
        ),
        (
            {"Code": {"ZipFile": zipped(ECHO)[:-40]}},
            "InvalidParameterValueException",
            "Could not unzip uploaded file.",
        ),
        ({"Handler": None}, "InvalidParameterValueException", "mandatory parameters"),
        (
            {"Environment": {"Variables": {"AWS_REGION": "us-east-1", "COUNT": "1"}}},
            "InvalidParameterValueException",
            "Reserved keys used in this request: AWS_REGION",
        ),
        ({"FunctionName": "to ggle"}, "ValidationException", "at 'functionName' failed to satisfy"),
        ({"Timeout": 901}, "ValidationException", "at 'timeout' failed to satisfy"),
    ],
)
@pytest.mark.behaviour("lambda.constraints")
def test_rejected_function(
    functions: Functions, change: dict[str, Any], code: str, part: str
) -> None:
    """Nothing is created."""
    given = functions.given(**change)
    found, status, message = functions.account.refusal(functions.client.create_function, **given)
    assert (code, 400) == (found, status)
    assert part in message
    assert [] == functions.client.list_functions()["Functions"]


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"Runtime": "nodejs22.x"}, "the runtime nodejs22.x"),
        ({"Layers": ["arn:aws:lambda:ap-northeast-1:123456789012:layer:a:1"]}, "layers"),
        ({"PackageType": "Image", "Code": {"ImageUri": "x"}}, "container images"),
        ({"VpcConfig": {"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}}, "in a VPC"),
    ],
)
def test_what_the_sandbox_cannot_run(
    functions: Functions, change: dict[str, Any], part: str
) -> None:
    """It is refused by name when it is created, not when it is due."""
    given = functions.given(**change)
    code, status, message = functions.account.refusal(functions.client.create_function, **given)
    assert ("InvalidParameterValueException", 400) == (code, status)
    assert part in message


@pytest.mark.behaviour("lambda.statement-exists")
def test_statement_ids_are_unique(functions: Functions) -> None:
    functions.create()
    given = {
        "FunctionName": "toggle",
        "StatementId": "start",
        "Action": "lambda:InvokeFunction",
        "Principal": "events.amazonaws.com",
    }
    functions.client.add_permission(**given)
    code, status, _ = functions.account.refusal(functions.client.add_permission, **given)
    assert ("ResourceConflictException", 409) == (code, status)
