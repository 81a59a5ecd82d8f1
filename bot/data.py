"""The tables and texts in the JSON files of this folder."""

import json
from pathlib import Path
from typing import Any


def load_json(name: str) -> Any:
    """Return the content of a JSON file of this folder."""
    return json.loads((Path(__file__).parent / name).read_bytes())
