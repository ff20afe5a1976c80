"""Following a job's log: the loop that resumes by itself."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Final, Literal, Self

import grpc

from milepost.client.backoff import Backoff, is_passing
from milepost.client.cursor import Cursor
from milepost.client.errors import MilepostError, ServiceError, Unreachable
from milepost.client.outcome import has_ended
from milepost.client.refusals import error_from_status
from milepost.contract.limits import STATUS_INTERVAL
from milepost.v1 import Estimate, Event, GetJobRequest, WatchJobRequest, WatchJobResponse

if TYPE_CHECKING:
    from milepost.client.channel import LazyChannel

__all__ = ["Connection", "Watch"]

# An idle stream is heard every status_interval. After this many of them, and a margin, it counts as dead.
_SILENT_INTERVALS: Final = 2.5
_SILENT_MARGIN: Final = 5.0
# How long to wait for the server to end the stream after job_ended.
_GOODBYE: Final = 0.5


@dataclass(frozen=True)
class Connection:
    """How a watch is connected.

    Attributes:
        state: ``connecting`` for the first time, ``live``, or ``reconnecting``.
        retry_in: Seconds until the next try; 0 unless reconnecting.
        resumed_at: The cursor that the stream was resumed at; None on the first one.
        error: Why the connection was lost; empty unless reconnecting.
    """

    state: Literal["connecting", "live", "reconnecting"]
    retry_in: float = 0.0
    resumed_at: int | None = None
    error: str = ""


class Watch(AsyncIterator[Event]):
    """The events of a job: every one once, in order, across lost connections and restarted servers.

    An async iterator, and an async context manager that ends the stream at the server when it is left. Cancelling a
    wait for the next event, as `asyncio.wait_for` does, loses nothing: go on with the next one.
    """

    def __init__(
        self,
        channel: LazyChannel,
        job_id: str,
        *,
        after: int = 0,
        epoch: str = "",
        follow: bool = True,
        on_state: Callable[[Connection], None] | None = None,
        status_interval: float | None = None,
        timeout: float = 30.0,
        backoff: Backoff | None = None,
    ) -> None:
        self._channel = channel
        self._job_id = job_id
        self._position = Cursor(
            job_id, after=after, epoch=epoch, follow=follow, status_interval=status_interval
        )
        self._on_state = on_state
        self._silence = _SILENT_INTERVALS * (status_interval or STATUS_INTERVAL) + _SILENT_MARGIN
        self._timeout = timeout
        self._backoff = backoff or Backoff()
        self._call: grpc.aio.UnaryStreamCall[WatchJobRequest, WatchJobResponse] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._reading: asyncio.Task[object] | None = None
        self._ready: deque[Event] = deque()
        self._cursor = after
        self._done = False
        self._connected_before = False
        self._retry_at = 0.0
        self._give_up_at: float | None = None
        self._reconnects = 0
        self._connection = Connection("connecting")

    @property
    def cursor(self) -> int:
        """The sequence of the last event that was yielded: what to continue after."""
        return self._cursor

    @property
    def epoch(self) -> str:
        """The epoch that the cursor is of; empty until connected."""
        return self._position.epoch

    @property
    def head(self) -> int:
        """The newest event that is known of."""
        return self._position.head

    @property
    def caught_up(self) -> bool:
        """Whether the head was reached: what comes now is live."""
        return self._position.caught_up

    @property
    def connection(self) -> Connection:
        """How the watch is connected."""
        return self._connection

    @property
    def reconnects(self) -> int:
        """How often the stream was resumed."""
        return self._reconnects

    @property
    def fraction(self) -> float | None:
        """How much of the job is done, as the server said last on an idle stream; None if it has not yet."""
        return self._position.fraction

    @property
    def estimate(self) -> Estimate | None:
        """How long the job will still take, as the server said last on an idle stream; None without evidence."""
        return self._position.estimate

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        if not self._ready:
            self._ready.extend(await self._next())
            if not self._ready:
                raise StopAsyncIteration
        event = self._ready.popleft()
        self._cursor = event.sequence
        return event

    async def batch(self) -> Sequence[Event]:
        """The same events, as many at once as have come, which costs less where there are many; none at the end."""
        events: Sequence[Event] = tuple(self._ready) or await self._next()
        self._ready.clear()
        if events:
            self._cursor = events[-1].sequence
        return events

    async def batches(self) -> AsyncGenerator[Sequence[Event], None]:
        """One `batch` after the other."""
        while events := await self.batch():
            yield events

    async def aclose(self) -> None:
        """Ends the watch: the stream is cancelled at the server. The job goes on."""
        self._done = True
        self._ready.clear()
        reading = self._drop()
        if reading is not None:
            await asyncio.wait((reading,))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    def __del__(self) -> None:
        # gRPC does not cancel a call that nobody holds any more (grpc#43462).
        if self._call is not None and self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._call.cancel)

    async def _next(self) -> Sequence[Event]:
        """The next events; none at the end."""
        while not self._done:
            if self._position.ended:
                await self._say_goodbye()
                break
            try:
                frame = await self._read()
                if frame is None:
                    await self._stream_ended()
                    continue
            except MilepostError as error:
                self._interrupted(error)
                continue
            opening = not self._position.opened
            try:
                events = self._position.take(frame)
            except MilepostError:
                self._stop()
                raise
            if opening:
                self._live()
            if events or frame.HasField("status"):
                self._backoff.reset()
            if events:
                return events
        return ()

    async def _read(self) -> WatchJobResponse | None:
        """The next frame of the stream, which is opened first where there is none; None at its end, or when closed.

        The read is a task of its own, so that the cancellation of a wait does not cancel the call.
        """
        loop = asyncio.get_running_loop()
        if self._call is None:
            if self._give_up_at is None:
                self._give_up_at = loop.time() + self._timeout
                self._report(self._connection)
            if (wait := self._retry_at - loop.time()) > 0:
                await asyncio.sleep(wait)
            self._loop = loop
            self._call = self._channel.jobs().WatchJob(
                self._position.request(), metadata=self._channel.target.metadata
            )
        reading = self._reading = self._reading or asyncio.create_task(self._call.read())
        done, _ = await asyncio.wait((reading,), timeout=self._silence)
        if self._done:
            return None
        if not done:
            raise Unreachable(self._channel.target.address, f"nothing was heard for {self._silence:g} s")
        self._reading = None
        if reading.cancelled():
            raise RuntimeError("The client is closed.")
        if (error := reading.exception()) is not None:
            self._call = None
            if isinstance(error, grpc.aio.AioRpcError):
                raise error_from_status(error, self._channel.target.address) from error
            raise error
        frame = reading.result()
        return frame if isinstance(frame, WatchJobResponse) else None

    async def _stream_ended(self) -> None:
        """The stream ended with OK. Unless all has come, it was interrupted (rule 6)."""
        self._call = None
        if self._done:
            return
        if not self._position.complete and not (
            self._position.maybe_complete and await self._log_has_ended()
        ):
            raise Unreachable(self._channel.target.address, "the stream ended before the job did")
        self._done = True

    async def _log_has_ended(self) -> bool:
        jobs = self._channel.jobs()
        job = (await self._channel.call(jobs.GetJob, GetJobRequest(job_id=self._job_id), self._timeout)).job
        return has_ended(job) and job.last_sequence == self._position.sequence

    def _live(self) -> None:
        if self._connected_before:
            self._reconnects += 1
            self._report(Connection("live", resumed_at=self._position.sequence))
        else:
            self._connected_before = True
            self._report(Connection("live"))

    def _interrupted(self, error: MilepostError) -> None:
        """Plans the next try, or gives up."""
        self._drop()
        now = asyncio.get_running_loop().time()
        late = not self._connected_before and self._give_up_at is not None and now >= self._give_up_at
        if late or not is_passing(error, connected_before=self._connected_before):
            self._stop()
            raise error
        asked = error.retry_delay if isinstance(error, ServiceError) else None
        wait = self._backoff.next(asked or 0.0)
        self._retry_at = now + wait
        self._report(
            Connection("reconnecting" if self._connected_before else "connecting", wait, error=str(error))
        )

    def _report(self, connection: Connection) -> None:
        self._connection = connection
        if self._on_state is not None:
            self._on_state(connection)

    async def _say_goodbye(self) -> None:
        """After job_ended the server ends the stream; one that does not in time is cancelled."""
        self._done = True
        call = self._call
        if call is not None:
            try:
                async with asyncio.timeout(_GOODBYE):
                    while isinstance(await call.read(), WatchJobResponse):
                        pass
            except (TimeoutError, grpc.aio.AioRpcError):
                pass
        self._drop()

    def _stop(self) -> None:
        self._done = True
        self._drop()

    def _drop(self) -> asyncio.Task[object] | None:
        """Cancels the call, and gives the read that goes with it."""
        call, self._call = self._call, None
        reading, self._reading = self._reading, None
        if call is not None:
            call.cancel()
        if reading is not None:
            reading.add_done_callback(
                lambda read: read.cancelled() or read.exception()
            )  # nobody asks any more
        return reading
