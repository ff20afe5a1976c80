"""A server without transport: log, journal and watches, driven by a test, with recording subscribers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import grpc
from google.protobuf.duration_pb2 import Duration

from milepost.contract.reasons import reason_name
from milepost.contract.status_codes import STATUS
from milepost.server import decide
from milepost.server.access.narrowing import narrow
from milepost.server.access.principal import ANONYMOUS
from milepost.server.base.clock import Clock, SystemClock
from milepost.server.base.refusal import Refusal
from milepost.server.budgets.byte_budget import ByteBudget
from milepost.server.dispatch.lease_tokens import LeaseTokens
from milepost.server.dispatch.reports import Acceptance, Reports
from milepost.server.dispatch.wait_reasons import WaitReasons
from milepost.server.dispatch.worker_registry import WorkerRegistry
from milepost.server.estimation.estimators import Estimators
from milepost.server.journal import Journal
from milepost.server.log.event_log import DurableCommit, Entry, EventLog
from milepost.server.watching.watch_admission import WatchAdmission
from milepost.server.watching.watches import Watches
from milepost.v1 import (
    Event,
    Events,
    Job,
    OnGap,
    SubmitJobRequest,
    Update,
    WatchJobRequest,
    WatchJobResponse,
    WatchJobsRequest,
    WatchJobsResponse,
)
from milepost.web.service import PromptSend, Send
from tests.support.held_log import HeldLog
from tests.support.validators import EventView, Frame, History, Recording, Stream, key

__all__ = ["Subscriber", "World"]

_OFFER_PASSES: Final = 3

# A short interval, so that statuses interleave with everything else.
_STATUS = Duration(nanos=5_000_000)


class World:
    """The parts of a server, and all entries of its log.

    ``first`` is the oldest stored event of each job; 0 if the job was deleted.
    """

    def __init__(
        self,
        directory: Path,
        memory: int,
        responses: ByteBudget | None = None,
        estimators: Callable[[EventLog, Clock], Estimators] | None = None,
    ) -> None:
        self._directory = directory
        self._memory = memory
        self._responses = responses
        self._make_estimators = estimators
        self._commits: list[tuple[int, Sequence[Event]]] = []
        self.first: dict[str, int] = {}
        self.thinned: set[str] = set()
        self.open()

    def open(self) -> None:
        """Open the server on its data."""
        clock = SystemClock()
        self.log = HeldLog(self._directory)
        self.journal = Journal(self.log, clock)
        self.tokens = LeaseTokens(self.log.lease_secret, self.log.epoch)
        self.reports = Reports(self.journal, self.tokens)
        self.watching = Watches(
            self.log,
            clock,
            WatchAdmission(1000, 1000),
            self._memory,
            WaitReasons(WorkerRegistry(clock)),
            responses=self._responses,
            estimators=self._make_estimators and self._make_estimators(self.log, clock),
        )
        for listener in (self.journal.on_entries, self.watching.on_entries, self._on_entries):
            self.log.add_listener(listener)

    async def submit(self, job_id: str, **fields: Any) -> None:
        """Create a job."""
        request = SubmitJobRequest(**{"kind": "k", **fields})
        await self.journal.create(decide.submit(request, job_id, SystemClock().now()))

    async def start(self, job_id: str) -> asyncio.Future[None]:
        """Start an attempt; the future resolves when that is durable."""

        def decision(job: Job, now: int) -> list[Event]:
            return [decide.start(job, "w", now)]

        return (await self.journal.apply(job_id, decision))[1]

    async def report(self, job_id: str, *updates: Update) -> asyncio.Future[Acceptance]:
        """Report; the future resolves when that is durable."""
        opened = await self.journal.open(job_id)
        token = self.tokens.token(opened.job, opened.job.attempt)
        return (await self.reports.accept(job_id, token, opened.report_sequence + 1, updates)).durable

    def history(self, job_id: str = "") -> History:
        """The durable events of all jobs, or those of one as its log."""
        if job_id:
            return History.of_log([e for _, events in self._commits for e in events if e.job_id == job_id])
        gone = {
            key(event)
            for _, events in self._commits
            for event in events
            if (first := self.first.get(event.job_id, 1)) == 0 or event.sequence < first
        }
        return History(self._commits, dropped=gone, thinned=self.thinned)

    def newest_dropped(self, view: EventView, *, by_state: bool) -> int:
        """The newest position of dropped events that match a view of all jobs; 0 without any.

        With ``by_state`` a change of state counts whatever its events are, since a snapshot may belong to it.
        """
        history = self.history()
        return max(
            (
                commit.position
                for commit in history.commits
                if view.commits(commit)
                and any(key(event) in history.dropped for event in commit.events)
                and (any(map(view.events, commit.events)) or (by_state and commit.before != commit.after))
            ),
            default=0,
        )

    def _on_entries(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            if isinstance(entry, DurableCommit):
                events = Events.FromString(entry.commit.chunk.frames).events
                self._commits.append((entry.position, list(events)))
            else:
                self.first[entry.attributes.job_id] = entry.first_sequence


class Subscriber:
    """A subscriber of one job, or of all jobs if ``job_id`` is empty, with these fields of a request.

    It reads while ``flowing`` is set, which it clears before the frame of number ``stalls_at``; ``is_stalled`` says
    that a frame waits to be read. ``reason`` is why the server ended its last stream; empty unless that was an error.
    With ``takes_offers`` it takes what it has room for at once, as over HTTP; ``offered`` counts these frames. With
    ``shares_offers`` it takes them together with others like it; ``shared`` counts the frames that it got so. With
    ``delays_offers`` they are on their way for a few passes of the event loop; without ``arriving`` until the test has
    them ``arrive`` at ``delayed``. With the last two it is as over gRPC.
    """

    def __init__(
        self,
        world: World,
        job_id: str,
        view: EventView,
        *,
        stalls_at: int | None = None,
        takes_offers: bool = False,
        shares_offers: bool = False,
        delays_offers: bool = False,
        **fields: Any,
    ) -> None:
        self._world = world
        self.job_id = job_id
        self.view = view
        self._fields = {"status_interval": _STATUS, **fields}
        self.recording = Recording()
        self.flowing = asyncio.Event()
        self.flowing.set()
        self.is_stalled = False
        self._stalls_at = stalls_at
        self._takes_offers = takes_offers
        self._shares_offers = shares_offers
        self._delays_offers = delays_offers
        self.arriving = asyncio.Event()
        self.arriving.set()
        self.delayed: _DelayedSend | None = None
        self.offered = 0
        self.shared = 0
        self.reason = ""
        self._task: asyncio.Task[None] | None = None

    @property
    def is_watching(self) -> bool:
        """Whether the stream is open."""
        return self._task is not None and not self._task.done()

    def watch(self, **start: Any) -> None:
        """Open a stream, with a given start or at the cursor."""
        cursor = self.recording.cursor
        if not start and self.recording.streams and cursor is not None:
            start = {"after_position" if not self.job_id else "after_sequence": cursor}
        fresh = start.get("from_snapshot") or start.get("from_latest")
        unset = not self.job_id and not any(start.values())
        stream = Stream(
            None if fresh else cursor or 0,
            of_what_is_kept=unset,
            on_gap_snapshot=self._fields.get("on_gap") == OnGap.ON_GAP_SNAPSHOT,
        )
        self.recording.streams.append(stream)
        self.reason = ""
        self._task = asyncio.create_task(self._run(stream, {**self._fields, **start}))

    async def cut(self) -> None:
        """Break the connection."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
            if not self._task.cancelled() and (error := self._task.exception()) is not None:
                raise error
            self._task = None

    async def _run(self, stream: Stream, fields: dict[str, Any]) -> None:
        def note(response: bytes) -> None:
            frame: Frame
            frame = (WatchJobResponse if self.job_id else WatchJobsResponse).FromString(response)
            stream.frames.append(frame)

        async def send_response(response: bytes) -> None:
            if len(stream.frames) == self._stalls_at:
                self._stalls_at = None
                self.flowing.clear()
            self.is_stalled = not self.flowing.is_set()
            await self.flowing.wait()
            note(response)
            await asyncio.sleep(0)

        def offer(response: bytes) -> bool:
            if not self.flowing.is_set() or len(stream.frames) == self._stalls_at:
                return False
            note(response)
            self.offered += 1
            return True

        send: Send = send_response
        if self._delays_offers:
            send = self.delayed = _DelayedSend(send_response, offer, self.arriving)
            if self._shares_offers:
                send.reader = _Reader(self, send.offer)
        elif self._takes_offers or self._shares_offers:
            send = PromptSend(send_response, offer, _Reader(self, offer) if self._shares_offers else None)
        watching = self._world.watching
        try:
            if self.job_id:
                of_one = WatchJobRequest(job_id=self.job_id, **fields)
                await watching.watch_job(of_one, "caller", send, check=_allow)
            else:
                request = WatchJobsRequest(**fields)
                narrowed = narrow(ANONYMOUS, request.filter, with_parent=True)
                await watching.watch_jobs(request, narrowed, "caller", send)
        except Refusal as refusal:
            self.reason = reason_name(refusal.reason)
            stream.code = STATUS[refusal.reason]
        else:
            stream.code = grpc.StatusCode.OK


class _DelayedSend(PromptSend):
    """Sends what it is offered a few passes of the event loop later."""

    def __init__(self, send: Send, offer: Callable[[bytes], bool], arriving: asyncio.Event) -> None:
        super().__init__(send, self._offer_later)
        self._arriving = arriving
        self._offer = offer
        self._idle = asyncio.Event()
        self._idle.set()
        self._on_sent: Callable[[], None] | None = None

    def call_when_sent(self, callback: Callable[[], None]) -> bool:
        """See ``Send``."""
        if self._idle.is_set():
            return False
        self._on_sent = callback
        return True

    async def sent(self) -> None:
        """See ``Send``."""
        await self._idle.wait()

    def _offer_later(self, response: bytes) -> bool:
        if not self._idle.is_set() or not self._offer(response):
            return False
        self._idle.clear()
        self._arrive_after(_OFFER_PASSES)
        return True

    def _arrive_after(self, passes: int) -> None:
        if passes:
            asyncio.get_running_loop().call_soon(self._arrive_after, passes - 1)
        elif self._arriving.is_set():
            self.arrive()

    def arrive(self) -> None:
        """Have what it was offered be sent."""
        self._idle.set()
        if self._on_sent is not None:
            asyncio.get_running_loop().call_soon(self._on_sent)
            self._on_sent = None


class _Reader:
    """The reader of one stream of a subscriber, like those of all others."""

    key = "reader"
    shares_limit = 16

    def __init__(self, subscriber: Subscriber, offer: Callable[[bytes], bool]) -> None:
        self.subscriber = subscriber
        self.offer = offer

    def share(self) -> _SharedOffers:
        """See ``SharingReader``."""
        return _SharedOffers()


class _SharedOffers:
    """See ``SharedOffers``."""

    def __init__(self) -> None:
        self._readers: dict[_Reader, None] = {}

    def add(self, reader: _Reader) -> None:
        self._readers[reader] = None

    def discard(self, reader: _Reader) -> None:
        self._readers.pop(reader, None)

    def offer(self, response: bytes) -> list[_Reader]:
        taken = [reader for reader in self._readers if reader.offer(response)]
        refused = [reader for reader in self._readers if reader not in taken]
        self._readers = dict.fromkeys(taken)
        for reader in taken:
            reader.subscriber.shared += 1
        return refused


async def _allow() -> None:
    """Whoever watches in these worlds may."""
