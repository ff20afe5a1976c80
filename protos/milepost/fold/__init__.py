"""The fold: what each event does to a job. Written once, shared by the server and its clients.

A job is the fold of its log: start from nothing, apply the events in order, and the result is the job as of the
last of them. The vectors in ``tests/contract/vectors`` say the same as data, for folds in other languages.
"""

from milepost.fold.events import RELEASED, Fold, fold, planned
from milepost.fold.progress import PathToJob, job_fraction_after, share

__all__ = ["RELEASED", "Fold", "PathToJob", "fold", "job_fraction_after", "planned", "share"]
