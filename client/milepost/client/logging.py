"""Records of `logging`, in the log of the job at hand.

    import logging

    from milepost.client.logging import JobHandler

    logging.getLogger().addHandler(JobHandler())

Where no job is at hand, it does nothing.
"""

from __future__ import annotations

import logging

from milepost.client._worker.current_job import current_job

__all__ = ["JobHandler"]


class JobHandler(logging.Handler):
    """Writes each record to the log of the job that the code which logs is at work on. Without one it does nothing.

    The line has the text as the formatter makes it, by default the message with the traceback below it, and the fields
    ``logger`` and, where there was one, ``exception``. What the SDK says of itself is not the job's.

    It has no lock: a finalizer may log at any moment, also in a thread that is at work on the reports of the job while
    another one logs. A job may be told of from any thread.
    """

    def handle(self, record: logging.LogRecord) -> bool:
        """Writes the record, unless a filter is against it."""
        passed: object = self.filter(record)  # since Python 3.12 it may be another record
        if passed:
            self.emit(passed if isinstance(passed, logging.LogRecord) else record)
        return bool(passed)

    def createLock(self) -> None:
        """Makes none."""
        self.lock = None

    def emit(self, record: logging.LogRecord) -> None:
        """Writes the record. What goes wrong with it is for `logging.raiseExceptions` to say, and fails nothing."""
        job = current_job()
        if job is None or f"{record.name}.".startswith("milepost."):
            return
        try:
            fields = {"logger": record.name}
            if record.exc_info and record.exc_info[0] is not None:
                fields["exception"] = record.exc_info[0].__qualname__
            job.log(self.format(record), severity=_severity(record.levelno), **fields)
        except Exception:  # noqa: BLE001 - as all handlers do
            self.handleError(record)


def _severity(level: int) -> str:
    if level >= logging.ERROR:
        return "error"
    if level >= logging.WARNING:
        return "warning"
    return "info" if level >= logging.INFO else "debug"
