"""Logs as one JSON object a line. Exception messages are left out, since they may quote what a Secret held."""

import json
import logging
import traceback
from datetime import UTC, datetime
from typing import Any

STANDARD = set(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message"}


class JsonFormatter(logging.Formatter):
    """time, level, logger, message, whatever ``extra`` held, and where an exception came from."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **{key: value for key, value in vars(record).items() if key not in STANDARD},
        }
        if record.exc_info and record.exc_info[1]:
            line |= origin(record.exc_info[1])
        return json.dumps(line, default=str)


def origin(error: BaseException) -> dict[str, Any]:
    """What an error is and where it came from, without its text."""
    frames = traceback.extract_tb(error.__traceback__)
    return {"error": type(error).__name__, "at": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames[-8:]]}


def configure(level: str) -> None:
    """Sends all logs to standard error in this form."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it logs every URL
