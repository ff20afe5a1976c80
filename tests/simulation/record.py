"""What happened in a run, as those saw it who were there: the evidence that the checks are made upon."""

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
    """One attempt at a job, as both sides know it."""

    job_id: str
    token: str


class Acknowledgement(NamedTuple):
    """Said by the server: this report and all before it are durable. ``is_durable`` is whether they were by then."""

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
    """How the job stood on the disk at that moment; 0 where it was not there."""


class Load(NamedTuple):
    """How many jobs a worker had when it was given one, and how many it takes."""

    worker: str
    jobs: int
    most: int


@dataclass
class Record:
    """Filled while the world runs; ``now`` is the virtual time."""

    disk: MemoryDisk
    now: Callable[[], float]
    trace: list[str] = field(default_factory=list)
    reports: dict[Lease, dict[int, Update]] = field(default_factory=dict)
    """What was reported under a lease, by number, whether or not it arrived."""
    changed: list[Lease] = field(default_factory=list)
    """Leases under which one number was used for two different updates."""
    refused: dict[Lease, set[int]] = field(default_factory=dict)
    """The reports that the server refused."""
    acknowledgements: list[Acknowledgement] = field(default_factory=list)
    heartbeats: dict[Lease, list[float]] = field(default_factory=dict)
    """When the server heard from the worker that has the job."""
    submits: list[SubmitAnswer] = field(default_factory=list)
    refused_requests: set[str] = field(default_factory=set)
    """Those that were answered with a refusal."""
    cancels: list[CancelAnswer] = field(default_factory=list)
    loads: list[Load] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    """How often something happened: messages by kind, faults by name."""
    releases: set[Lease] = field(default_factory=set)
    """Those that were given back."""
    calm: float = 0.0
    """When the last fault was over."""
    seen: list[tuple[str, list[Event]]] = field(default_factory=list)
    """What each of those who follow a job was shown, over all of its streams."""
    shown_early: list[str] = field(default_factory=list)
    """Jobs of which something was shown that was not durable."""
    refused_early: list[str] = field(default_factory=list)
    """Jobs of which a worker was told that they had ended when that was not durable."""
    _holders: dict[str, tuple[int, Lease, int]] = field(default_factory=dict)

    def note(self, what: str) -> None:
        """Writes a line of the trace."""
        self.trace.append(f"{self.now():.6f} {what}")

    def fault(self, name: str, where: str = "") -> None:
        """Something goes wrong on purpose."""
        self.counts[f"fault: {name}"] += 1
        self.note(f"-- {name} {where}")

    def said(self, worker: str, stream: int, request: WorkRequest) -> None:
        """A worker sends a message."""
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
        """The server receives a message."""
        if request.HasField("heartbeat"):
            for holder, lease, _ in self._holders.values():
                if holder == stream:
                    self.heartbeats.setdefault(lease, []).append(self.now())

    def answered(self, worker: str, stream: int, response: WorkResponse) -> None:
        """The server sends a message."""
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
        """A worker receives a message."""
        self.note(f"{worker} #{stream} hears {response.WhichOneof('message')}")

    def became_durable(self, entries: Sequence[Entry]) -> None:
        """The server is told of commits."""
        for entry in entries:
            if isinstance(entry, DurableCommit):
                commit, chunk = entry.commit, entry.commit.chunk
                states = f"{commit.state_before} -> {commit.state}"
                self.note(f"@{entry.position} {commit.job_id} {chunk.first}..{chunk.last} {states}")

    def watch(self, job_id: str) -> list[Event]:
        """Somebody follows a job, and adds to this what is shown."""
        self.seen.append((job_id, []))
        return self.seen[-1][1]

    def showed(self, job_id: str, response: WatchJobResponse) -> None:
        """The server sends a frame to somebody who follows a job."""
        events = response.events.events
        self.note(f"server shows {job_id} {response.WhichOneof('frame')} {len(events)}")
        if events and events[-1].sequence > self.disk.records[job_id].last:
            self.shown_early.append(job_id)

    def submitted(self, request: SubmitJobRequest, job_id: str) -> None:
        """A client is told that its job was accepted."""
        self.submits.append(SubmitAnswer(request, job_id, job_id in self.disk.records))
        self.note(f"client submitted {request.request_id} as {job_id}")

    def cancelled(self, job_id: str) -> None:
        """A client is told that the cancellation was accepted."""
        stored = self.disk.records.get(job_id)
        self.cancels.append(CancelAnswer(job_id, stored.state if stored is not None else 0))
        self.note(f"client cancelled {job_id}")

    def loaded(self, worker: str, jobs: int, most: int) -> None:
        """A worker has taken on a job."""
        self.loads.append(Load(worker, jobs, most))
        self.note(f"{worker} has {jobs} of {most}")
