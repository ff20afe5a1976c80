"""Warnings about values that could not be reported exactly as the handler gave them."""

from __future__ import annotations

import logging
import re
from typing import Final

from milepost.client._worker.reporter import Reporter
from milepost.client._worker.truncation import truncate
from milepost.contract.limits import MESSAGE_LENGTH
from milepost.v1 import LogWritten, Severity, Update

__all__ = ["ReportWarnings"]

_logger = logging.getLogger("milepost.client")

_WARNING_LIMIT: Final = 50
_INDEX: Final = re.compile(r"\[\d+\]")


class ReportWarnings:
    """Write warnings to the log of the job and to the worker's: one for each path, and at most 50 for each job."""

    def __init__(self, job_id: str, reporter: Reporter) -> None:
        self._job_id = job_id
        self._reporter = reporter
        self._paths: set[str] = set()

    def add(self, path: str, text: str) -> None:
        """Warn about the value at `path`, unless a warning about it exists. Items of a list count as one path."""
        with self._reporter.lock:
            before = len(self._paths)
            if before > _WARNING_LIMIT:
                return
            self._paths.add(_INDEX.sub("[]", path))
            if len(self._paths) == before:
                return
        if before == _WARNING_LIMIT:
            text = "More could not be reported as it was given; there are no further warnings of that."
        _logger.warning("job %s: %s", self._job_id, text)
        line = LogWritten(severity=Severity.SEVERITY_WARNING, text=truncate(text, MESSAGE_LENGTH))
        self._reporter.add(Update(log_written=line), droppable=True)
