"""The interface of the event log, which each store implements, and its types."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol, TypeAlias

from milepost.server.log.frames import Chunk
from milepost.server.log.stored_runs import StoredRun
from milepost.server.messages.payloads import ANY_PAYLOAD
from milepost.server.messages.submission import Submission
from milepost.server.scheduling.callers import SERVER
from milepost.server.scheduling.prompt_future import PromptFuture
from milepost.v1 import Job, JobState

FRACTION_SCALE: Final = 1_000_000
"""Stores sum the fractions of children as whole millionths, so that a running sum stays exact over many changes."""


class JobAttributes(NamedTuple):
    """The immutable attributes of a job: those that filters match, and its own ``max_events`` (0: not set)."""

    job_id: str
    owner: str
    kind: str
    parent_job_id: str
    labels: Mapping[str, str]
    max_events: int = 0


class JobIdentity(NamedTuple):
    """The attributes of a job that authorisation depends on.

    ``key`` tells the job from an earlier one with its id, alike on all nodes. ``share_generation`` counts how often its
    shares were revoked.
    """

    owner: str
    kind: str
    parent_job_id: str
    key: int = 0
    share_generation: int = 0


def job_attributes(job: Job) -> JobAttributes:
    """Extract the immutable attributes of a job."""
    return JobAttributes(
        job.job_id, job.owner, job.kind, job.parent_job_id, dict(job.labels), job.retention.max_events
    )


class Commit(NamedTuple):
    """One atomic append to the log of one job: its events become durable and visible together.

    ``job`` is the job after these events, serialised, without its input. ``report_sequence`` is the last report that
    the events came from; it commits with them, so that the log never accepts a report twice (rule 11). A commit of
    refused reports has no events, only their numbers; its chunk then ends before it begins.

    Behind a commit with events that failed one without any is refused, too, since it names the event before it. Behind
    one without events it may be appended: it has a later number, and nothing rests on the refused reports in between.
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
    """Whether it changes the job's lifecycle state, rather than only its progress."""
    ends: bool
    """Whether it ends the job."""
    payloads: int
    """The payload types of its events, as a bit mask (see ``payloads``)."""
    submission: Submission | None = None
    """Only in the commit that creates the job."""
    fraction_known: bool = False
    """See ``Job.fraction_known``; with ``fraction``, after the append."""
    run: bytes = b""
    """Of a commit that ends a job as SUCCEEDED: what later estimates need of its run; empty for nothing."""
    by_timeout: bool = False
    """Whether a timeout caused it. The log appends it at once or not at all, since it may be wrong later."""

    @property
    def job_id(self) -> str:
        """The id of the job."""
        return self.attributes.job_id


class DurableCommit(NamedTuple):
    """A durable commit with its position in the order of all jobs' commits."""

    commit: Commit
    position: int


ACTIVE_PAGE_BYTES: Final = 4 << 20
"""Encoded size in bytes at which a page of unfinished jobs ends: a start reads them all."""

ANY_STATE: Final = -1
"""The bit mask of all states."""


def state_mask(states: Iterable[int]) -> int:
    """Return the bit mask of states: bit n is state n. No states mean all of them, as in filters."""
    mask = 0
    for state in states:
        mask |= 1 << state
    return mask or ANY_STATE


class Drop(NamedTuple):
    """The newest position among a job's dropped commits with these states and payloads, both bit masks.

    Bit n of ``states`` is state n; a commit has the states before and after it.
    """

    states: int
    payloads: int
    position: int

    def payloads_for(self, states: int) -> int:
        """Return the mask of dropped payloads that a watch of jobs in these states misses; 0 for none.

        A commit that enters or leaves these states matters whatever its payloads are, since the watch may send a
        snapshot with it.
        """
        if not self.states & states:
            return 0
        return self.payloads if not self.states & ~states else ANY_PAYLOAD


class DropNotice(NamedTuple):
    """An entry for dropped events: those before ``first_sequence``, or the whole job if that is 0.

    ``drops`` lists all drops of the job, earlier ones included; it is empty in a notice read back from the store.
    """

    attributes: JobAttributes
    first_sequence: int
    position: int
    drops: Sequence[Drop] = ()


Entry: TypeAlias = DurableCommit | DropNotice
"""What listeners of the log receive."""


@dataclass(slots=True, frozen=True)
class StoredJob:
    """A job as stored."""

    job: Job
    report_sequence: int
    time: int
    """Acceptance time of its last event, in nanoseconds since 1970."""


@dataclass(slots=True, frozen=True)
class EventPage:
    """A page of a job's events after a cursor, and the state of its log at that moment."""

    chunks: Sequence[Chunk]
    """Its events; consecutive commits are one chunk where they have up to ``CHUNK_BYTES``."""
    first: int
    """The oldest stored event; ``head + 1`` if there is none."""
    thinned: int
    """The newest event up to which superseded progress may be absent; 0 for none."""
    head: int
    job: Job
    """The job as of then, without its input and its epoch."""


class CommitRow(NamedTuple):
    """A commit read back from the log of all jobs."""

    position: int
    job_id: str
    chunk: Chunk
    state_before: int
    state: int


@dataclass(slots=True, frozen=True)
class Query:
    """A selection of jobs and its order; see ``JobFilter``. ``after`` is the key of the previous page's last job."""

    owners: Sequence[str] | None = None
    """None for any owner; none at all if empty."""
    kinds: Sequence[str] = ()
    labels: Mapping[str, str] | None = None
    parent_job_id: str = ""
    with_parent: bool = False
    """Whether to include the parent itself."""
    job_ids: Sequence[str] = ()
    states: Sequence[int] = ()
    newest_first: bool = True
    after: int | None = None
    limit: int = 50
    max_bytes: int = 16 << 20
    """Encoded size in bytes at which a page ends early."""


@dataclass(slots=True, frozen=True)
class JobPage:
    """A page of jobs with their keys, from which the next page starts, and whether there is a next page.

    ``damaged`` are the ids of those that cannot be read, and are left out.
    """

    jobs: Sequence[tuple[int, Job]]
    more: bool
    damaged: Sequence[str] = ()


@dataclass(slots=True, frozen=True)
class FeedPage:
    """All entries of a query's jobs after a position, up to and including ``scanned``;
    ``dropped`` is what ``EventLog.dropped`` returns then, without what the caller already knew.
    """

    entries: Sequence[CommitRow | DropNotice]
    scanned: int
    dropped: Mapping[int, int]


class ChildrenSummary(NamedTuple):
    """The children of a job: their number, the number that ended, and their mean fraction."""

    total: int
    ended: int
    fraction: float


class EndedJob(NamedTuple):
    """The attributes of an ended job that retention needs. ``end_time`` is in nanoseconds since 1970."""

    key: int
    end_time: int
    first_sequence: int
    thinned_sequence: int
    job_id: str
    job: Job | None
    """None if its row is damaged."""


class EventLog(Protocol):
    """An ordered, durable log of events per job. Short reads go before long ones.

    A read is done in the turns of ``caller`` (see ``scheduling.callers``).

    Attributes:
        is_shared: Whether other nodes append to it, too, so that this one may lack what they have.
    """

    is_shared: bool

    @property
    def epoch(self) -> str:
        """The identity of the store; it changes when the store loses anything (see ``docs/design.md``)."""

    @property
    def lease_secret(self) -> bytes:
        """The key of lease tokens; as durable as the store."""

    @property
    def up(self) -> bool:
        """Whether the store is reachable, as far as this node knows."""

    @property
    def position(self) -> int:
        """The position of the newest entry that listeners have received."""

    def append(self, commit: Commit) -> PromptFuture[None]:
        """Append a commit; return a future that resolves when it is durable. Per job, the order of calls holds.

        Commits of a job that wait at the same time may become one (see ``log.coalescing``). The future raises a
        StoreError, such as Conflict, StoreFull or StoreUnavailable, which says whether the outcome is unknown.
        """

    def add_listener(self, listener: Callable[[Sequence[Entry]], None]) -> None:
        """Call ``listener`` with durable entries, in order, before the futures of their appends resolve."""

    async def catch_up(self, job_id: str) -> None:
        """Wait until this node can read everything that any node has appended to the job by now.

        Raises StoreBehind while the store is unreachable, and after a short timeout.
        """

    async def read(
        self, job_id: str, cursor: int, max_bytes: int, *, caller: str = SERVER, short: bool = False
    ) -> EventPage | None:
        """Read about ``max_bytes`` of events after the cursor; None if there is no such job.

        At most one commit is read with 0 bytes. ``short`` says that the read may go before replays.
        """

    async def read_feed(
        self, query: Query, after: int, max_bytes: int, known: int, *, caller: str = SERVER
    ) -> FeedPage:
        """Read the entries of a query's jobs after a position. A state matches before or after each commit.

        The caller knows of drops up to the position ``known``.
        """

    async def dropped(self, query: Query, known: int = 0, *, caller: str = SERVER) -> Mapping[int, int]:
        """Return the newest dropped positions of a query's jobs, by payload mask.

        A cursor before such a position misses matching events; see ``Drop.payloads_for``. Of jobs deleted long ago
        the store knows only the owner, so they count for every query that the owner may match.
        The caller knows of drops up to the position ``known``.
        """

    async def load(self, job_id: str, *, caller: str = SERVER) -> StoredJob | None:
        """Read a job, without its input; None if there is none."""

    async def find(self, job_id: str, *, caller: str = SERVER) -> Job | None:
        """Read a job with its input, as of its last durable event; None if there is none."""

    async def identify(self, job_id: str, *, caller: str = SERVER) -> JobIdentity | None:
        """Read what identifies a job; None if there is none."""

    async def find_request(self, owner: str, request_id: str, *, caller: str = SERVER) -> str | None:
        """Return the id of the job that a submission with this request id created, if any."""

    async def has_children_of_others(self, job_id: str, owner: str, *, caller: str = SERVER) -> bool:
        """Return whether jobs of other owners than this one have this parent, which need not exist any more."""

    async def active_children(self, job_id: str, after: int, limit: int) -> Sequence[tuple[int, str]]:
        """Read keys and ids of a job's unfinished children after the one with this key, oldest first."""

    async def query(self, query: Query, *, caller: str = SERVER) -> JobPage:
        """Read a page of jobs, with their inputs."""

    async def active(self, after: int = 0, max_bytes: int = ACTIVE_PAGE_BYTES) -> JobPage:
        """Read a page of unfinished jobs after the one with this key, oldest first, without their inputs."""

    async def children_summary(self, job_id: str) -> ChildrenSummary:
        """Summarise the children of a job, as of their last commits."""

    async def ended(self, after: tuple[int, int], limit: int) -> Sequence[EndedJob]:
        """Read ended jobs in the order of their ends, after the one with this ``end_time`` and ``key``."""

    async def runs(self, owner: str, kind: str, *, caller: str = SERVER) -> Sequence[StoredRun]:
        """Read the most recent runs of a kind, oldest first. They outlive their jobs."""

    async def recent_kinds(self, limit: int) -> Sequence[tuple[str, str]]:
        """Return owner and kind of those with the most recent runs, the latest first."""

    # The following raise Conflict if there is no such job, or if it was not submitted at ``submitted``: then it is a
    # later one with the id of the job that the caller means.

    def thin(self, job_id: str, submitted: int | None = None) -> asyncio.Future[None]:
        """Drop from the log of an ended job all progress that later progress of the same stage superseded."""

    def trim(self, job_id: str, first_sequence: int, submitted: int | None = None) -> asyncio.Future[None]:
        """Drop the commits that end before this event; commits are never split."""

    def delete(self, job_id: str, submitted: int | None = None) -> asyncio.Future[None]:
        """Delete an ended job with its log. Raises Conflict also if it has not ended."""

    def revoke_shares(self, job_id: str, submitted: int | None = None) -> asyncio.Future[None]:
        """Begin the next generation of a job's shares."""

    async def close(self) -> None:
        """Finish pending appends and release the store."""
