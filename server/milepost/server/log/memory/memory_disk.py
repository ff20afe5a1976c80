"""The durable state of an event log in memory, and the writes that change it.

Dictionaries and lists take the place of the SQLite log's tables and statements.
"""

from __future__ import annotations

import copy
import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from milepost.contract.job_states import ACTIVE, FINAL
from milepost.server.log.event_log import (
    FRACTION_SCALE,
    Commit,
    CommitRow,
    Drop,
    DropNotice,
    DurableCommit,
    EndedJob,
    Entry,
    JobAttributes,
    JobIdentity,
)
from milepost.server.log.frames import Chunk, without_superseded
from milepost.server.log.log_errors import Conflict
from milepost.server.log.stored_runs import KIND_LIMIT, OWNER_KIND_LIMIT, RUN_LIMIT, StoredRun
from milepost.server.messages.job_epoch import job_epoch
from milepost.server.messages.timestamps import instant
from milepost.server.scheduling.sliced_decoding import merge_stored
from milepost.v1 import Job

__all__ = ["JobRecord", "MemoryDisk", "StoredCommit"]


@dataclass(slots=True)
class StoredCommit:
    """A commit on the disk."""

    position: int
    chunk: Chunk
    state_before: int
    state: int
    payloads: int


@dataclass(slots=True)
class JobRecord:
    """A job on the disk."""

    key: int
    attributes: JobAttributes
    request_id: str
    job: bytes
    input: bytes | None
    state: int
    last: int
    report_sequence: int
    time: int
    end_time: int | None = None
    first: int = 1
    thinned: int = 0
    commits: list[StoredCommit] = field(default_factory=list)
    children: int = 0
    children_ended: int = 0
    children_done: int = 0
    share_generation: int = 0

    @property
    def identity(self) -> JobIdentity:
        """See ``EventLog.identify``."""
        return JobIdentity(*self.attributes[1:4], self.key, self.share_generation)


class MemoryDisk:
    """Durable state: it outlives the logs that are opened on it, one at a time."""

    def __init__(self, epoch: str = "epoch", lease_secret: bytes = b"secret") -> None:
        self.epoch = epoch
        self.lease_secret = lease_secret
        self.position = 0
        self.records: dict[str, JobRecord] = {}
        self.requests: dict[tuple[str, str], str] = {}
        self.notices: dict[int, DropNotice] = {}
        """The newest notice of each job that lost commits, by the key of the job."""
        self.runs: dict[tuple[str, str], list[StoredRun]] = {}
        """By owner and kind; that with the latest run last."""
        self._key = 0

    @classmethod
    def new(cls) -> MemoryDisk:
        """An empty disk with an epoch and a lease secret of its own, as a new data directory has."""
        return cls(uuid.uuid4().hex, secrets.token_bytes(32))

    def snapshot(self) -> MemoryDisk:
        """A copy of the current state."""
        return copy.deepcopy(self)

    def restore(self, snapshot: MemoryDisk, epoch: str) -> None:
        """Go back to a snapshot, under a new epoch since later writes are lost."""
        vars(self).update(vars(snapshot.snapshot()), epoch=epoch)

    def chunks(self, job_id: str) -> list[Chunk]:
        """The stored chunks of a job's log."""
        return [stored.chunk for stored in self.records[job_id].commits]

    def rows(self) -> list[CommitRow]:
        """All stored commits, by position."""
        return sorted(
            CommitRow(stored.position, job_id, stored.chunk, stored.state_before, stored.state)
            for job_id, record in self.records.items()
            for stored in record.commits
        )

    def job(self, record: JobRecord, *, with_input: bool = False) -> Job:
        """The job as stored; its input only ``with_input``."""
        job = Job.FromString(record.job)
        if with_input and record.input is not None:
            job.input.SetInParent()
            merge_stored(job.input, record.input)
        job.epoch = job_epoch(self.epoch, instant(job.submit_time))
        job.first_sequence, job.thinned_sequence = record.first, record.thinned
        return job

    def has_children_of_others(self, job_id: str, owner: str) -> bool:
        """See ``EventLog``."""
        attributes = (record.attributes for record in self.records.values())
        return any(each.parent_job_id == job_id != "" and each.owner != owner for each in attributes)

    def active_children(self, job_id: str, after: int) -> list[tuple[int, str]]:
        """Keys and ids of all unfinished children after a key; see ``EventLog``."""
        return sorted(
            (record.key, child_id)
            for child_id, record in self.records.items()
            if record.key > after and record.attributes.parent_job_id == job_id and record.state in ACTIVE
        )

    def ended(self, after: tuple[int, int]) -> list[EndedJob]:
        """All ended jobs after the one with this ``end_time`` and ``key``; see ``EventLog``."""
        found = [
            EndedJob(each.key, each.end_time, each.first, each.thinned, job_id, Job.FromString(each.job))
            for job_id, each in self.records.items()
            if each.end_time is not None and (each.end_time, each.key) > after
        ]
        return sorted(found, key=lambda job: (job.end_time, job.key))

    def append(self, commit: Commit) -> Entry | None:
        """See ``EventLog``."""
        record = self._insert(commit) if commit.submission is not None else self._update(commit)
        if commit.attributes.parent_job_id:
            self._update_parent_sums(commit)
        if not commit.chunk.frames:
            return None
        self.position += 1
        record.commits.append(
            StoredCommit(self.position, commit.chunk, commit.state_before, commit.state, commit.payloads)
        )
        if commit.run:
            self._record_run(commit)
        return DurableCommit(commit, self.position)

    def _record_run(self, commit: Commit) -> None:
        key = commit.attributes.owner, commit.attributes.kind
        runs = self.runs.pop(key, [])
        self.runs[key] = [*runs, StoredRun(self.position, commit.run)][-RUN_LIMIT:]
        of_owner = [known for known in self.runs if known[0] == key[0]]
        for excess in (*of_owner[:-OWNER_KIND_LIMIT], *list(self.runs)[:-KIND_LIMIT]):
            self.runs.pop(excess, None)

    def revoke_shares(self, job_id: str, submitted: int | None = None) -> None:
        """See ``EventLog``."""
        self._record(job_id, submitted).share_generation += 1

    def thin(self, job_id: str, submitted: int | None = None) -> None:
        """See ``EventLog``."""
        record = self._ended(job_id, submitted)
        superseded: set[Any] = set()
        for stored in reversed(record.commits):
            stored.chunk = stored.chunk._replace(frames=without_superseded(stored.chunk.frames, superseded))
        record.thinned = record.last

    def trim(self, job_id: str, first_sequence: int, submitted: int | None = None) -> Entry | None:
        """See ``EventLog``."""
        record = self._record(job_id, submitted)
        dropped = [stored for stored in record.commits if stored.chunk.last < first_sequence]
        if not dropped:
            return None
        del record.commits[: len(dropped)]
        record.first = dropped[-1].chunk.last + 1
        return self._notice(record, record.first, dropped)

    def delete(self, job_id: str, submitted: int | None = None) -> Entry:
        """See ``EventLog``."""
        record = self._ended(job_id, submitted)
        del self.records[job_id]
        self.requests.pop((record.attributes.owner, record.request_id), None)
        return self._notice(record, 0, record.commits)

    def _insert(self, commit: Commit) -> JobRecord:
        assert commit.submission is not None
        submission, attributes = commit.submission, commit.attributes
        request = (attributes.owner, submission.request_id)
        if attributes.job_id in self.records or request in self.requests:
            raise Conflict(attributes.job_id)
        self._key += 1
        record = self.records[attributes.job_id] = JobRecord(
            key=self._key,
            attributes=attributes,
            request_id=submission.request_id,
            job=commit.job,
            input=submission.input,
            state=commit.state,
            last=commit.chunk.last,
            report_sequence=commit.report_sequence,
            time=commit.time,
        )
        if submission.request_id:
            self.requests[request] = attributes.job_id
        return record

    def _update(self, commit: Commit) -> JobRecord:
        record = self._record(commit.job_id)
        if record.last != commit.chunk.first - 1:
            raise Conflict(commit.job_id)
        record.job, record.state, record.time = commit.job, commit.state, commit.time
        record.last, record.report_sequence = commit.chunk.last, commit.report_sequence
        if commit.ends:
            record.end_time = commit.time
        return record

    def _update_parent_sums(self, commit: Commit) -> None:
        parent = self.records.get(commit.attributes.parent_job_id)
        if parent is not None:
            is_new = commit.submission is not None
            before = 0 if is_new else round(commit.fraction_before * FRACTION_SCALE)
            after = FRACTION_SCALE if commit.ends else round(commit.fraction * FRACTION_SCALE)
            parent.children += is_new
            parent.children_ended += commit.ends
            parent.children_done += after - before

    def _record(self, job_id: str, submitted: int | None = None) -> JobRecord:
        record = self.records.get(job_id)
        if record is None or submitted not in (None, instant(Job.FromString(record.job).submit_time)):
            raise Conflict(job_id)
        return record

    def _ended(self, job_id: str, submitted: int | None) -> JobRecord:
        record = self._record(job_id, submitted)
        if record.state not in FINAL:
            raise Conflict(job_id)
        return record

    def _notice(self, record: JobRecord, first_sequence: int, dropped: Sequence[StoredCommit]) -> DropNotice:
        self.position += 1
        before = self.notices[record.key].drops if record.key in self.notices else ()
        drops = {(drop.states, drop.payloads): drop.position for drop in before}
        for stored in dropped:
            drops[1 << stored.state_before | 1 << stored.state, stored.payloads] = stored.position
        attributes = record.attributes._replace(max_events=0)
        notice = DropNotice(
            attributes, first_sequence, self.position, [Drop(*of, at) for of, at in drops.items()]
        )
        self.notices[record.key] = notice
        return notice
