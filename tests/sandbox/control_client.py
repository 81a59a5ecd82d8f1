"""The control surface, asked inside this process."""

import json
from typing import Any

from werkzeug.test import Client

from tests.sandbox.conftest import Account


def control(account: Account, method: str, path: str, body: Any = None) -> Any:
    """One request to the control surface; its JSON, or the status where it is refused."""
    response = Client(account.application).open(f"/_sandbox/{path}", method=method, json=body)
    return json.loads(response.get_data()) if response.status_code == 200 else response.status_code


def why(account: Account, method: str, path: str, body: Any = None) -> tuple[int, str]:
    """The status and the words with which it is refused."""
    response = Client(account.application).open(f"/_sandbox/{path}", method=method, json=body)
    return response.status_code, json.loads(response.get_data())["error"]
