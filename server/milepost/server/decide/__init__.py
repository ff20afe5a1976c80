"""What may happen to a job, and which events say that it did.

Pure functions over a job (as a ``Fold``) and an instant: they return the events that are to be appended next, or raise
a ``Refusal``; they change nothing and know of no transport, store or clock. What the events do is the fold's to say.
"""

from milepost.server.decide.ending import (
    cancel,
    crowded_out,
    due,
    is_lost,
    lost_on_its_way,
    next_deadline,
    release,
)
from milepost.server.decide.event_batch import EventBatch
from milepost.server.decide.parent_progress import family
from milepost.server.decide.report_batching import Rejection, ReportBatch, report_batches
from milepost.server.decide.reporting import report
from milepost.server.decide.size_budget import SizeBudget, fit
from milepost.server.decide.submitting import same_submission, start, submit

__all__ = [
    "EventBatch",
    "Rejection",
    "ReportBatch",
    "SizeBudget",
    "cancel",
    "crowded_out",
    "due",
    "family",
    "fit",
    "is_lost",
    "lost_on_its_way",
    "next_deadline",
    "release",
    "report",
    "report_batches",
    "same_submission",
    "start",
    "submit",
]
