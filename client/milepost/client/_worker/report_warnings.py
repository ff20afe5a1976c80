"""Warnings of what could not be reported as it was given."""

from __future__ import annotations

import logging
import re
from typing import Final

from milepost.client._worker.reporter import Reporter
from milepost.client._worker.truncation import clip
from milepost.contract.limits import MESSAGE_LENGTH
from milepost.v1 import LogWritten, Severity, Update

__all__ = ["Remarks"]

_log = logging.getLogger("milepost.client")

_MOST: Final = 50
_INDEX: Final = re.compile(r"\[\d+\]")


class Remarks:
    """Adds them to the log of a job and to that of the worker: once for each path, and at most 50 in all."""

    def __init__(self, job_id: str, reporter: Reporter) -> None:
        self._job_id = job_id
        self._reporter = reporter
        self._paths: set[str] = set()

    def add(self, path: str, text: str) -> None:
        """Adds a sentence about what `path` names, unless it has one. Items of a list count as one path."""
        with self._reporter.lock:
            before = len(self._paths)
            if before > _MOST:
                return
            self._paths.add(_INDEX.sub("[]", path))
            if len(self._paths) == before:
                return
        if before == _MOST:
            text = "More could not be reported as it was given; there are no further warnings of that."
        _log.warning("job %s: %s", self._job_id, text)
        line = LogWritten(severity=Severity.SEVERITY_WARNING, text=clip(text, MESSAGE_LENGTH))
        self._reporter.add(Update(log_written=line), droppable=True)
