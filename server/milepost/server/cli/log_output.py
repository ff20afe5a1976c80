"""The server's log on stderr: readable lines on a terminal, else one JSON object a line."""

from __future__ import annotations

import logging
import sys
from typing import Any

import structlog

from milepost.contract.printable import escape_values
from milepost.server.rpc.access_log import access_line


def configure(level: str) -> None:
    """Configure structlog, and logging for libraries. ``level`` is debug, info, warning or error.

    Tracebacks leave out the values of variables, which may be payloads of users.
    """
    first: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
    ]
    last: list[structlog.typing.Processor]
    if sys.stderr.isatty():
        first.append(structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False))
        last = [structlog.processors.format_exc_info, escape_values, _TerminalRenderer()]
    else:
        first.append(structlog.processors.TimeStamper(fmt="iso", utc=True))
        tracebacks = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
        last = [structlog.processors.ExceptionRenderer(tracebacks), structlog.processors.JSONRenderer()]
    structlog.configure(
        processors=[*first, *last],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    library_handler = logging.StreamHandler(sys.stderr)
    library_handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*first, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    logging.basicConfig(handlers=[library_handler], level=logging.WARNING, force=True)
    # Otherwise Python would write warnings as plain text between the JSON objects.
    logging.captureWarnings(True)


class _TerminalRenderer:
    """Renders a call as one short line, and other entries as structlog does."""

    def __init__(self) -> None:
        # Messages are not padded to a column: on a narrow terminal the padding of a short one is an empty line.
        self._render = structlog.dev.ConsoleRenderer(0, exception_formatter=structlog.dev.plain_traceback)

    def __call__(self, logger: Any, name: str, entry: structlog.typing.EventDict) -> str:
        """See ``structlog.typing.Processor``."""
        return access_line(entry) if entry.get("event") == "call" else self._render(logger, name, entry)
