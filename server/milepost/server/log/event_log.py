"""What a log is, whichever store keeps it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from milepost.server.log.frames import Chunk
from milepost.v1 import Event, Job, JobState


@dataclass(slots=True, frozen=True)
class Commit:
    """One append to the log of one job: its events stay together, and become visible together.

    ``job`` is the job after them, serialised, without its input. ``report_sequence`` is the last report that they
    came from; it commits with them, so that a report is never accepted twice (rule 11). There may be no events (the
    chunk then ends before it begins), where reports were refused and only their numbers are used up.
    """

    job_id: str
    chunk: Chunk
    job: bytes
    state: JobState.ValueType
    fraction: float
    report_sequence: int
    time: int
    turns: bool
    """Whether the job's life took a turn: whether there is more in it than a worker's progress."""
    submission: Event | None = None
    """The first event, of a new job."""


@dataclass(slots=True, frozen=True)
class Stored:
    """A job as the log has it."""

    job: Job
    report_sequence: int
    time: int
    """When its last event was accepted, in nanoseconds since the epoch."""


@dataclass(slots=True, frozen=True)
class Page:
    """What a log holds after a cursor, as far as was asked for; and how the log stood at that moment."""

    chunks: Sequence[Chunk]
    first: int
    """The oldest event that is kept."""
    head: int
    ended: bool
    fraction: float


@dataclass(slots=True, frozen=True)
class Query:
    """Which jobs, in which order; see ``JobFilter``. ``after`` is the key of the last job of the page before.

    A page ends with ``limit`` jobs, or earlier where they come to ``most_bytes``; it has one at least if there is one.
    """

    owner: str = ""
    kinds: Sequence[str] = ()
    labels: Mapping[str, str] | None = None
    parent_job_id: str = ""
    job_ids: Sequence[str] = ()
    states: Sequence[int] = ()
    newest_first: bool = True
    after: int | None = None
    limit: int = 50
    most_bytes: int = 2 << 20


@dataclass(slots=True, frozen=True)
class Listed:
    """A page of jobs with the key of each, which tells where the next page starts; and whether there is one."""

    jobs: Sequence[tuple[int, Job]]
    more: bool


class Conflict(Exception):
    """The log does not stand where the append expected it to. The job must be loaded and decided upon again."""


class StoreFull(Exception):
    """The store has no room; nothing was appended."""


class StoreFailed(Exception):
    """The store does not work any more; nothing was appended, and nothing will be."""


class EventLog(Protocol):
    """An ordered, durable log of events for each job."""

    @property
    def epoch(self) -> str:
        """The identity of the store: another one where anything was lost (see ``docs/design.md``)."""

    @property
    def lease_secret(self) -> bytes:
        """What lease tokens are made with. It stays as long as the store does."""

    def append(self, commit: Commit) -> asyncio.Future[None]:
        """Appends in the order of the calls; the future is done once the commit is durable.

        It raises Conflict, StoreFull or StoreFailed where nothing was appended.
        """

    def follow(self, listener: Callable[[Sequence[Commit]], None]) -> None:
        """Calls ``listener`` with commits as they become durable, in order, before their futures are done."""

    async def read(self, job_id: str, cursor: int, most_bytes: int) -> Page | None:
        """The events after the cursor, about ``most_bytes`` of them at the most; None where there is no such job."""

    async def load(self, job_id: str) -> Stored | None:
        """The job, without its input; None where there is none."""

    async def find(self, job_id: str) -> Job | None:
        """The whole job with its input, as of its last durable event; None where there is none."""

    async def find_request(self, owner: str, request_id: str) -> str | None:
        """The id of the job that this submission made."""

    async def query(self, query: Query) -> Listed:
        """A page of jobs, with their inputs."""

    async def active(self) -> Sequence[Job]:
        """All jobs that have not ended, oldest first, without their inputs."""

    async def close(self) -> None:
        """Finishes the appends that are under way, and lets go of the store."""
