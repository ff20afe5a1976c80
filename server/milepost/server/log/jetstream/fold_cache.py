"""Restoring commits of other nodes by folding their events."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from milepost.contract.sized_cache import SizedCache
from milepost.fold import Fold
from milepost.server.log.event_log import Commit, JobAttributes, job_attributes
from milepost.server.log.jetstream.records import Part
from milepost.server.messages.payloads import has_end, has_transition, payloads_of
from milepost.server.messages.submission import Submission
from milepost.server.scheduling.steps import finish
from milepost.v1 import Events, Job, JobState

CACHE_BYTES: Final = 32 << 20
"""Bound of the memory of jobs that are kept between commits; the projection has all of them."""


class _Folded(NamedTuple):
    attributes: JobAttributes
    fold: Fold


class FoldCache:
    """Cache of jobs as of their last applied commit. ``load`` reads a serialised job from the projection."""

    def __init__(self, load: Callable[[str], bytes | None]) -> None:
        self._load = load
        self._jobs: SizedCache[str, _Folded] = SizedCache(CACHE_BYTES)

    def commit(self, job_id: str, part: Part) -> Commit | None:
        """Restore the commit of a part; None if this node lacks the events before it."""
        events = Events.FromString(part.chunk.frames).events
        submission = Submission.detach(events[0]) if events else None
        if submission is not None:
            folded: _Folded | None = _Folded(job_attributes(events[0].job_submitted.job), Fold())
        else:
            folded = self._known(job_id)
        if folded is None:
            return None
        attributes, fold = folded
        if fold.job.last_sequence < part.chunk.first - 1:
            return None
        fraction_before = fold.job.fraction
        for event in events:
            fold.apply(event)
        # A log that was thinned before its import lacks some events.
        fold.job.last_sequence = part.chunk.last
        self._jobs.put(job_id, folded, fold.memory)
        payloads = payloads_of(events)
        return Commit(
            attributes=attributes,
            chunk=part.chunk,
            job=fold.job.SerializeToString(),
            state_before=JobState.ValueType(part.state_before),
            state=JobState.ValueType(part.state),
            fraction_before=fraction_before,
            fraction=fold.job.fraction,
            report_sequence=part.report_sequence,
            time=part.time,
            is_transition=has_transition(payloads),
            ends=has_end(payloads),
            payloads=payloads,
            submission=submission,
            fraction_known=fold.job.fraction_known,
            run=part.run,
        )

    def evict_idle(self) -> None:
        """Drop the jobs that were not used since the call before."""
        finish(self._jobs.evict_idle())

    def forget(self, job_id: str) -> None:
        """Drop an outdated job from the cache."""
        self._jobs.pop(job_id)

    def _known(self, job_id: str) -> _Folded | None:
        folded = self._jobs.get(job_id)
        if folded is None:
            stored = self._load(job_id)
            if not stored:
                return None
            job = Job.FromString(stored)
            folded = _Folded(job_attributes(job), Fold(job))
        return folded
