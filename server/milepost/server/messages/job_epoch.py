"""Epoch of one job's log: the store's epoch and the time of the job's submission.

The id of a deleted job may be used again, so a cursor belongs to a job, and not to an id. Clients compare epochs, and
never look into them; so all of them notice a later job with the id as they notice a restored store.
"""

from __future__ import annotations


def job_epoch(store_epoch: str, submitted: int) -> str:
    """The epoch of cursors in the log of the job that was submitted at this time, in nanoseconds since 1970."""
    return f"{store_epoch}.{submitted:x}"


def is_of_store(epoch: str, store_epoch: str) -> bool:
    """Whether the epoch is that of a job in the store with the other one."""
    return epoch.startswith(f"{store_epoch}.")
