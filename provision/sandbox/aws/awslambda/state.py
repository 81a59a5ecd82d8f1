"""Lambda: new functions, asynchronous invocations, and running processes."""

from dataclasses import dataclass, field
from typing import Any

from provision.sandbox.aws.account import Account
from provision.sandbox.aws.awslambda.execution import Execution

PRINCIPAL = "lambda.amazonaws.com"


@dataclass(eq=False)
class Invocation:
    """One event for a function (moto's); asynchronous ones are due at a time, again after an error."""

    function: Any
    arn: str
    event: bytes
    request_id: str
    stream: str  # of its log group
    due: float = 0.0
    retries: int = 0
    execution: Execution | None = None


@dataclass
class Lambda:
    """Invocations and states of functions, which moto does not keep. Hold the cloud's lock."""

    account: Account
    pending: list[tuple[float, Any]] = field(default_factory=list)  # when a new function is active
    queue: list[Invocation] = field(default_factory=list)  # asynchronous ones
    running: list[Execution] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.account.on_close(self._kill)

    def _kill(self) -> None:
        """Kill every running function."""
        for execution in list(self.running):
            execution.kill()
