"""Write records of `logging` to the log of the current job.

    import logging

    from milepost.client.logging import JobHandler

    logging.getLogger().addHandler(JobHandler())

Outside a job it does nothing.
"""

from __future__ import annotations

import logging

from milepost.client._worker.current_job import current_job

__all__ = ["JobHandler"]


class JobHandler(logging.Handler):
    """Logging handler that writes each record to the log of the current job; outside a job it does nothing.

    A log line has the formatter's text, by default the message followed by the traceback, and the fields ``logger``
    and, after an exception, ``exception``. It ignores records of the SDK itself.

    It has no lock, because a finalizer may log at any moment, even in a thread that is sending the job's reports while
    another one logs; and a job accepts log lines from any thread.
    """

    def handle(self, record: logging.LogRecord) -> bool:
        """Write the record, unless a filter rejects it."""
        passed: object = self.filter(record)  # since Python 3.12 a filter may return another record
        if passed:
            self.emit(passed if isinstance(passed, logging.LogRecord) else record)
        return bool(passed)

    def createLock(self) -> None:
        """Create no lock."""
        self.lock = None

    def emit(self, record: logging.LogRecord) -> None:
        """Write the record. Errors never reach the caller; `logging.raiseExceptions` decides whether to print them."""
        job = current_job()
        if job is None or f"{record.name}.".startswith("milepost."):
            return
        try:
            fields = {"logger": record.name}
            if record.exc_info and record.exc_info[0] is not None:
                fields["exception"] = record.exc_info[0].__qualname__
            job.log(self.format(record), severity=_severity(record.levelno), **fields)
        except Exception:  # noqa: BLE001 - as all logging handlers do
            self.handleError(record)


def _severity(level: int) -> str:
    if level >= logging.ERROR:
        return "error"
    if level >= logging.WARNING:
        return "warning"
    return "info" if level >= logging.INFO else "debug"
