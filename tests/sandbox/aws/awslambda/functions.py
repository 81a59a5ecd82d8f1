"""Lambda functions of tests: code, role, and calls."""

import io
import json
import zipfile
from typing import Any

from tests.sandbox.aws.ecs.bot_service import TRUST
from tests.sandbox.conftest import Account

ECHO = """
def lambda_handler(event, context):
    return event
"""


def zipped(source: str, name: str = "lambda_function.py") -> bytes:
    """Return a zip file with one file."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(name, source)
    return file.getvalue()


class Functions:
    """A Lambda client of an account whose AWS is served, and a role for functions."""

    def __init__(self, account: Account) -> None:
        self.account, self.client = account, account.client("lambda")
        self.iam = account.client("iam")
        self.role = self.a_role()
        self.allow("logs:*")
        account.clock.advance(account.cloud.delays.role)

    def a_role(self, name: str = "lambda", service: str = "lambda") -> str:
        trust = TRUST.replace("ecs-tasks", service)
        return str(
            self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
        )

    def allow(self, action: str) -> None:
        """Allow the role an action; the policy has the action's service as its name."""
        statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
        self.iam.put_role_policy(
            RoleName="lambda",
            PolicyName=action.partition(":")[0],
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
        )

    def given(self, source: str = ECHO, **more: Any) -> dict[str, Any]:
        """Return the parameters of CreateFunction."""
        parameters = {
            "FunctionName": "toggle",
            "Runtime": "python3.12",
            "Handler": "lambda_function.lambda_handler",
            "Role": self.role,
            "Code": {"ZipFile": zipped(source)},
            "Timeout": 60,
        } | more
        return {name: value for name, value in parameters.items() if value is not None}

    def create(self, source: str = ECHO, **more: Any) -> str:
        """Create a function, wait until it is active, and return its ARN."""
        arn = str(self.client.create_function(**self.given(source, **more))["FunctionArn"])
        self.account.clock.advance(self.account.cloud.delays.function)
        return arn

    def invoke(self, event: Any = None, **more: Any) -> dict[str, Any]:
        """Invoke the function; return AWS's response with its payload parsed."""
        answer = self.client.invoke(FunctionName="toggle", Payload=json.dumps(event or {}), **more)
        text = answer["Payload"].read()
        return dict(answer) | {"Payload": json.loads(text) if text else None}

    def end(self) -> None:
        """Wait for the asynchronous invocations that run, and let the sandbox finish them."""
        for execution in list(self.account.cloud.awslambda.running):
            execution.has_ended(wait=True)
        self.account.clock.advance(1)

    def log(self) -> list[str]:
        """Return the lines in the function's log group."""
        logs = self.account.client("logs")
        found = logs.filter_log_events(logGroupName="/aws/lambda/toggle")["events"]
        return [event["message"] for event in found]
