"""One run of a job: the message, what its application reported, and the runs of its children."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from google.protobuf.timestamp_pb2 import Timestamp

from milepost.client._diff.paths import Path
from milepost.client.engines.labels import CHILD
from milepost.contract.job_states import state_name
from milepost.v1 import Custom, Event, Job, Stage, StageState

__all__ = ["Run", "ratio", "seconds", "state_of"]


@dataclass(frozen=True)
class Run:
    """A run to compare.

    Attributes:
        job: The job, which has ended.
        events: Its custom events, in order; those of earlier attempts may be among them.
        children: The runs of its children, in the order of their submission.
    """

    job: Job
    events: Sequence[Event] = ()
    children: Sequence[Run] = ()

    @property
    def customs(self) -> Iterator[Custom]:
        """The custom events of the last attempt, which is also the one that the stages are of."""
        return (event.custom for event in self.events if event.attempt == self.job.attempt)

    @property
    def has_dropped_events(self) -> bool:
        """Whether the server no longer has its oldest events, so that custom ones may be missing."""
        return self.job.first_sequence > 1

    def numbered_children(self) -> Iterator[tuple[Path, Run]]:
        """The children with their paths: ``children.KIND[N]``, numbered within each kind.

        A pipeline replaces a child that did not succeed by another one of the same name: only the last one counts, as
        of a job only its last attempt does.
        """
        last = {_name(child): child for child in self.children}
        counts: dict[str, int] = {}
        for child in self.children:
            if child.job.labels.get(CHILD) and last[_name(child)] is not child:
                continue
            kind = child.job.kind
            number = counts[kind] = counts.get(kind, -1) + 1
            yield ("children", kind, number), child


def _name(child: Run) -> tuple[str, str]:
    return child.job.kind, child.job.labels.get(CHILD, "")


def seconds(of: Job | Stage | None) -> float | None:
    """Seconds from the start of a job's last attempt, or of a stage, to its end; None unless it has both."""
    if of is None or not of.HasField("start_time") or not of.HasField("end_time"):
        return None
    return max(_nanoseconds(of.end_time) - _nanoseconds(of.start_time), 0) / 1e9


def ratio(a: float | None, b: float | None) -> float | None:
    """The ratio of ``b`` to ``a``; None if it is undefined."""
    return b / a if a and b is not None else None


def state_of(of: Job | Stage) -> str:
    """The state without its prefix, as ``SUCCEEDED``; one that this version does not know by its number."""
    if isinstance(of, Job):
        return state_name(of)
    known = of.state in StageState.values()
    return StageState.Name(of.state).removeprefix("STAGE_STATE_") if known else f"STATE_{of.state}"


def _nanoseconds(time: Timestamp) -> int:
    return time.seconds * 1_000_000_000 + time.nanos
