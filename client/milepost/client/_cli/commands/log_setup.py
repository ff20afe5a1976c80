"""Logging of long-running commands on stderr: for people on a terminal, one JSON object per line elsewhere."""

from __future__ import annotations

import logging
import sys
from contextlib import nullcontext
from typing import TextIO

import structlog

from milepost.contract.printable import escape_values

__all__ = ["configure"]


def configure(level: str) -> None:
    """Log messages of at least ``level`` from all loggers, those of the SDK and of handlers alike.

    Tracebacks omit the values of local variables, which may be passwords or payloads.
    """
    processors: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
    ]
    renderer: structlog.typing.Processor
    if sys.stderr.isatty():
        time = structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False)
        processors += [time, structlog.processors.format_exc_info, escape_values]
        # Messages are not padded to a column: on a narrow terminal the padding of a short one is an empty line.
        renderer = structlog.dev.ConsoleRenderer(0, exception_formatter=structlog.dev.plain_traceback)
    else:
        tracebacks = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
        time = structlog.processors.TimeStamper(fmt="iso", utc=True)
        processors += [time, structlog.processors.ExceptionRenderer(tracebacks)]
        renderer = structlog.processors.JSONRenderer()
    handler = _Handler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=processors,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    # Otherwise Python writes warnings as they are, between JSON objects, too.
    logging.captureWarnings(True)


class _Handler(logging.StreamHandler[TextIO]):
    """Writes to stderr, above the bars of tqdm that handlers of jobs may have there."""

    def handle(self, record: logging.LogRecord) -> bool:
        """Write the record. Bars are cleared for it, and drawn again below."""
        tqdm = getattr(sys.modules.get("tqdm"), "tqdm", None)
        # Its lock first, then that of the handler: a thread of tqdm that refreshes bars may log under its lock, too.
        with tqdm.external_write_mode(self.stream) if tqdm is not None else nullcontext():
            return super().handle(record)
