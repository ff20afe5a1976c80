"""The record of a run as its participants saw it, for the checks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from milepost.contract.job_states import FINAL
from milepost.server.log.event_log import DurableCommit, Entry
from milepost.server.log.memory.memory_disk import MemoryDisk
from milepost.v1 import (
    ErrorReason,
    Event,
    SubmitJobRequest,
    Update,
    WatchJobResponse,
    WorkRequest,
    WorkResponse,
)

__all__ = ["Acknowledgement", "CancelAnswer", "Lease", "Record", "SubmitAnswer"]


class Lease(NamedTuple):
    """The lease of an attempt, by which both sides identify it."""

    job_id: str
    token: str


class Acknowledgement(NamedTuple):
    """An acknowledgement of this report and all before it. ``is_durable`` says whether they were durable."""

    lease: Lease
    report_sequence: int
    is_durable: bool


class SubmitAnswer(NamedTuple):
    """A job was accepted."""

    request: SubmitJobRequest
    job_id: str
    durable: bool


class CancelAnswer(NamedTuple):
    """A cancellation was accepted."""

    job_id: str
    state: int
    """The job's state on the disk at that moment; 0 if it was not there."""


class Load(NamedTuple):
    """The number of a worker's jobs at an assignment, and its capacity."""

    worker: str
    jobs: int
    most: int


@dataclass
class Record:
    """The record, filled during the run; ``now`` returns the virtual time."""

    disk: MemoryDisk
    now: Callable[[], float]
    trace: list[str] = field(default_factory=list)
    reports: dict[Lease, dict[int, Update]] = field(default_factory=dict)
    """The updates that were reported under a lease, by number, whether they arrived or not."""
    changed: list[Lease] = field(default_factory=list)
    """Leases under which one number was used for two different updates."""
    refused: dict[Lease, set[int]] = field(default_factory=dict)
    """The reports that the server refused."""
    acknowledgements: list[Acknowledgement] = field(default_factory=list)
    heartbeats: dict[Lease, list[float]] = field(default_factory=dict)
    """The times of heartbeats from the worker that holds the job."""
    submits: list[SubmitAnswer] = field(default_factory=list)
    refused_requests: set[str] = field(default_factory=set)
    """Requests that were refused."""
    cancels: list[CancelAnswer] = field(default_factory=list)
    loads: list[Load] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    """Counts of messages by kind and of faults by name."""
    releases: set[Lease] = field(default_factory=set)
    """Leases of released jobs."""
    calm: float = 0.0
    """The time at which the last fault was over."""
    seen: list[tuple[str, list[Event]]] = field(default_factory=list)
    """The events that each subscriber received over all its streams."""
    shown_early: list[str] = field(default_factory=list)
    """Jobs with events that were sent before they were durable."""
    refused_early: list[str] = field(default_factory=list)
    """Jobs whose end was reported to a worker before it was durable."""
    _holders: dict[str, tuple[int, Lease, int]] = field(default_factory=dict)

    def note(self, what: str) -> None:
        """Add a line to the trace."""
        self.trace.append(f"{self.now():.6f} {what}")

    def fault(self, name: str, where: str = "") -> None:
        """Record an injected fault."""
        self.counts[f"fault: {name}"] += 1
        self.note(f"-- {name} {where}")

    def said(self, worker: str, stream: int, request: WorkRequest) -> None:
        """Record a message that a worker sends."""
        name = request.WhichOneof("message") or ""
        self.counts[name] += 1
        line = f"{worker} #{stream} {name}"
        if name == "report":
            report = request.report
            lease = Lease(report.job_id, report.lease_token)
            known = self.reports.setdefault(lease, {})
            for number, update in enumerate(report.updates, report.first_report_sequence):
                if known.setdefault(number, update) != update:
                    self.changed.append(lease)
            line += f" {report.job_id} {report.first_report_sequence}+{len(report.updates)}"
        elif name == "release":
            self.releases.add(Lease(request.release.job_id, request.release.lease_token))
            line += f" {request.release.job_id}"
        self.note(line)

    def took(self, stream: int, request: WorkRequest) -> None:
        """Record a message that the server receives."""
        if request.HasField("heartbeat"):
            for holder, lease, _ in self._holders.values():
                if holder == stream:
                    self.heartbeats.setdefault(lease, []).append(self.now())

    def answered(self, worker: str, stream: int, response: WorkResponse) -> None:
        """Record a message that the server sends."""
        name = response.WhichOneof("message") or ""
        self.counts[name] += 1
        line = f"server #{stream} {name}"
        match name:
            case "acknowledged":
                acknowledged = response.acknowledged
                lease = Lease(acknowledged.job_id, acknowledged.lease_token)
                is_durable = self.disk.records[acknowledged.job_id].last >= acknowledged.last_sequence
                self.acknowledgements.append(Acknowledgement(lease, acknowledged.report_sequence, is_durable))
                if not self.calm and any(name.startswith("fault") for name in self.counts):
                    self.counts["acknowledged amid faults"] += 1
                line += f" {acknowledged.job_id} {acknowledged.report_sequence}"
            case "assignment":
                job = response.assignment.job
                lease = Lease(job.job_id, response.assignment.lease_token)
                self._holders[job.job_id] = stream, lease, job.attempt
                line += f" {job.job_id}/{job.attempt} to {worker}"
            case "rejected":
                refused = response.rejected
                stored = self.disk.records.get(refused.job_id)
                if (
                    refused.reason == ErrorReason.ERROR_REASON_JOB_ENDED
                    and stored
                    and stored.state not in FINAL
                ):
                    self.refused_early.append(refused.job_id)
                line += f" {refused.job_id} {refused.report_sequence} {refused.reason}"
            case "resumed":
                job_id, number = response.resumed.job_id, response.resumed.acknowledged_report_sequence
                if job_id in self._holders:
                    _, lease, attempt = self._holders[job_id]
                    self._holders[job_id] = stream, lease, attempt
                    stored = self.disk.records[job_id]
                    is_durable = stored.report_sequence >= number or self.disk.job(stored).attempt > attempt
                    self.acknowledgements.append(Acknowledgement(lease, number, is_durable))
                line += f" {job_id} {number}"
        self.note(line)

    def heard(self, worker: str, stream: int, response: WorkResponse) -> None:
        """Record a message that a worker receives."""
        self.note(f"{worker} #{stream} hears {response.WhichOneof('message')}")

    def became_durable(self, entries: Sequence[Entry]) -> None:
        """Record durable entries."""
        for entry in entries:
            if isinstance(entry, DurableCommit):
                commit, chunk = entry.commit, entry.commit.chunk
                states = f"{commit.state_before} -> {commit.state}"
                self.note(f"@{entry.position} {commit.job_id} {chunk.first}..{chunk.last} {states}")

    def watch(self, job_id: str) -> list[Event]:
        """Return the list to which a new subscriber of the job adds its events."""
        self.seen.append((job_id, []))
        return self.seen[-1][1]

    def showed(self, job_id: str, response: WatchJobResponse) -> None:
        """Record a frame that the server sends to a subscriber."""
        events = response.events.events
        self.note(f"server shows {job_id} {response.WhichOneof('frame')} {len(events)}")
        if events and events[-1].sequence > self.disk.records[job_id].last:
            self.shown_early.append(job_id)

    def submitted(self, request: SubmitJobRequest, job_id: str) -> None:
        """Record that a submission was accepted."""
        self.submits.append(SubmitAnswer(request, job_id, job_id in self.disk.records))
        self.note(f"client submitted {request.request_id} as {job_id}")

    def cancelled(self, job_id: str) -> None:
        """Record that a cancellation was accepted."""
        stored = self.disk.records.get(job_id)
        self.cancels.append(CancelAnswer(job_id, stored.state if stored is not None else 0))
        self.note(f"client cancelled {job_id}")

    def loaded(self, worker: str, jobs: int, most: int) -> None:
        """Record the number of a worker's jobs at an assignment."""
        self.loads.append(Load(worker, jobs, most))
        self.note(f"{worker} has {jobs} of {most}")
