"""Events that are appended together, and what the store and the log's followers need to know of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from milepost.fold import Fold
from milepost.server.messages.event_encoding import event_frame, frame
from milepost.server.messages.job_encoding import encode_with
from milepost.server.messages.payloads import payloads_of
from milepost.server.messages.submission import Submission
from milepost.v1 import Event, JobState

__all__ = ["EventBatch"]

_INPUT: Final = ("job_submitted", "job", "input")


class EventBatch(NamedTuple):
    """The events ``first`` to ``last`` of a job, serialised, with the job after them. Without events, last < first.

    Attributes:
        frames: The events, as frames.
        job: The job after the last of them, serialised, without its input.
        state: Its state.
        fraction: Its fraction.
        fraction_known: See ``Job.fraction_known``.
        time: When they happened, in nanoseconds since the epoch; 0 where there are none.
        payloads: Their payloads, as a mask (see ``payloads``).
        submission: Of a new job, what is stored beside it.
    """

    first: int
    last: int
    frames: bytes
    job: bytes
    state: JobState.ValueType
    fraction: float
    fraction_known: bool
    time: int
    payloads: int
    submission: Submission | None = None

    @classmethod
    def of(cls, fold: Fold, frames: Sequence[bytes], time: int, payloads: int) -> EventBatch:
        """A batch of these frames, whose events are the last that were folded in."""
        job = fold.job
        last = job.last_sequence
        return cls(
            first=last - len(frames) + 1,
            last=last,
            frames=b"".join(frames),
            job=job.SerializeToString(),
            state=job.state,
            fraction=job.fraction,
            fraction_known=job.fraction_known,
            time=time,
            payloads=payloads,
        )

    @classmethod
    def apply(
        cls, fold: Fold, events: Sequence[Event], time: int, job_input: bytes | None = None
    ) -> EventBatch:
        """Fold in the job's next events, and return them as a batch. The input is taken out of a first event.

        A large one would take long to put there, so its bytes may come as ``job_input`` instead.
        """
        frames = [event_frame(event) for event in events]
        submission = Submission.detach(events[0]) if events else None
        if submission is not None and job_input is not None:
            frames[0] = frame(encode_with(events[0], _INPUT, job_input))
            submission = submission._replace(input=job_input)
        for event in events:
            fold.apply(event)
        batch = cls.of(fold, frames, time, payloads_of(events))
        return batch if submission is None else batch._replace(submission=submission)
