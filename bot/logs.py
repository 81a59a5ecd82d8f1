"""Log lines as JSON objects, without message texts, user ids or secrets."""

import json
import logging
import traceback
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

# The fields of `extra` that are written.
FIELDS = "event outcome status error where age seconds feed file counts"
# The load balancer's id of the request, on whatever thread a line is written.
request_id: ContextVar[str] = ContextVar("request_id", default="")


class JsonLines(logging.Formatter):
    """One JSON object per line, as CloudWatch Logs Insights reads it."""

    def format(self, record: logging.LogRecord) -> str:
        """Return time (UTC), level, logger, message, the known extra fields, and the traceback."""
        moment = datetime.fromtimestamp(record.created, UTC)
        line: dict[str, Any] = {
            "time": moment.isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **({"request": request_id.get()} if request_id.get() else {}),
            **{name: getattr(record, name) for name in FIELDS.split() if hasattr(record, name)},
        }
        if record.exc_info and record.exc_info[0]:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def reason(error: BaseException) -> str:
    """Return an exception's class and AWS's code or the HTTP status: its text may quote a secret."""
    response = getattr(error, "response", None)
    code = response.get("Error", {}).get("Code", "") if isinstance(response, dict) else ""
    parts = type(error).__name__, str(code or getattr(error, "status", ""))
    return " ".join(part for part in dict.fromkeys(parts) if part)


def place(error: BaseException) -> str:
    """Return `file:line` of the last frame of the bot's own code that an exception came through."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if Path(frame.filename).is_relative_to(Path(__file__).parent)]
    return f"{Path(own[-1].filename).name}:{own[-1].lineno}" if own else ""
