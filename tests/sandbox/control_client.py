"""A client for the control endpoint in this process."""

import json
from typing import Any

from werkzeug.test import Client

from tests.sandbox.conftest import Account


def control(account: Account, method: str, path: str, body: Any = None) -> Any:
    """Send a request to the control endpoint; return its JSON, or the status of an error."""
    response = Client(account.application).open(f"/_sandbox/{path}", method=method, json=body)
    return json.loads(response.get_data()) if response.status_code == 200 else response.status_code


def control_error(account: Account, method: str, path: str, body: Any = None) -> tuple[int, str]:
    """Return status and message of a rejected request."""
    response = Client(account.application).open(f"/_sandbox/{path}", method=method, json=body)
    return response.status_code, json.loads(response.get_data())["error"]
