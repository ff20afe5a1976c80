"""One session: the stream between a worker and a server."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Final

from milepost.client._transport.channel import SDK, LazyChannel
from milepost.client._transport.error_mapping import error_from_status
from milepost.client._transport.fork_safety import grpc
from milepost.client._worker.job_table import JobTable
from milepost.client._worker.outage_log import Outage
from milepost.client.errors import ProtocolError, Unreachable
from milepost.v1 import Capacity, ErrorReason, Heartbeat, Hello, Rejected, Welcome, WorkRequest, WorkResponse

__all__ = ["Session"]

_log = logging.getLogger("milepost.client")

# Seconds between heartbeats where the server does not say.
_HEARTBEAT: Final = 5.0
# The store's troubles pass; what was refused is sent again on the next session.
_TROUBLES: Final = frozenset(
    {
        ErrorReason.ERROR_REASON_STORE_UNAVAILABLE,
        ErrorReason.ERROR_REASON_STORE_FULL,
        ErrorReason.ERROR_REASON_DRAINING,
    }
)


class Session:
    """Says what the desk has to say, and hands it what the server says.

    Attributes:
        proved: Whether it has carried something, so that the next one need not wait long.
        finishing: Whether it was to end, so that there is nothing left that another one would be for; but for
        given_too_late: Whether it was given a job when it could not say any more that nobody is there for that.
    """

    def __init__(
        self,
        channel: LazyChannel,
        desk: JobTable,
        worker_id: str,
        timeout: float,
        instance: str,
        outage: Outage,
    ) -> None:
        """Nothing is connected yet; the server has `timeout` seconds to welcome the worker.

        `instance` names this run of the worker, the same in all of its sessions, as the `outage` between them is.
        """
        self.proved = self.finishing = self.given_too_late = False
        self._channel = channel
        self._address = channel.target.address
        self._desk = desk
        self._worker_id = worker_id
        self._timeout = timeout
        self._instance = instance
        self._outage = outage
        # Jobs of an earlier session, or worker, that the server has not answered for yet.
        self._resuming: set[str] = set()
        self._told_capacity = 0

    async def run(self) -> None:
        """Until the stream ends.

        Raises:
            MilepostError: It did not end because of `finish`.
        """
        call = self._channel.keep(self._channel.work().Work(metadata=self._channel.target.metadata))
        tasks: list[asyncio.Task[None]] = []
        try:
            welcome = await self._open(call)
            tasks.append(asyncio.create_task(self._write(call)))
            tasks.append(asyncio.create_task(self._beat(welcome)))
            while isinstance(response := await call.read(), WorkResponse):
                self._take(response)
            if not self.finishing:
                raise Unreachable(self._address, "it ended the session")
        except grpc.aio.AioRpcError as error:
            raise error_from_status(error, self._address) from error.with_traceback(None)
        finally:
            self._desk.detach()
            for task in tasks:
                task.cancel()
            call.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            del (
                call,
                tasks,
            )  # what left by an exception is not to keep the channel up; a fork could not rest it

    def finish(self) -> None:
        """Ends it well: what waits is sent, and then the server ends the stream."""
        self.finishing = True
        self._desk.outbox.close()

    async def _open(self, call: grpc.aio.StreamStreamCall[WorkRequest, WorkResponse]) -> Welcome:
        desk = self._desk
        resuming = [attempt.job_id for attempt in desk]
        self._resuming = {*resuming, *desk.kept_jobs}
        self._told_capacity = self._capacity()
        desk.outbox.clear()
        # What the server has given to this instance, and is not among these, was lost on its way.
        hello = Hello(
            worker_id=self._worker_id,
            kinds=desk.kinds,
            max_concurrency=self._told_capacity,
            sdk=SDK,
            instance=self._instance,
            job_ids=resuming,
        )
        try:
            async with asyncio.timeout(self._timeout):
                # Where the stream has ended already, the read tells why.
                with contextlib.suppress(asyncio.InvalidStateError):
                    await call.write(WorkRequest(hello=hello))
                response = await call.read()
        except TimeoutError:
            raise Unreachable(self._address, f"no welcome within {self._timeout:g} s") from None
        if not isinstance(response, WorkResponse):
            raise Unreachable(self._address, "it ended the session")
        if not response.HasField("welcome"):
            raise ProtocolError("The session did not begin with welcome.")
        self._outage.over(self._worker_id)
        for request in desk.opening():
            desk.outbox.say(request)
        desk.on_change, desk.on_told = self._tell_capacity, self._answered
        self._tell_capacity()
        return response.welcome

    async def _write(self, call: grpc.aio.StreamStreamCall[WorkRequest, WorkResponse]) -> None:
        # Why a stream has ended is for the reader to tell.
        with contextlib.suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError):
            while (request := await self._desk.outbox.next()) is not None:
                await call.write(request)
            await call.done_writing()

    async def _beat(self, welcome: Welcome) -> None:
        interval = welcome.heartbeat_interval.ToTimedelta().total_seconds() or _HEARTBEAT
        while True:
            await asyncio.sleep(interval)
            self._desk.outbox.say(WorkRequest(heartbeat=Heartbeat()))
            self.proved = True

    def _take(self, response: WorkResponse) -> None:
        match response.WhichOneof("message"):
            case "acknowledged":
                self.proved = True
                self._desk.acknowledged(response.acknowledged)
            case "assignment":
                self.proved = True
                self.given_too_late |= self.finishing
                self._desk.take_on(response.assignment)
            case "cancel":
                if (attempt := self._desk.find(response.cancel.job_id)) is not None:
                    attempt.cancel(response.cancel.cancellation)
            case "resumed":
                if (attempt := self._desk.find(response.resumed.job_id)) is not None:
                    attempt.resumed(response.resumed)
                self._answered(response.resumed.job_id)
            case "rejected":
                self._rejected(response.rejected)
            case "drain":
                _log.info("the server at %s is stopping", self._address)
            case _:
                pass  # of a newer server

    def _rejected(self, message: Rejected) -> None:
        if message.reason in _TROUBLES:
            raise Unreachable(self._address, message.message)
        self._desk.rejected(message)
        self._answered(message.job_id)

    def _answered(self, job_id: str) -> None:
        self._resuming.discard(job_id)
        self._tell_capacity()

    def _capacity(self) -> int:
        """Places for jobs that are to be resumed, or told of, are not given away before."""
        return max(self._desk.capacity - len(self._resuming), 0)

    def _tell_capacity(self) -> None:
        capacity = self._capacity()
        if capacity != self._told_capacity and not self._resuming:
            self._told_capacity = capacity
            self._desk.outbox.say(WorkRequest(capacity=Capacity(max_concurrency=capacity)))
