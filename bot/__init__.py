"""A LINE bot that answers with news."""

import json
from pathlib import Path
from typing import Any


def load_json(name: str) -> Any:
    """Return the content of a JSON file of this folder."""
    return json.loads((Path(__file__).parent / name).read_bytes())
