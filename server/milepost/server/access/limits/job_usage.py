"""The jobs of each principal that have not ended, and the bytes of their inputs."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple

from milepost.contract.job_states import has_ended
from milepost.v1 import Job

_JOB_COST: Final = 256
"""Bytes of memory for one counted job."""


class Usage(NamedTuple):
    """The unfinished jobs of one principal."""

    jobs: int = 0
    input: int = 0
    """In bytes."""


_NONE: Final = Usage()


class _CountedJob(NamedTuple):
    subject: str
    input: int


class JobUsage:
    """Counts jobs by who submitted them, from the transitions in the log, so that restarts and nodes count alike.

    Submissions that are being made durable count as well. Each job is counted once, however often it is announced.
    """

    def __init__(self) -> None:
        self._jobs: dict[str, _CountedJob] = {}
        self._by_subject: dict[str, Usage] = {}
        # The jobs whose first transition has not come yet.
        self._starting: set[str] = set()

    def of(self, subject: str) -> Usage:
        """The usage of the principal with this subject."""
        return self._by_subject.get(subject, _NONE)

    @property
    def memory(self) -> int:
        """Memory of the counters in bytes."""
        return _JOB_COST * len(self._jobs)

    def on_transition(self, job: Job) -> None:
        """Count a job until it has ended."""
        if not job.submitted_by:
            return
        self._starting.discard(job.job_id)
        self._count(
            job.job_id, None if has_ended(job) else _CountedJob(sys.intern(job.submitted_by), job.input_size)
        )

    @contextmanager
    def submitting(self, job_id: str, subject: str, input_size: int) -> Iterator[None]:
        """Count a job from now on, unless it does not become durable."""
        if job_id not in self._jobs:  # otherwise another submission has the id, and this one will be refused
            self._starting.add(job_id)
            self._count(job_id, _CountedJob(subject, input_size))
        try:
            yield
        except BaseException:
            if job_id in self._starting:
                self._starting.discard(job_id)
                self._count(job_id, None)
            raise

    def _count(self, job_id: str, job: _CountedJob | None) -> None:
        before = self._jobs.pop(job_id, None)
        if before is not None:
            self._add(before.subject, -1, -before.input)
        if job is not None:
            self._jobs[job_id] = job
            self._add(job.subject, 1, job.input)

    def _add(self, subject: str, jobs: int, size: int) -> None:
        used = self.of(subject)
        after = Usage(used.jobs + jobs, used.input + size)
        if after.jobs:
            self._by_subject[subject] = after
        else:
            self._by_subject.pop(subject, None)
