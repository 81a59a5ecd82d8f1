"""Log lines as JSON objects: no message texts, no user ids, no secrets."""

from __future__ import annotations

import json
import logging
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

# What `extra` may add; anything else a library hangs on a record stays out of the log.
FIELDS = (
    "event",
    "replied",
    "outcome",
    "status",
    "error",
    "age",
    "seconds",
    "counters",
    "feed",
    "file",
)

_JSON = json.JSONEncoder(ensure_ascii=False)
# What every record would look up and no line shows ("Optimization" in Python's logging HOWTO).
logging.logThreads = logging.logMultiprocessing = logging.logProcesses = False

# The request that a line belongs to, on whatever thread it is written.
request_id: ContextVar[str] = ContextVar("request_id", default="")


class JsonLines(logging.Formatter):
    """One JSON object per line, as CloudWatch Logs Insights reads it."""

    def format(self, record: logging.LogRecord) -> str:
        """Time (UTC), level, logger, message, the known extra fields, and where it went wrong."""
        moment = datetime.fromtimestamp(record.created, UTC)
        line: dict[str, Any] = {
            "time": moment.isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if request := request_id.get():
            line["request"] = request
        line.update({name: getattr(record, name) for name in FIELDS if hasattr(record, name)})
        if record.exc_info and record.exc_info[0]:
            line["traceback"] = self.formatException(record.exc_info)
        return _JSON.encode(line)


def configuration(level: str = "INFO") -> dict[str, Any]:
    """A logging.config dictionary: everything to stderr, one JSON object per line."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": "bot.logs.JsonLines"}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
        "root": {"level": "WARNING", "handlers": ["stderr"]},
        "loggers": {
            "bot": {"level": level, "handlers": ["stderr"], "propagate": False},
            "gunicorn.error": {"level": "INFO", "handlers": ["stderr"], "propagate": False},
        },
    }
