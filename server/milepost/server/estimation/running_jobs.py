"""Follow the log for the pace of running jobs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from milepost.contract.sized_cache import SizedCache
from milepost.server.base.clock import Clock
from milepost.server.forecasting.job_observer import JobObserver
from milepost.server.forecasting.run_encoding import encode_stages
from milepost.server.log.event_log import Commit, DurableCommit, Entry
from milepost.server.log.frames import latest_progress
from milepost.server.messages.payloads import JOB_STARTED, STAGE_PROGRESSED, mask_of
from milepost.server.messages.timestamps import SECOND, instant
from milepost.server.scheduling.steps import Steps
from milepost.v1 import Events, Job, JobState

RUNNING_BYTES: Final = 32 << 20
"""Bound of the memory of what is known of running jobs. Of others, the pace so far is one straight line."""

IDLE_TIME: Final = 86_400.0
"""Seconds without an event or an estimate after which the observations of a running job are evicted. They cannot be
read again, and are removed when the job ends; so this is long, and matters for those noted after the end."""

_STEPS: Final = mask_of(("job_started", "stages_planned", "stage_started", "stage_ended"))
_OBSERVED: Final = _STEPS | STAGE_PROGRESSED | mask_of(["job_ended"])

_SAMPLES: Final = 500
"""Updates of progress are read at most after this part of the time so far, and after ``_SAMPLE_INTERVAL``: more of them
would not change an estimate."""

_SAMPLE_INTERVAL: Final = SECOND // 10


class ObservedJob:
    """A running job."""

    __slots__ = ("due", "has_children", "kind", "last", "observer", "owner")

    def __init__(self, observer: JobObserver, owner: str, kind: str, last: int) -> None:
        self.observer = observer
        self.owner = owner
        self.kind = kind
        self.last = last
        """All events up to this one were observed."""
        self.has_children = False
        self.due = 0
        """When the next update of progress is read, in nanoseconds."""


class RunningJobs:
    """The pace of running jobs, in a cache that is bounded in bytes."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._observed: SizedCache[str, ObservedJob] = SizedCache(RUNNING_BYTES)

    @property
    def memory(self) -> int:
        """Bytes of memory, about."""
        return self._observed.size

    def evict_idle(self) -> Steps[None]:
        """See ``IdleCaches``: of what is known of jobs."""
        return self._observed.evict_idle()

    def on_entries(self, entries: Sequence[Entry]) -> None:
        """Observe jobs that start, and those that are known."""
        for entry in entries:
            if isinstance(entry, DurableCommit):
                if entry.commit.payloads & _OBSERVED:
                    self._observe(entry.commit)
            elif not entry.first_sequence:
                self._observed.pop(entry.attributes.job_id)

    def observer(self, job: Job) -> JobObserver:
        """What is known of a running job; from the job itself where its events were not seen."""
        observed = self._observed.get(job.job_id)
        if observed is not None and observed.observer.started == instant(job.start_time):
            return observed.observer
        observer = JobObserver.of(job, self._clock.now())
        self._observed.put(
            job.job_id, ObservedJob(observer, job.owner, job.kind, job.last_sequence), observer.memory
        )
        return observer

    def find(self, job_id: str) -> ObservedJob | None:
        """What is known of a running job, if its events were seen."""
        return self._observed.get(job_id)

    def has_children(self, job: Job) -> bool:
        """Whether children of the running job were seen to run."""
        observed = self._observed.get(job.job_id)
        return observed is not None and observed.has_children

    def run_of(self, job: Job) -> bytes:
        """The run of a job that ends, encoded; empty for one that did not succeed, since that teaches nothing."""
        if job.state != JobState.JOB_STATE_SUCCEEDED or not job.HasField("start_time"):
            return b""
        ended = instant(job.end_time)
        observed = self._observed.get(job.job_id)
        if observed is not None and observed.observer.started == instant(job.start_time):
            observer = observed.observer
            if observed.last < job.last_sequence - 1:
                observer.complete(job, ended)
        else:
            observer = JobObserver.of(job, ended)
        found = observer.stage_runs(ended)
        return b"" if found is None else encode_stages(*found, observer.workload, ended)

    def _observe(self, commit: Commit) -> None:
        parent = commit.attributes.parent_job_id
        if parent and (observed := self._observed.get(parent)) is not None:
            observed.has_children = True
        observed = self._observed.get(commit.job_id)
        if commit.ends:
            self._observed.pop(commit.job_id)
        elif commit.payloads & JOB_STARTED:
            job = Job.FromString(commit.job)
            observer = JobObserver.of(job, commit.time)
            self._observed.put(
                commit.job_id, ObservedJob(observer, job.owner, job.kind, commit.chunk.last), observer.memory
            )
        elif observed is not None and (commit.payloads & _STEPS or commit.time >= observed.due):
            observer = observed.observer
            first, last, frames = commit.chunk
            if commit.payloads & _STEPS or first == last:
                for event in Events.FromString(frames).events:
                    observer.observe(event)
                if first == observed.last + 1:
                    observed.last = last
            elif (progress := latest_progress(frames)) is not None:
                # As fast as that, updates come together. The last one supersedes the others; of other stages that
                # advance at once the next commit tells, and the job itself at its end.
                observer.observe(progress)
            elapsed = commit.time - (observer.started or commit.time)
            observed.due = commit.time + max(elapsed // _SAMPLES, _SAMPLE_INTERVAL)
            self._observed.put(commit.job_id, observed, observer.memory)
