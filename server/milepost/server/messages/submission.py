"""The parts of a submission that the store keeps beside the job."""

from __future__ import annotations

from typing import NamedTuple

from milepost.v1 import Event


class Submission(NamedTuple):
    """The ``request_id`` of a submission, and the job's input, encoded; None where it has none."""

    request_id: str
    input: bytes | None

    @classmethod
    def detach(cls, event: Event) -> Submission | None:
        """Take the input out of a job's first event, and return it; None for other events.

        It never changes, and is stored by itself. So it is neither copied into the folded job, which for many small
        values takes tens of milliseconds, nor kept in memory with that.
        """
        if not event.HasField("job_submitted"):
            return None
        submitted = event.job_submitted
        given = submitted.job.input.SerializeToString() if submitted.job.HasField("input") else None
        submitted.job.ClearField("input")
        return cls(submitted.request_id, given)
