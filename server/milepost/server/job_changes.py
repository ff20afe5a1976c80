"""Notice that a job changes in the log while it is read."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator


class JobChanges:
    """How often jobs change in the log, of those alone that somebody reads or creates now."""

    def __init__(self) -> None:
        self._watchers: Counter[str] = Counter()
        self._counts: Counter[str] = Counter()

    def note(self, job_id: str) -> None:
        """A job has changed."""
        if job_id in self._watchers:
            self._counts[job_id] += 1

    @contextlib.contextmanager
    def watching(self, job_id: str) -> Iterator[Callable[[], int]]:
        """Yield a function that returns how often the job has changed within the block so far."""
        self._watchers[job_id] += 1
        before = self._counts[job_id]
        try:
            yield lambda: self._counts[job_id] - before
        finally:
            self._watchers[job_id] -= 1
            if not self._watchers[job_id]:
                del self._watchers[job_id]
                self._counts.pop(job_id, None)
