"""The event log of many nodes: publishers that append to the stream, and a projection that follows it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Sequence
from pathlib import Path

import structlog

from milepost.server.base.clock import AdjustedClock
from milepost.server.budgets.idle_caches import IdleCaches
from milepost.server.log.event_log import Commit, Entry, EventPage
from milepost.server.log.jetstream import drop_plans, stream
from milepost.server.log.jetstream.applied_messages import AppliedMessages
from milepost.server.log.jetstream.applier import AppliedMessage, DeliveredMessage, JobHead
from milepost.server.log.jetstream.backlog import Backlog
from milepost.server.log.jetstream.drop_publisher import DropPublisher
from milepost.server.log.jetstream.epoch_holders import EpochHolder
from milepost.server.log.jetstream.job_publisher import JobPublishers, PendingWrite
from milepost.server.log.jetstream.joining import join
from milepost.server.log.jetstream.nats_access import ConnectionLost, NatsAccess
from milepost.server.log.jetstream.nats_connection import NatsConnection
from milepost.server.log.jetstream.ordered_consumer import OrderedConsumer
from milepost.server.log.jetstream.presence_messages import PresenceMessages
from milepost.server.log.jetstream.projection import Projection, ProjectionReader
from milepost.server.log.jetstream.records import UnknownRecord, decode, name_in
from milepost.server.log.jetstream.stream import StreamIdentity, StreamNames
from milepost.server.log.jetstream.stream_check import StreamCheck
from milepost.server.log.jetstream.stream_time import StreamTime
from milepost.server.log.jetstream.write_faults import WriteFaults
from milepost.server.log.log_errors import StoreBehind, StoreFailed
from milepost.server.log.node_presence import Peers, Presence
from milepost.server.log.sqlite.log_copy import LogCopy
from milepost.server.log.sqlite.reader import Reader
from milepost.server.log.sqlite.reader_pool import ReaderPool
from milepost.server.log.store_files import StoreFiles
from milepost.server.scheduling.callers import SERVER
from milepost.server.scheduling.prompt_future import PromptFuture
from milepost.v1 import Job

_logger = structlog.get_logger("milepost.store")

# In seconds: the interval of progress lines while catching up, and that of checks for pending jobs.
_PROGRESS_LOG_INTERVAL = 5.0
_RETRY_DELAY = 0.2

# Interval in seconds at which catching up checks that the stream still has the message it waits for.
_END_CHECK_INTERVAL = 1.0

# Time in seconds for all jobs with purged beginnings to become whole.
_PENDING_TIMEOUT = 20.0

# Time in seconds to wait for what other nodes have appended.
_CATCH_UP_TIMEOUT = 2.0


class JetStreamEventLog(ReaderPool):
    """An ``EventLog`` in a stream of NATS JetStream, with its projection in ``directory``.

    It is bound to the running event loop; before ``start`` has returned, only ``up`` may be used. ``failed`` resolves
    when it has failed for good, for example because the stream was replaced.
    """

    is_shared = True

    def __init__(
        self,
        directory: Path,
        access: NatsAccess,
        names: StreamNames,
        *,
        files: StoreFiles | None = None,
        replicas: int | None = None,
        on_state: Callable[[bool], None] = lambda up: None,
        idle: IdleCaches | None = None,
        clock: AdjustedClock | None = None,
    ) -> None:
        super().__init__(self._open_reader)
        self._loop = asyncio.get_running_loop()
        self._names = names
        self._replicas = replicas
        self._on_state = on_state
        self._connection = NatsConnection(access, self._on_connection_state)
        self.commit_times = self._connection.commit_times
        self._time = StreamTime(self._connection, names, clock or AdjustedClock())
        self._faults = WriteFaults(self._on_faults)
        self._publishers = JobPublishers(self._connection, names, self, self._faults)
        self._projection = Projection(
            directory, files or StoreFiles(), self._deliver, self._on_projection_fault
        )
        self._drops = DropPublisher(self._publishers, self._plan, self._projection)
        self._consumer: OrderedConsumer | None = None
        self._following: asyncio.Task[None] | None = None
        self._presence: PresenceMessages | None = None
        self._identity = StreamIdentity("", "", 0)
        self._backlog = Backlog()
        self._applied = AppliedMessages(self._publishers.sent, self._backlog, self._drops.purge)
        if idle is not None:
            idle.add(self._applied.evict_idle)
            idle.add(self._projection.evict_idle)
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
        return self._applied.position

    @property
    def up(self) -> bool:
        """Whether NATS is reachable and the stream can be written to."""
        return self._connection.up and not self._faults

    @property
    def connection(self) -> NatsConnection:
        """The connection to NATS."""
        return self._connection

    def add_listener(self, listener: Callable[[Sequence[Entry]], None]) -> None:
        """See ``EventLog``."""
        self._applied.add_listener(listener)

    # Lifecycle.

    async def start(self) -> None:
        """Connect and catch up with the stream, without a time limit. Raises StreamRefused, StoreFailed."""
        await self._connection.open()
        self._identity, head = await join(self._connection, self._names, self._replicas, self._projection)
        await self._time.start()
        check = StreamCheck(self._connection, self._names, self._replicas, self._identity, self._faults)
        self._applied.sequence.advance(self._projection.applied)
        self._applied.position = self._projection.position
        self._projection.start()
        applied = self._applied.sequence.value
        self._consumer = OrderedConsumer(
            self._connection, self._names, applied, self._on_message, check.run, self._faults, self._backlog
        )
        self._drops.resume(self._consumer.check)
        self._following = asyncio.create_task(self._consumer.run())
        self._following.add_done_callback(self._on_following_ended)
        await self._catch_up_to(head)

    async def share_presence(self, here: Presence, interval: float) -> Peers:
        """See ``Store``."""
        self._presence = presence = PresenceMessages(
            self._connection,
            self._names,
            here,
            interval,
            held=lambda: EpochHolder(socket.gethostname(), self.epoch, self.position),
            is_usable=lambda: not self._faults,
        )
        await presence.start()
        return presence

    async def copy_to(self, path: Path) -> LogCopy:
        """See ``Store``: a copy of this node's projection."""
        return await self._projection.copy_to(path)

    async def close(self) -> None:
        """See ``EventLog``."""
        self._closed = True
        if self._presence is not None:
            await self._presence.close()
        if not self._failed.done():
            await self._publishers.finish()
        await self._drops.finish()
        if self._consumer is not None and self._following is not None:
            self._consumer.stop()
            self._following.cancel()
            await asyncio.gather(self._following, return_exceptions=True)
        await self._time.close()
        await self._connection.close()
        await asyncio.to_thread(self._projection.close)
        await asyncio.sleep(0)  # lets the projection's last group come first
        self._applied.flush()
        self.close_readers()

    async def _catch_up_to(self, head: int) -> None:
        start = self._applied.sequence.value
        applying = asyncio.ensure_future(self._apply_until(head))
        try:
            while not applying.done():
                await asyncio.wait(
                    (applying, self._failed),
                    timeout=_PROGRESS_LOG_INTERVAL,
                    return_when=asyncio.FIRST_COMPLETED,
                )
                if self._failed.done():
                    raise self._failed.result()
                if applying.done():
                    await applying
                else:
                    _logger.info("catching up", at=self._applied.sequence.value, of=head, started=start)
        finally:
            applying.cancel()
        if self._applied.sequence.value > start:
            _logger.info(
                "caught up", messages=self._applied.sequence.value - start, position=self._applied.position
            )

    async def _apply_until(self, head: int) -> None:
        """Wait until the projection has applied that message of the stream, and no job is pending."""
        while self._applied.sequence.value < head and await stream.has_more(
            self._connection, self._names, self._applied.sequence.value
        ):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_END_CHECK_INTERVAL):
                    await self.reached(head)
        deadline = self._loop.time() + _PENDING_TIMEOUT
        while True:
            self._projection.allow_pending(False)
            pending = await self._long.run(SERVER, lambda reader: _rows(reader).pending())
            if not pending:
                return
            # A node published what completes them before it purged their beginnings, so it arrives soon.
            self._projection.allow_pending(True)
            if self._loop.time() > deadline:
                raise StoreFailed(
                    f"The stream {self._names.stream!r} lacks the beginning of {pending} jobs that nobody has trimmed: "
                    "it was purged by somebody else. Restore it, or start with another one."
                )
            await asyncio.sleep(_RETRY_DELAY)

    def append(self, commit: Commit) -> PromptFuture[None]:
        """See ``EventLog``."""
        return self._write(commit.job_id, PendingWrite(commit))

    def thin(self, job_id: str, submitted: int | None = None) -> asyncio.Future[None]:
        """See ``EventLog``."""
        return self._drop(job_id, submitted, drop_plans.thin)

    def trim(self, job_id: str, first_sequence: int, submitted: int | None = None) -> asyncio.Future[None]:
        """See ``EventLog``."""
        return self._drop(job_id, submitted, lambda rows: drop_plans.trim(rows, first_sequence))

    def delete(self, job_id: str, submitted: int | None = None) -> asyncio.Future[None]:
        """See ``EventLog``."""
        return self._drop(job_id, submitted, drop_plans.delete)

    def revoke_shares(self, job_id: str, submitted: int | None = None) -> asyncio.Future[None]:
        """See ``EventLog``."""
        return self._drop(job_id, submitted, drop_plans.revoke_shares)

    def _drop(self, job_id: str, submitted: int | None, plan: drop_plans.Planner) -> asyncio.Future[None]:
        return self._write(job_id, self._drops.prepare(job_id, drop_plans.only_of(submitted, plan)))

    async def _plan(self, job_id: str, plan: drop_plans.Planner, caller: str) -> drop_plans.DropPlan | None:
        return await self._long.run(caller, lambda reader: _rows(reader).drop(job_id, plan))

    def _write(self, job_id: str, write: PendingWrite) -> PromptFuture[None]:
        try:
            if self._closed or self._failed.done():
                raise StoreFailed("the store is closed")
            self._faults.check()
        except StoreFailed as error:
            write.resolve(error)
            return write.done
        return self._publishers.put(job_id, write)

    async def catch_up(self, job_id: str) -> None:
        """See ``EventLog``."""
        try:
            async with asyncio.timeout(_CATCH_UP_TIMEOUT):
                found = await stream.message_at(
                    self._connection, self._names, subject=self._names.job(job_id)
                )
                if found is not None:
                    await self.reached(found[0])
        except (ConnectionLost, StoreFailed, TimeoutError) as error:
            raise StoreBehind(f"job {job_id!r} may have events that this node has not read") from error

    async def find(self, job_id: str, *, caller: str = SERVER) -> Job | None:
        """See ``EventLog``: it also finds a job that another node has just created."""
        job = await super().find(job_id, caller=caller)
        if job is None:
            await self.catch_up(job_id)
            job = await super().find(job_id, caller=caller)
        return job

    async def read(
        self, job_id: str, cursor: int, max_bytes: int, *, caller: str = SERVER, short: bool = False
    ) -> EventPage | None:
        """See ``EventLog``, and ``find``."""
        page = await super().read(job_id, cursor, max_bytes, caller=caller, short=short)
        if page is None:
            await self.catch_up(job_id)
            page = await super().read(job_id, cursor, max_bytes, caller=caller, short=short)
        return page

    def check_stream(self) -> None:
        """See ``AppliedLog``."""
        if self._consumer is not None:
            self._consumer.check_soon()

    async def head(self, job_id: str, caller: str) -> JobHead:
        """See ``AppliedLog``."""
        head = self._applied.head(job_id)
        if head is None:
            read = await self._short.run(caller, lambda reader: _rows(reader).head(job_id))
            head = self._applied.head(job_id) or read
        return head

    async def reached(self, sequence: int) -> None:
        """See ``AppliedLog``."""
        await self._applied.sequence.reached(sequence)

    def _on_message(self, sequence: int, subject: str, data: bytes) -> None:
        """Decode the stream's next message and queue it for the projection."""
        self._backlog.add(len(data))
        job_id = self._names.job_id(subject)
        if not job_id:
            if sequence > self._identity.sequence:
                self._fail(StoreFailed("The stream has a new epoch: a node found that it has lost messages."))
            self._projection.put(DeliveredMessage(sequence, name_in(data), len(data)))
            return
        try:
            record = decode(data)
        except UnknownRecord as error:
            self._fail(StoreFailed(f"Message {sequence} of the stream {self._names.stream!r} {error}."))
            return
        own = self._publishers.sent.get(record.name)
        commits = None if own is None else own.commits
        is_own = self._publishers.is_own(record.name)
        delivered = DeliveredMessage(sequence, record.name, len(data), job_id, record, commits, is_own)
        self._projection.put(delivered)

    def _deliver(self, applied: Sequence[AppliedMessage] | Exception) -> None:
        """On the projection's thread."""
        if isinstance(applied, Exception):
            self._loop.call_soon_threadsafe(self._on_projection_failed, applied)
        else:
            self._loop.call_soon_threadsafe(self._applied.put, applied)

    def _on_projection_failed(self, error: Exception) -> None:
        self._applied.flush()
        failed = StoreFailed(f"The projection failed: {error}")
        self._fail(error if isinstance(error, StoreFailed) else failed)

    def _on_connection_state(self, up: bool) -> None:
        if not up and self._consumer is not None:
            self._consumer.connection_lost()
        self._on_state(self.up)

    def _on_projection_fault(self, fault: str) -> None:
        """On the projection's thread."""
        self._loop.call_soon_threadsafe(self._faults.set, "projection", fault)

    def _on_faults(self) -> None:
        if self._faults:
            self._publishers.give_up("the stream cannot be written to")
            _logger.warning(
                "this node holds a copy of the stream", epoch=self.epoch, position=self._applied.position
            )
        # Contact with the other nodes begins again: a worker that was refused comes back after a while (rule 14).
        self._connection.breaks += 1
        self._on_state(self.up)

    def _on_following_ended(self, following: asyncio.Task[None]) -> None:
        if not following.cancelled():
            error = following.exception()
            failed = StoreFailed(f"Following the stream failed: {error!r}")
            self._fail(error if isinstance(error, StoreFailed) else failed)

    def _fail(self, error: StoreFailed) -> None:
        if not self._failed.done():
            _logger.error("event log failed", error=str(error))
            self._failed.set_result(error)
            self._publishers.fail()
            self._drops.stop()
        if self._following is not None:
            self._following.cancel()

    def _open_reader(self) -> Reader:
        return self._projection.reader(self.epoch)


def _rows(reader: Reader) -> ProjectionReader:
    assert isinstance(reader, ProjectionReader)
    return reader
