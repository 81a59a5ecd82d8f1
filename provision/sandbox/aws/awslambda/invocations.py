"""Lambda: invocations, synchronous ones in the caller's thread, the others on the sandbox's clock.

Source: API Reference (Invoke); Developer Guide, "Invoking Lambda functions asynchronously", "Viewing
CloudWatch logs for Lambda functions". Each invocation has a new execution environment. What a function does
takes real time, and so does its timeout.
"""

import base64
import json
import math
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from provision.sandbox.aws.awslambda.execution import Execution, Outcome
from provision.sandbox.aws.awslambda.functions import find_function
from provision.sandbox.aws.awslambda.state import Invocation
from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.calls import AwsError, Call
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.rules import Answer, before, unlocked
from provision.sandbox.tasks.runners import base_environment

_RETRY = 60.0  # seconds until the first retry, then twice as long
_RETRIES = 2
_AT_ONCE = 8  # asynchronous invocations that run; AWS runs a thousand
_TAIL = 4096  # bytes of the log in a response


@behaves("lambda.invoke-pending", "lambda.invoke-payload", "lambda.invoke-types")
@before("lambda", "Invoke")
def check_invocation(cloud: Cloud, call: Call) -> Answer:
    """Check an invocation, and queue it if it is asynchronous (API Invoke)."""
    params = call.params
    qualifier, event = params.get("Qualifier"), bytes(params.get("Payload") or b"")
    function = find_function(cloud, call.region, params["FunctionName"], qualifier)
    try:
        json.loads(event or b"{}")
    except ValueError as error:
        message = (
            f"Could not parse request body into json: Could not parse payload into json: {error}"
        )
        raise AwsError("InvalidRequestContentException", message, 400) from None
    match params.get("InvocationType"):
        case "DryRun":
            return {"StatusCode": 204, "Payload": b""}
        case "Event":
            enqueue(cloud, function, event, qualifier)
            return {"StatusCode": 202, "Payload": b""}
    if function.state != "Active":
        raise AwsError(
            "ResourceConflictException",
            "The operation cannot be performed at this time. The function is currently in the "
            f"following state: {function.state}",
            409,
        )
    return {"StatusCode": 200, "Payload": b"", "ExecutedVersion": str(function.version)}


@behaves("lambda.invoke", "lambda.errors", "lambda.timeout", "lambda.log-result")
@unlocked("lambda", "Invoke")
def run(cloud: Cloud, call: Call, answer: Answer) -> None:
    """Run the function, and add its response (API Invoke)."""
    if answer["StatusCode"] != 200:
        return
    params = call.params
    qualifier, event = params.get("Qualifier"), bytes(params.get("Payload") or b"")
    with cloud.lock:
        function = find_function(cloud, call.region, params["FunctionName"], qualifier)
        invocation = _invocation(cloud, function, event, qualifier)
        execution = _prepare(cloud, invocation)
    execution.start()
    execution.has_ended(wait=True)
    with cloud.lock:
        outcome, log = _finish(cloud, invocation)
    answer["Payload"] = outcome.payload
    if outcome.error:
        answer["FunctionError"] = "Unhandled"
    if params.get("LogType") == "Tail":
        answer["LogResult"] = base64.b64encode("\n".join(log).encode()[-_TAIL:]).decode()


def enqueue(cloud: Cloud, function: Any, event: bytes, qualifier: str | None = None) -> None:
    """Invoke the function asynchronously."""
    cloud.awslambda.queue.append(_invocation(cloud, function, event, qualifier))


@behaves("lambda.asynchronous", "lambda.retries")
def run_queued(cloud: Cloud) -> None:
    """Start the asynchronous invocations that are due, and finish those that have ended."""
    with cloud.lock:
        now, state = cloud.clock.now(), cloud.awslambda
        for due, function in [entry for entry in state.pending if entry[0] <= now]:
            function.state = "Active"
            state.pending.remove((due, function))
        waiting = [
            invocation
            for invocation in state.queue
            if invocation.execution is None
            and invocation.due <= now
            and invocation.function.state == "Active"
        ]
        free = _AT_ONCE - sum(invocation.execution is not None for invocation in state.queue)
        starting = [_prepare(cloud, invocation) for invocation in waiting[: max(0, free)]]
    for execution in starting:
        execution.start()
    with cloud.lock:
        for invocation in list(state.queue):
            if invocation.execution is None or not invocation.execution.has_ended():
                continue
            state.queue.remove(invocation)
            outcome, _ = _finish(cloud, invocation)
            if outcome.error and invocation.retries < _RETRIES:
                due = now + _RETRY * 2**invocation.retries
                again = replace(invocation, due=due, retries=invocation.retries + 1, execution=None)
                state.queue.append(again)


def _invocation(cloud: Cloud, function: Any, event: bytes, qualifier: str | None) -> Invocation:
    day = datetime.fromtimestamp(cloud.clock.now(), UTC)
    stream = f"{day:%Y/%m/%d}/[{function.version}]{uuid4().hex}"
    arn = function.function_arn
    if qualifier and not arn.endswith(f":{qualifier}"):
        arn = f"{arn.partition(':function:')[0]}:function:{function.function_name}:{qualifier}"
    return Invocation(function, arn, event, str(uuid4()), stream)


@behaves("lambda.environment", "lambda.execution-role")
def _prepare(cloud: Cloud, invocation: Invocation) -> Execution:
    """Return the run of an invocation, with its environment variables."""
    function = invocation.function
    environment = {
        **base_environment(),
        "AWS_ENDPOINT_URL": cloud.endpoint,
        "AWS_EC2_METADATA_DISABLED": "true",
        **function.environment_vars,
        **cloud.permissions.credentials(function.role, function.function_name),
        "AWS_DEFAULT_REGION": function.region,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.run_time}",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_size),
        "AWS_LAMBDA_FUNCTION_NAME": function.function_name,
        "AWS_LAMBDA_FUNCTION_VERSION": str(function.version),
        "AWS_LAMBDA_LOG_GROUP_NAME": function.logs_group_name,
        "AWS_LAMBDA_LOG_STREAM_NAME": invocation.stream,
        "AWS_REGION": function.region,
        "TZ": ":UTC",
        "_HANDLER": function.handler,
    }
    invocation.execution = Execution(
        function.code_bytes,
        invocation.event,
        environment,
        request_id=invocation.request_id,
        arn=invocation.arn,
        timeout=int(function.timeout),
    )
    cloud.awslambda.running.append(invocation.execution)
    return invocation.execution


def _finish(cloud: Cloud, invocation: Invocation) -> tuple[Outcome, list[str]]:
    """Return the outcome of an invocation that has ended, and its log, which is written."""
    assert invocation.execution is not None
    cloud.awslambda.running.remove(invocation.execution)
    outcome = invocation.execution.finish()
    log = _log(cloud, invocation, outcome)
    _write_log(cloud, invocation, log)
    return outcome, log


@behaves("lambda.log")
def _log(cloud: Cloud, invocation: Invocation, outcome: Outcome) -> list[str]:
    identifier, function = invocation.request_id, invocation.function
    duration, billed = outcome.duration * 1000, math.ceil((outcome.init + outcome.duration) * 1000)
    report = [
        f"REPORT RequestId: {identifier}",
        f"Duration: {duration:.2f} ms",
        f"Billed Duration: {billed} ms",
        f"Memory Size: {function.memory_size} MB",
        f"Max Memory Used: {outcome.memory} MB",
        f"Init Duration: {outcome.init * 1000:.2f} ms",
    ]
    lines = [f"START RequestId: {identifier} Version: {function.version}", *outcome.lines]
    if outcome.timed_out:
        time = datetime.fromtimestamp(cloud.clock.now(), UTC)
        stamp = f"{time:%Y-%m-%dT%H:%M:%S}.{time.microsecond // 1000:03d}Z"
        lines.append(f"{stamp} {identifier} Task timed out after {function.timeout}.00 seconds")
        report.append("Status: timeout")
    elif outcome.error:
        report.append(f"Status: error\tError Type: {json.loads(outcome.payload)['errorType']}")
    return [*lines, f"END RequestId: {identifier}", "\t".join(report)]


@behaves("lambda.log-permissions")
def _write_log(cloud: Cloud, invocation: Invocation, lines: list[str]) -> None:
    """Write to CloudWatch Logs what the execution role may write there."""
    function = invocation.function
    logs, name = cloud.backend("logs", function.region), function.logs_group_name
    place = f"arn:aws:logs:{function.region}:{cloud.account_id}:log-group:{name}:log-stream:"
    role = str(function.role).rpartition("/")[2]
    session = f"arn:aws:sts::{cloud.account_id}:assumed-role/{role}/{function.function_name}"

    def may(action: str, resource: str) -> bool:
        return cloud.permissions.allows(session, f"logs:{action}", resource)

    if name not in logs.groups and may("CreateLogGroup", place):
        logs.create_log_group(name, {})
    stream = place + invocation.stream
    if name in logs.groups and may("CreateLogStream", stream) and may("PutLogEvents", stream):
        logs.ensure_log_stream(name, invocation.stream)
        at = int(cloud.clock.now() * 1000)
        events = [{"timestamp": at, "message": line} for line in lines]
        # Not moto's PutLogEvents, which compares timestamps with real time.
        logs.groups[name].put_log_events(invocation.stream, events)
