"""The event log of many nodes, put together: lanes into the stream, and the projection that follows it."""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import itertools
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path

import structlog

from milepost.server.log.event_log import Commit, Entry, Page, StoreFailed
from milepost.server.log.jetstream import drop_plans, stream
from milepost.server.log.jetstream.applier import Applied, Delivered, Head
from milepost.server.log.jetstream.drop_publisher import Dropping
from milepost.server.log.jetstream.follower import Follower
from milepost.server.log.jetstream.job_publisher import Item, JobPublishers
from milepost.server.log.jetstream.nats_access import ConnectionLost, NatsAccess
from milepost.server.log.jetstream.nats_connection import NatsConnection
from milepost.server.log.jetstream.presence_messages import PresenceMessages
from milepost.server.log.jetstream.projection import Projection, ProjectionReader
from milepost.server.log.jetstream.records import UnknownRecord, decode, name_in
from milepost.server.log.jetstream.stream import Identity, StreamNames
from milepost.server.log.node_presence import Others, Presence
from milepost.server.log.sqlite.reader import Reader
from milepost.server.log.sqlite.reader_pool import Readers
from milepost.server.log.store_files import StoreFiles
from milepost.v1 import Job

_log = structlog.get_logger("milepost.store")

# Of how many jobs the ends of the logs are kept in memory. Any of them can be read from the projection.
_HEADS_IN_MEMORY = 20_000

# How often it is said how far catching up is, in seconds; and how soon after a failure it is tried again.
_TELL_EVERY = 5.0
_RETRY = 0.2

# How often it is looked whether the end of the stream is still there, in seconds.
_LOOK_AGAIN = 1.0

# How long it may take until all jobs are whole whose beginnings were purged, in seconds.
_PENDING_PATIENCE = 20.0

# How long it is waited for what other nodes have appended, in seconds.
_REFRESH = 2.0


class JetStreamEventLog(Readers):
    """An ``EventLog`` in a stream of NATS JetStream, with its projection in ``directory``.

    Made in a running event loop, and used from it only; nothing of it but ``up`` can be used before ``start`` has
    returned. ``failed`` is done once it can never work again, such as when the stream was replaced.
    """

    def __init__(
        self,
        directory: Path,
        access: NatsAccess,
        names: StreamNames,
        *,
        files: StoreFiles | None = None,
        replicas: int | None = None,
        on_state: Callable[[bool], None] = lambda up: None,
    ) -> None:
        super().__init__(self._open_reader)
        self._loop = asyncio.get_running_loop()
        self._directory = directory
        self._names = names
        self._replicas = replicas
        self._on_state = on_state
        self._link = NatsConnection(access, self._on_link)
        self._lanes = JobPublishers(self._link, names, self)
        self._dropping = Dropping(self._link, names, self._lanes.name, self._plan)
        self._projection = Projection(directory, files or StoreFiles(), self._deliver)
        self._follower: Follower | None = None
        self._following: asyncio.Task[None] | None = None
        self._renewals: PresenceMessages | None = None
        self._identity = Identity("", "", 0)
        self._heads: OrderedDict[str, Head] = OrderedDict()
        self._applied = 0
        self._position = 0
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._waiters = itertools.count()
        self._listeners: list[Callable[[Sequence[Entry]], None]] = []
        self._closed = False
        self._failed: asyncio.Future[StoreFailed] = self._loop.create_future()

    @property
    def epoch(self) -> str:
        """See ``EventLog``."""
        return self._identity.epoch

    @property
    def failed(self) -> asyncio.Future[StoreFailed]:
        """See ``Store``."""
        return self._failed

    @property
    def lease_secret(self) -> bytes:
        """See ``EventLog``."""
        return bytes.fromhex(self._identity.lease_secret)

    @property
    def position(self) -> int:
        """See ``EventLog``."""
        return self._position

    @property
    def up(self) -> bool:
        """Whether NATS is there, so that something can be appended."""
        return self._link.up

    @property
    def link(self) -> NatsConnection:
        """The connection, for what nodes tell each other outside the log."""
        return self._link

    def follow(self, listener: Callable[[Sequence[Entry]], None]) -> None:
        """See ``EventLog``."""
        self._listeners.append(listener)

    # --- Its life ---------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Connects, and catches up with the stream, however long that takes. Raises StreamRefused, StoreFailed."""
        await self._link.open()
        head = await self._find_stream()
        self._applied = self._projection.applied
        self._position = self._projection.position
        self._projection.start()
        self._follower = Follower(self._link, self._names, self._applied, self._take, self._check)
        self._following = asyncio.create_task(self._follower.run())
        self._following.add_done_callback(self._on_following_ended)
        await self._catch_up(head)

    async def share_presence(self, here: Presence, interval: float) -> Others:
        """See ``Store``."""
        self._renewals = renewals = PresenceMessages(self._link, self._names, here, interval)
        await renewals.start()
        return renewals

    async def close(self) -> None:
        """See ``EventLog``."""
        self._closed = True
        if self._renewals is not None:
            await self._renewals.close()
        if not self._failed.done():
            await self._lanes.finish()
            await self._dropping.finish()
        if self._follower is not None and self._following is not None:
            self._follower.stop()
            self._following.cancel()
            await asyncio.gather(self._following, return_exceptions=True)
        await self._link.close()
        await asyncio.to_thread(self._projection.close)
        await asyncio.sleep(0)  # what the projection delivered last is taken first
        self.close_readers()

    async def _find_stream(self) -> int:
        """Makes sure that the stream is there and who it is; where it ends."""
        told = ""
        while True:
            try:
                await stream.make_or_check(self._link, self._names, self._replicas)
                self._identity = await self._settle_identity()
                return await stream.end(self._link, self._names)
            except ConnectionLost as error:
                if str(error) != told:
                    told = str(error)
                    _log.info("the stream is not there yet", error=told)
            await asyncio.sleep(_RETRY)
            await self._link.wait_up()

    async def _settle_identity(self) -> Identity:
        """Who the stream is, and whether the projection is of it: if not, it is thrown away (rule 4)."""
        found = await stream.identity(self._link, self._names)
        projection = self._projection
        if projection.epoch == found.epoch and await self._has_lost(
            projection.applied, projection.applied_name
        ):
            found = await stream.change_epoch(self._link, self._names, found)
            _log.warning(
                "the stream has lost what this node has seen of it; it has a new epoch", epoch=found.epoch
            )
        if projection.epoch != found.epoch:
            projection.renew(found.epoch)
        return found

    async def _has_lost(self, applied: int, name: bytes) -> bool:
        """Whether the stream ends before the message that was applied last, or has another one in its place."""
        if not applied:
            return False
        if await stream.ends_before(self._link, self._names, applied):
            return True
        found = await stream.message_at(self._link, self._names, sequence=applied)
        return found is not None and name_in(found[1]) != name

    async def _catch_up(self, head: int) -> None:
        start = self._applied
        reaching = asyncio.ensure_future(self._reach_end(head))
        try:
            while not reaching.done():
                await asyncio.wait(
                    (reaching, self._failed), timeout=_TELL_EVERY, return_when=asyncio.FIRST_COMPLETED
                )
                if self._failed.done():
                    raise self._failed.result()
                if reaching.done():
                    await reaching
                else:
                    _log.info("catching up", at=self._applied, of=head, started=start)
        finally:
            reaching.cancel()
        if self._applied > start:
            _log.info("caught up", messages=self._applied - start, position=self._position)

    async def _reach_end(self, head: int) -> None:
        """Returns when all is applied up to that message of the stream, and no job lacks its beginning."""
        while self._applied < head and await stream.is_there_more(self._link, self._names, self._applied):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_AGAIN):
                    await self.reached(head)
        patience = self._loop.time() + _PENDING_PATIENCE
        while True:
            self._projection.may_miss(False)
            pending = await self._read(lambda reader: _rows(reader).pending())
            if not pending:
                return
            # What makes them whole was said before their beginnings were purged, and comes at any moment.
            self._projection.may_miss(True)
            if self._loop.time() > patience:
                raise StoreFailed(
                    f"The stream {self._names.stream!r} lacks the beginning of {pending} jobs that nobody has trimmed: "
                    "it was purged by somebody else. Restore it, or start with another one."
                )
            await asyncio.sleep(_RETRY)

    # --- Writing ----------------------------------------------------------------------------------------------------

    def append(self, commit: Commit) -> asyncio.Future[None]:
        """See ``EventLog``."""
        return self._put(commit.job_id, Item(commit))

    def thin(self, job_id: str) -> asyncio.Future[None]:
        """See ``EventLog``."""
        return self._drop(job_id, drop_plans.thin)

    def trim(self, job_id: str, first_sequence: int) -> asyncio.Future[None]:
        """See ``EventLog``."""
        return self._drop(job_id, lambda rows: drop_plans.trim(rows, first_sequence))

    def delete(self, job_id: str) -> asyncio.Future[None]:
        """See ``EventLog``."""
        return self._drop(job_id, drop_plans.delete)

    def _drop(self, job_id: str, plan: drop_plans.Plan) -> asyncio.Future[None]:
        return self._put(job_id, self._dropping.item(job_id, plan))

    async def _plan(self, job_id: str, plan: drop_plans.Plan) -> drop_plans.Planned | None:
        return await self._read(lambda reader: _rows(reader).drop(job_id, plan))

    def _put(self, job_id: str, item: Item) -> asyncio.Future[None]:
        if self._closed or self._failed.done():
            item.settle(StoreFailed("the store is closed"))
            return item.done
        return self._lanes.put(job_id, item)

    async def refresh(self, job_id: str) -> None:
        """See ``EventLog``."""
        try:
            async with asyncio.timeout(_REFRESH):
                found = await stream.message_at(self._link, self._names, subject=self._names.job(job_id))
                if found is not None:
                    await self.reached(found[0])
        except (ConnectionLost, TimeoutError):
            pass

    async def find(self, job_id: str) -> Job | None:
        """See ``EventLog``: one that was submitted through another node a moment ago, too."""
        job = await super().find(job_id)
        if job is None:
            await self.refresh(job_id)
            job = await super().find(job_id)
        return job

    async def read(self, job_id: str, cursor: int, most_bytes: int) -> Page | None:
        """See ``EventLog``, and ``find``."""
        page = await super().read(job_id, cursor, most_bytes)
        if page is None:
            await self.refresh(job_id)
            page = await super().read(job_id, cursor, most_bytes)
        return page

    async def head(self, job_id: str) -> Head:
        """See ``lanes.Log``."""
        head = self._heads.get(job_id)
        if head is None:
            head = await self._read(lambda reader: _rows(reader).head(job_id))
            head = self._heads.get(job_id, head)
        return head

    async def reached(self, sequence: int) -> None:
        """See ``lanes.Log``."""
        if self._applied < sequence:
            waiting: asyncio.Future[None] = self._loop.create_future()
            heapq.heappush(self._waiting, (sequence, next(self._waiters), waiting))
            await waiting

    # --- Following --------------------------------------------------------------------------------------------------

    def _take(self, sequence: int, subject: str, data: bytes) -> None:
        """The next message of the stream."""
        job_id = self._names.job_id(subject)
        if not job_id:
            if sequence > self._identity.sequence:
                self._fail(
                    StoreFailed("The stream has a new epoch: a node found that it has lost something.")
                )
            self._projection.put(Delivered(sequence, name_in(data)))
            return
        try:
            record = decode(data)
        except UnknownRecord as error:
            self._fail(StoreFailed(f"Message {sequence} of the stream {self._names.stream!r} {error}."))
            return
        message = self._lanes.sent.get(record.name)
        commits = None if message is None else message.commits
        self._projection.put(Delivered(sequence, record.name, job_id, record, commits))

    def _deliver(self, applied: Sequence[Applied] | Exception) -> None:
        """On the projection's thread."""
        self._loop.call_soon_threadsafe(self._settle, applied)

    def _settle(self, group: Sequence[Applied] | Exception) -> None:
        if isinstance(group, Exception):
            failed = StoreFailed(f"The projection does not work: {group}")
            self._fail(group if isinstance(group, StoreFailed) else failed)
            return
        entries = [entry for applied in group for entry in applied.entries]
        self._applied = group[-1].delivered.sequence
        for applied in group:
            job_id = applied.delivered.job_id
            if job_id:
                self._heads[job_id] = applied.head
                self._heads.move_to_end(job_id)
        while len(self._heads) > _HEADS_IN_MEMORY:
            self._heads.popitem(last=False)
        if entries:
            self._position = entries[-1].position
            for listener in self._listeners:
                listener(entries)
        for applied in group:
            message = self._lanes.sent.pop(applied.delivered.name, None)
            if message is not None and not message.applied.done():
                message.applied.set_result(applied)
        while self._waiting and self._waiting[0][0] <= self._applied:
            _, _, waiting = heapq.heappop(self._waiting)
            if not waiting.done():
                waiting.set_result(None)

    async def _check(self) -> None:
        """Before following goes on: whether the stream still has what was taken from it. Raises StoreFailed."""
        assert self._follower is not None
        if await stream.ends_before(self._link, self._names, self._follower.last):
            raise StoreFailed(
                "The stream ends before what this node has read from it: it was restored, or replaced."
            )

    def _on_link(self, up: bool) -> None:
        if not up and self._follower is not None:
            self._follower.lost()
        self._on_state(up)

    def _on_following_ended(self, following: asyncio.Task[None]) -> None:
        if not following.cancelled():
            error = following.exception()
            self._fail(
                error if isinstance(error, StoreFailed) else StoreFailed(f"Following ended: {error!r}")
            )

    def _fail(self, error: StoreFailed) -> None:
        if not self._failed.done():
            _log.error("the log cannot go on", error=str(error))
            self._failed.set_result(error)
            self._lanes.fail()
        if self._following is not None:
            self._following.cancel()

    def _open_reader(self) -> Reader:
        return self._projection.reader(self.epoch)


def _rows(reader: Reader) -> ProjectionReader:
    assert isinstance(reader, ProjectionReader)
    return reader
