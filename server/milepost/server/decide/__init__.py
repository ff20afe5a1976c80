"""Decisions: pure functions of a job (as a ``Fold``) and an instant to the job's next events.

A decision returns the events, or raises a ``Refusal``. It uses no transport, store or clock. The fold defines what the
events do to the job.
"""

from milepost.server.decide.ending import (
    assignment_lost,
    cancel,
    cancel_requested,
    claimed_again,
    due,
    is_lost,
    over_limit,
    parent_cancelled,
    release,
    retry_delay,
)
from milepost.server.decide.event_batch import EventBatch
from milepost.server.decide.parent_progress import children_progressed
from milepost.server.decide.plain_reports import PlainReports, is_short
from milepost.server.decide.report_batching import Rejection, ReportBatch, report_batches
from milepost.server.decide.reporting import report
from milepost.server.decide.size_budget import SizeBudget, fit
from milepost.server.decide.submitting import same_submission, start, submit

__all__ = [
    "EventBatch",
    "PlainReports",
    "Rejection",
    "ReportBatch",
    "SizeBudget",
    "assignment_lost",
    "cancel",
    "cancel_requested",
    "children_progressed",
    "claimed_again",
    "due",
    "fit",
    "is_lost",
    "is_short",
    "over_limit",
    "parent_cancelled",
    "release",
    "report",
    "report_batches",
    "retry_delay",
    "same_submission",
    "start",
    "submit",
]
