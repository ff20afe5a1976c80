"""Warnings of the SDK, of Python and of libraries, as lines of the command's own on stderr."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator

from milepost.client._cli.rendering import text
from milepost.client._cli.rendering.json_line import dump_json
from milepost.client._cli.standard_streams import ReaderGone, write_stderr

__all__ = ["warning_lines"]

_LIMIT = 1000


@contextlib.contextmanager
def warning_lines(*, json: bool) -> Iterator[None]:
    """Write what loggers and `warnings` warn of, one line each: ``Warning: …``, or a JSON object.

    Python itself would write them as they are, between JSON objects, too.
    """
    root, handler = logging.getLogger(), _WarningHandler(json=json)
    root.addHandler(handler)
    logging.captureWarnings(True)
    try:
        yield
    finally:
        logging.captureWarnings(False)
        root.removeHandler(handler)


class _WarningHandler(logging.Handler):
    def __init__(self, *, json: bool) -> None:
        super().__init__(logging.WARNING)
        self._json = json

    def emit(self, record: logging.LogRecord) -> None:
        """Write the record; of an exception its type and message, since a traceback is for a debugger."""
        error = record.exc_info[1] if record.exc_info else None
        cause = f": {type(error).__name__}: {error}" if error is not None else ""
        message = text.one_line(f"{record.getMessage()}{cause}", _LIMIT)
        # The command itself notices that nobody reads any more.
        with contextlib.suppress(ReaderGone):
            write_stderr(
                dump_json({"warning": {"message": message}}) if self._json else f"Warning: {message}"
            )
