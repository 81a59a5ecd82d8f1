"""Run the handler of a Lambda function once, as Lambda's runtime for Python does.

`python bootstrap.py FOLDER REQUEST_ID ARN SECONDS`: FOLDER has the function's code in `code` and the event in
`event`; the outcome is written to `outcome`. SIGALRM ends the process after SECONDS in the handler. Source:
Lambda Developer Guide, "Define Lambda function handler in Python", "Using the Lambda context object to
retrieve Python function information", "Python Lambda function logging"; the errors are those of AWS's runtime
interface client for Python.
"""

import importlib
import json
import logging
import os
import resource
import signal
import sys
import time
import traceback
from pathlib import Path
from types import SimpleNamespace
from typing import Any

_INIT_SECONDS = 10.0
_TASK_ROOT = "/var/task"  # where the code is on AWS
_FORMAT = "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t{request_id}\t%(message)s"


class FaultError(Exception):
    """An error of the runtime, not of the function's code."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = f"Runtime.{kind}"


def main() -> None:
    """Run the handler; write the outcome."""
    folder, request_id, arn, seconds = Path(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]
    began = time.monotonic()
    signal.setitimer(signal.ITIMER_REAL, _INIT_SECONDS)
    sys.path.insert(0, str(folder / "code"))
    _configure_logging(request_id)
    error = False
    begun_handler = began
    try:
        handler = _load(os.environ["_HANDLER"])
        begun_handler = time.monotonic()
        _write(folder, init=begun_handler - began)
        signal.setitimer(signal.ITIMER_REAL, float(seconds))
        event = json.loads((folder / "event").read_bytes() or b"{}")
        result = handler(event, _context(request_id, arn, begun_handler + float(seconds)))
        payload = _dump(result)
    except Exception as raised:
        error = True
        payload = json.dumps(_describe(raised, request_id, str(folder / "code")))
    signal.setitimer(signal.ITIMER_REAL, 0)
    duration = time.monotonic() - begun_handler
    _write(folder, init=begun_handler - began, duration=duration, payload=payload, error=error)
    sys.stdout.flush()
    os._exit(0)  # threads that the handler left do not go on


def _write(folder: Path, **outcome: Any) -> None:
    """Replace the outcome, so that there is a whole one however the process ends."""
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    outcome["memory"] = memory >> (20 if sys.platform == "darwin" else 10)  # MB
    (folder / "draft").write_text(json.dumps(outcome))
    os.replace(folder / "draft", folder / "outcome")


def _configure_logging(request_id: str) -> None:
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        logging.Formatter(_FORMAT.format(request_id=request_id), "%Y-%m-%dT%H:%M:%S")
    )
    logging.Formatter.converter = time.gmtime
    logging.getLogger().addHandler(handler)


def _load(handler: str) -> Any:
    module_name, dot, name = handler.rpartition(".")
    if not dot:
        reason = "not enough values to unpack (expected 2, got 1)"
        raise FaultError("MalformedHandlerName", f"Bad handler '{handler}': {reason}")
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as error:
        message = f"Unable to import module '{module_name}': {error}"
        raise FaultError("ImportModuleError", message) from None
    except SyntaxError as error:
        message = f"Syntax error in module '{module_name}': {error}"
        raise FaultError("UserCodeSyntaxError", message) from None
    if not hasattr(module, name):
        raise FaultError("HandlerNotFound", f"Handler '{name}' missing on module '{module_name}'")
    return getattr(module, name)


def _context(request_id: str, arn: str, deadline: float) -> SimpleNamespace:
    return SimpleNamespace(
        function_name=os.environ["AWS_LAMBDA_FUNCTION_NAME"],
        function_version=os.environ["AWS_LAMBDA_FUNCTION_VERSION"],
        invoked_function_arn=arn,
        memory_limit_in_mb=os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"],
        aws_request_id=request_id,
        log_group_name=os.environ["AWS_LAMBDA_LOG_GROUP_NAME"],
        log_stream_name=os.environ["AWS_LAMBDA_LOG_STREAM_NAME"],
        identity=None,
        client_context=None,
        get_remaining_time_in_millis=lambda: max(0, int((deadline - time.monotonic()) * 1000)),
    )


def _dump(result: Any) -> str:
    try:
        return json.dumps(result, ensure_ascii=False)
    except (TypeError, ValueError) as error:
        raise FaultError("MarshalError", f"Unable to marshal response: {error}") from None


def _describe(error: Exception, request_id: str, root: str) -> dict[str, Any]:
    """Return Lambda's document for an error, which is also printed."""
    kind, stack = type(error).__name__, []
    if isinstance(error, FaultError):
        kind = error.kind
    else:
        frames = [
            (frame.filename.replace(root, _TASK_ROOT), frame.lineno or 0, frame.name, frame.line)
            for frame in traceback.extract_tb(error.__traceback__)
            if frame.filename != __file__ and not frame.filename.startswith("<frozen importlib")
        ]
        stack = traceback.format_list(frames)
    print(f"[ERROR] {kind}: {error}\nTraceback (most recent call last):\n{''.join(stack)}", end="")
    return {
        "errorMessage": str(error),
        "errorType": kind,
        "requestId": request_id,
        "stackTrace": stack,
    }


if __name__ == "__main__":
    main()
