"""The log of a command that runs on: on stderr, for people on a terminal, one JSON object a line elsewhere."""

from __future__ import annotations

import logging
import sys

import structlog

from milepost.contract.printable import escape_values

__all__ = ["configure"]


def configure(level: str) -> None:
    """Writes what loggers say from ``level`` on, those of the SDK and those of handlers alike.

    Tracebacks come without the values of local variables, which may be passwords or anybody's payload.
    """
    before: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
    ]
    last: structlog.typing.Processor
    if sys.stderr.isatty():
        time = structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False)
        before += [time, structlog.processors.format_exc_info, escape_values]
        last = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    else:
        tracebacks = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
        time = structlog.processors.TimeStamper(fmt="iso", utc=True)
        before += [time, structlog.processors.ExceptionRenderer(tracebacks)]
        last = structlog.processors.JSONRenderer()
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=before,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last],
        )
    )
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
