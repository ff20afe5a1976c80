"""A job as decisions see it: with all of them applied, whether they are durable or not."""

from __future__ import annotations

from milepost.fold import Fold
from milepost.server.decide import PlainReports
from milepost.server.log.event_log import job_attributes
from milepost.v1 import Job


class OpenJob:
    """A job with all decisions applied, durable or not. ``fold`` is without the job's input.

    ``state``, ``fraction`` and ``size`` (in bytes) are those after the newest append, where the next one starts.
    ``pending`` counts the appends that are not durable yet, and the decisions that are made in slices.
    ``has_failed`` is whether one of them has failed, on which further ones would build.
    ``is_discarded`` is whether it is of no more use once none is left (see ``Journal.discard``).
    ``plain_reports`` decides reports of plain updates; it is made for the first one, and takes 2 KB at most.
    """

    __slots__ = (
        "attributes",
        "fold",
        "fraction",
        "has_failed",
        "is_discarded",
        "pending",
        "plain_reports",
        "report_sequence",
        "size",
        "state",
        "time",
    )

    def __init__(self, fold: Fold, report_sequence: int = 0, time: int = 0) -> None:
        self.fold = fold
        self.report_sequence = report_sequence
        self.time = time
        self.pending = 0
        self.has_failed = False
        self.is_discarded = False
        self.attributes = job_attributes(fold.job)
        self.state = fold.job.state
        self.fraction = fold.job.fraction
        self.size = fold.job.ByteSize()
        self.plain_reports: PlainReports | None = None

    @property
    def job(self) -> Job:
        """The job itself, read-only, until the next append."""
        return self.fold.job
