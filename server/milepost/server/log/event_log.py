"""What a log is, whichever store keeps it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple, Protocol, TypeAlias

from milepost.server.log.frames import Chunk
from milepost.server.payloads import ANY_PAYLOAD
from milepost.v1 import Event, Job, JobState


class JobAttributes(NamedTuple):
    """What never changes of a job: what filters ask for, and how many of its events it wants kept (0: does not say)."""

    job_id: str
    owner: str
    kind: str
    parent_job_id: str
    labels: Mapping[str, str]
    max_events: int = 0


def job_attributes(job: Job) -> JobAttributes:
    """What never changes of the job."""
    return JobAttributes(
        job.job_id, job.owner, job.kind, job.parent_job_id, dict(job.labels), job.retention.max_events
    )


@dataclass(slots=True, frozen=True)
class Commit:
    """One append to the log of one job: its events stay together, and become visible together.

    ``job`` is the job after them, serialised, without its input. ``report_sequence`` is the last report that they
    came from; it commits with them, so that a report is never accepted twice (rule 11). There may be no events (the
    chunk then ends before it begins), where reports were refused and only their numbers are used up.
    """

    attributes: JobAttributes
    chunk: Chunk
    job: bytes
    state_before: JobState.ValueType
    state: JobState.ValueType
    fraction_before: float
    fraction: float
    report_sequence: int
    time: int
    is_transition: bool
    """Whether the job's life took a turn: whether there is more in it than a worker's progress."""
    ends: bool
    """Whether the job has ended by it."""
    payloads: int
    """The payloads of its events, as a mask (see ``payloads``)."""
    submission: Event | None = None
    """The first event, of a new job."""
    fraction_known: bool = False
    """See ``Job.fraction_known``; with ``fraction``, after the append."""
    by_time: bool = False
    """Whether it was decided since time had passed. It is appended at once or not at all, as it may be wrong later."""

    @property
    def job_id(self) -> str:
        """The job."""
        return self.attributes.job_id


class Appended(NamedTuple):
    """A commit that has become durable, and its place among those of all jobs."""

    commit: Commit
    position: int


ANY_STATE: Final = -1
"""All states, as a bit mask."""


def state_mask(states: Iterable[int]) -> int:
    """The bit mask of states: bit n is state n. All of them where none is given, as in filters."""
    mask = 0
    for state in states:
        mask |= 1 << state
    return mask or ANY_STATE


class Drop(NamedTuple):
    """The newest position of the dropped commits of a job that had these states and payloads, both as bit masks.

    Bit n of ``states`` is state n: a commit has the states before and after it.
    """

    states: int
    payloads: int
    position: int

    def payloads_for(self, states: int) -> int:
        """The payloads for somebody who follows jobs of these states; 0 for no match.

        A commit that leads into them or out of them matters whatever its payloads are: a snapshot may belong to it.
        """
        if not self.states & states:
            return 0
        return self.payloads if not self.states & ~states else ANY_PAYLOAD


class DropNotice(NamedTuple):
    """That events were dropped: those before ``first_sequence``, or the whole job where it is 0.

    ``drops`` are all drops of the job, earlier ones included; empty where the notice is read back. ``forgotten`` is
    the position up to which deletions of jobs of this owner are not remembered one by one any more, 0 for none.
    """

    attributes: JobAttributes
    first_sequence: int
    position: int
    drops: Sequence[Drop] = ()
    forgotten: int = 0


Entry: TypeAlias = Appended | DropNotice
"""What those who follow the log are told of."""


@dataclass(slots=True, frozen=True)
class StoredJob:
    """A job as the log has it."""

    job: Job
    report_sequence: int
    time: int
    """When its last event was accepted, in nanoseconds since the epoch."""


@dataclass(slots=True, frozen=True)
class EventPage:
    """What a log holds after a cursor, as far as was asked for; and how the log stood at that moment."""

    chunks: Sequence[Chunk]
    first: int
    """The oldest event that is kept; one more than the head where none is."""
    thinned: int
    """The newest event up to which progress may be left out; 0 where none is."""
    head: int
    ended: bool
    queued: bool
    fraction: float
    fraction_known: bool = False


class CommitRow(NamedTuple):
    """A commit as it is read back among those of all jobs."""

    position: int
    job_id: str
    chunk: Chunk
    state_before: int
    state: int


@dataclass(slots=True, frozen=True)
class Query:
    """Which jobs, in which order; see ``JobFilter``. ``after`` is the key of the last job of the page before."""

    owner: str = ""
    kinds: Sequence[str] = ()
    labels: Mapping[str, str] | None = None
    parent_job_id: str = ""
    with_parent: bool = False
    """Whether the parent itself is among the jobs."""
    job_ids: Sequence[str] = ()
    states: Sequence[int] = ()
    newest_first: bool = True
    after: int | None = None
    limit: int = 50
    max_bytes: int = 16 << 20
    """A page ends early where its jobs are as large as this, encoded."""


@dataclass(slots=True, frozen=True)
class JobPage:
    """A page of jobs with the key of each, which tells where the next page starts; and whether there is one."""

    jobs: Sequence[tuple[int, Job]]
    more: bool


@dataclass(slots=True, frozen=True)
class FeedPage:
    """What happened after a position to the jobs of a query: all of it, up to and with ``scanned``.

    ``dropped`` is as of ``EventLog.dropped`` and of the same moment, without what the caller knew of.
    """

    entries: Sequence[CommitRow | DropNotice]
    scanned: int
    dropped: Mapping[int, int]


class ChildrenSummary(NamedTuple):
    """The children of a job: how many, how many of them ended, and the mean of their fractions."""

    total: int
    ended: int
    fraction: float


class EndedJob(NamedTuple):
    """A job that has ended, as far as keeping it is concerned. ``end_time`` in nanoseconds since the epoch."""

    key: int
    end_time: int
    first_sequence: int
    thinned_sequence: int
    job: Job


class Conflict(Exception):
    """The log does not stand where the append expected it to. The job must be loaded and decided upon again."""


class StoreFull(Exception):
    """The store has no room; nothing was appended."""


class StoreFailed(Exception):
    """The store does not work any more; nothing was appended, and nothing will be."""


class StoreDisplaced(StoreFailed):
    """The file of the store that was at ``path`` is not there any more, so nothing more will be written.

    Whether the append is in that file is not known.
    """

    def __init__(self, path: Path, message: str) -> None:
        super().__init__(message)
        self.path = path


class StoreUnavailable(StoreFailed):
    """The store cannot be reached just now; it will be again.

    Whether the append reached it is not known. If it did, those who follow will be told of it like of any other.
    """


class EventLog(Protocol):
    """An ordered, durable log of events for each job."""

    @property
    def epoch(self) -> str:
        """The identity of the store: another one where anything was lost (see ``docs/design.md``)."""

    @property
    def lease_secret(self) -> bytes:
        """What lease tokens are made with. It stays as long as the store does."""

    @property
    def up(self) -> bool:
        """Whether the store can be reached, as far as is known."""

    @property
    def position(self) -> int:
        """The place of the newest commit that the listeners were told of."""

    def append(self, commit: Commit) -> asyncio.Future[None]:
        """Appends, for each job in the order of the calls; the future is done once the commit is durable.

        Commits of a job that wait at the same time may become one (see ``joining``).
        It raises Conflict, StoreFull or StoreFailed where nothing was appended, StoreAway where that is not known.
        """

    def add_listener(self, listener: Callable[[Sequence[Entry]], None]) -> None:
        """Calls ``listener`` with what has become durable, in order, before the futures are done."""

    async def refresh(self, job_id: str) -> None:
        """Returns once all that was appended to the job until now, by whomever, can be read here.

        Where the store cannot be asked it returns soon all the same.
        """

    async def read(self, job_id: str, cursor: int, max_bytes: int) -> EventPage | None:
        """The events after the cursor, about ``most_bytes`` of them at the most; None where there is no such job."""

    async def read_feed(self, query: Query, after: int, max_bytes: int, known: int) -> FeedPage:
        """What happened to the jobs of a query after a position. States are those before or after each commit.

        The caller knows of what was dropped by notices up to the position ``known``.
        """

    async def dropped(self, query: Query, known: int = 0) -> Mapping[int, int]:
        """The newest positions of what was dropped of the jobs of a query, each by the mask of its payloads.

        A cursor before such a position misses events that match; see ``Drop.payloads_for``. Of jobs that were deleted
        long ago only their owner is known, so that they count wherever that may match.

        The caller knows of what was dropped by notices up to the position ``known``.
        """

    async def load(self, job_id: str) -> StoredJob | None:
        """The job, without its input; None where there is none."""

    async def find(self, job_id: str) -> Job | None:
        """The whole job with its input, as of its last durable event; None where there is none."""

    async def find_request(self, owner: str, request_id: str) -> str | None:
        """The id of the job that this submission made."""

    async def query(self, query: Query) -> JobPage:
        """A page of jobs, with their inputs."""

    async def active(self) -> Sequence[Job]:
        """All jobs that have not ended, oldest first, without their inputs."""

    async def children_summary(self, job_id: str) -> ChildrenSummary:
        """The children of a job, counted as their commits were made."""

    async def ended(self, after: tuple[int, int], limit: int) -> Sequence[EndedJob]:
        """Jobs that have ended, in the order of their ends, after one with that ``end_time`` and ``key``."""

    def thin(self, job_id: str) -> asyncio.Future[None]:
        """Leaves out, of the log of an ended job, all progress that a later one of the same stage overtook."""

    def trim(self, job_id: str, first_sequence: int) -> asyncio.Future[None]:
        """Drops events before about that one: commits that have begun to be kept are kept whole."""

    def delete(self, job_id: str) -> asyncio.Future[None]:
        """Drops an ended job with its log. Raises Conflict where it has not ended."""

    async def close(self) -> None:
        """Finishes the appends that are under way, and lets go of the store."""
