"""The fold: how events change a job. Server and clients share it.

A job is the fold of its log: start from an empty job and apply the events in order. The vectors in
``tests/contract/vectors`` specify the same as data, for folds in other languages.
"""

from milepost.fold.events import RELEASED, Fold, fold
from milepost.fold.levels import COMPLETE, share
from milepost.fold.progress import PathToJob, job_fraction_after, set_end_fraction, set_progress_fractions
from milepost.fold.stage_plan import planned

__all__ = [
    "COMPLETE",
    "RELEASED",
    "Fold",
    "PathToJob",
    "fold",
    "job_fraction_after",
    "planned",
    "set_end_fraction",
    "set_progress_fractions",
    "share",
]
