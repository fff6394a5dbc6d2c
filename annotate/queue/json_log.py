"""The log of a worker as JSON, one object a line."""

import json
import logging
import os
import sys
from collections.abc import Mapping
from datetime import UTC, datetime

# The variable by which a worker tells its processes how to log.
FORMAT_VARIABLE = "ANNOTATE_LOG_FORMAT"
JSON = "json"


class JsonLines(logging.Formatter):
    """Time, level, logger and message, and what was given as `extra={"fields": {...}}`."""

    def format(self, record: logging.LogRecord) -> str:
        """Called by `logging`."""
        row = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            row["traceback"] = self.formatException(record.exc_info)
        return json.dumps(row, default=str)


def asks_for_json(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether this process logs JSON."""
    return environ.get(FORMAT_VARIABLE) == JSON


def log_json() -> None:
    """Makes this process log warnings as JSON on standard error, and what its loggers log below
    that on purpose.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.captureWarnings(capture=True)
