"""One connected worker: the jobs that it holds, and the queue of responses to it."""

from __future__ import annotations

import asyncio
import hashlib
import math
import uuid
from collections import deque
from collections.abc import Callable
from typing import Final

from milepost.server.access.current_principal import caller_of
from milepost.server.access.principal import ANONYMOUS, Principal
from milepost.server.budgets.byte_budget import ByteBudget
from milepost.server.messages.job_encoding import JobResponse
from milepost.v1 import Hello, WorkResponse

# The server reads no more requests of a worker while this many responses wait to be sent to it.
_QUEUE_LIMIT = 1024

SESSION_RESPONSES: Final = 8 << 20
"""Bytes of assignments that one worker has not read yet; beyond, further ones wait."""

# The server starts no more jobs for a worker while it has not been sent the assignments of this many.
_UNSENT_LIMIT = 256


class ResponseQueue:
    """The responses to a worker, in order."""

    def __init__(self) -> None:
        self._responses: deque[WorkResponse | JobResponse] = deque()
        # What ``get`` waits for. A future, since an asyncio.Event would double the cost of the queue.
        self._ready: asyncio.Future[None] | None = None
        self._below_limit = asyncio.Event()
        self._below_limit.set()
        self._error: BaseException | None = None
        self._closed = False
        # Of those that are enqueued, by the identity of the message; and of the one that is being sent.
        self._on_sent: dict[int, Callable[[], None]] = {}
        self._on_sent_now: Callable[[], None] | None = None

    def put(self, response: WorkResponse | JobResponse, on_sent: Callable[[], None] | None = None) -> bool:
        """Enqueue a response. Return False after ``close``, where it is discarded.

        ``on_sent`` is called once it is sent or, if the stream ends before that, discarded.
        """
        if self._closed:
            return False
        self._responses.append(response)
        if on_sent is not None:
            self._on_sent[id(response)] = on_sent
        self._wake()
        if len(self._responses) >= _QUEUE_LIMIT:
            self._below_limit.clear()
        return True

    def close(self, error: BaseException | None = None) -> None:
        """Accept no more responses; the stream ends after those enqueued, with the error if there is one.

        The queue keeps the error until ``get`` raises it: its traceback may have frames that have the queue.
        """
        if not self._closed:
            self._closed = True
            self._error = error
        self._wake()

    def discard(self) -> None:
        """Discard what is enqueued: the stream has ended."""
        self.close()
        self._error = None
        self._sent()
        self._responses.clear()
        while self._on_sent:
            self._on_sent.popitem()[1]()

    @property
    def is_awaited(self) -> bool:
        """Whether ``get`` waits for the next response: all before it are sent, and it is not closed."""
        return self._ready is not None and not self._ready.done()

    @property
    def is_full(self) -> bool:
        """Whether the worker has to read some of its responses before the server reads more of its requests."""
        return len(self._responses) >= _QUEUE_LIMIT

    async def wait_below_limit(self) -> None:
        """Wait until the worker has read enough of its responses."""
        await self._below_limit.wait()

    async def get(self) -> WorkResponse | JobResponse | None:
        """Return the next response once the one before is sent, None at the end; raise the error of ``close``.

        Consecutive acknowledgements of one attempt are cumulative: only the last is returned.
        """
        if self._on_sent_now is not None:
            self._sent()
        while not self._responses:
            if self._closed:
                if self._error is not None:
                    error, self._error = self._error, None
                    try:
                        raise error
                    finally:
                        del error
                return None
            self._ready = asyncio.get_running_loop().create_future()
            await self._ready
        response = self._responses.popleft()
        while self._responses and (attempt := _acknowledged(response)) is not None:
            if _acknowledged(self._responses[0]) != attempt:
                break
            response = self._responses.popleft()
        if self._on_sent:
            self._on_sent_now = self._on_sent.pop(id(response), None)
        if len(self._responses) < _QUEUE_LIMIT:
            self._below_limit.set()
        return response

    def _sent(self) -> None:
        on_sent, self._on_sent_now = self._on_sent_now, None
        if on_sent is not None:
            on_sent()

    def _wake(self) -> None:
        if self._ready is not None and not self._ready.done():
            self._ready.set_result(None)


class Session:
    """One connected worker. ``peer`` is its address, as gRPC names it; ``principal`` is who it authenticated as.

    ``responses`` is the budget of its caller, of which its own is a part.

    Attributes:
        caller: The key that its load is counted under.
        instance: Names its process among those of all principals; empty where it has sent no ``Hello.instance``.
        jobs: The lease token of each job that the worker holds; None while the job is being started for it.
        unsent: Jobs that are being started for it, or whose assignment it has not been sent yet.
        memory: The budget of assignments that are enqueued for it, in bytes.
        ending: Jobs that the worker itself ends or releases, so that it gets no rejection when they leave it.
        assigning: Held while an assignment becomes durable and is enqueued, so that assignments keep their order.
        connected_at: When it connected, in nanoseconds since the epoch.
        heard_at: When its last message came, in nanoseconds since the epoch.
        suspect: Whether it lost a job to silence, and has sent nothing since.
        listening_since: Since when the server waits for its next message, by the monotonic clock; infinity while the
            server is not ready to read one.
    """

    def __init__(
        self,
        hello: Hello,
        peer: str = "",
        principal: Principal = ANONYMOUS,
        responses: ByteBudget | None = None,
    ) -> None:
        self.principal = principal
        self.session_id = uuid.uuid4().hex
        self.worker_id = hello.worker_id or f"worker-{self.session_id[:8]}"
        self.instance = _own_instance(principal, hello.instance)
        self.peer = peer
        self.caller = caller_of(principal, peer)
        self.sdk = hello.sdk
        self.kinds = tuple(dict.fromkeys(hello.kinds))
        self.max_concurrency = hello.max_concurrency
        self.jobs: dict[str, str | None] = {}
        self.unsent: set[str] = set()
        self.memory = ByteBudget(SESSION_RESPONSES, responses, self.session_id)
        self.ending: set[str] = set()
        self.responses = ResponseQueue()
        self.assigning = asyncio.Lock()
        self.open = True
        self.connected_at = self.heard_at = 0
        self.suspect = False
        self.listening_since = math.inf

    def own_instance(self, instance: str) -> str:
        """The name of a worker process, or of one claim, among those of all principals; empty for none."""
        return _own_instance(self.principal, instance)

    def connected(self, now: int) -> None:
        """Note that the worker has connected, at this time in nanoseconds since the epoch."""
        self.connected_at = self.heard_at = now

    def disconnected(self) -> None:
        """Note that the worker's stream has ended."""
        self.open = False

    def resize(self, max_concurrency: int) -> None:
        """Change the number of jobs that the worker runs at once."""
        self.max_concurrency = max_concurrency

    def listen(self, now: float) -> None:
        """The server is ready to read the next message, since this time of the monotonic clock."""
        self.listening_since = now

    def heard(self, now: int) -> bool:
        """A message has come, at this time in nanoseconds since the epoch. Return whether the worker was suspect."""
        self.listening_since = math.inf
        self.heard_at = now
        was_suspect, self.suspect = self.suspect, False
        return was_suspect

    def lost(self) -> None:
        """Suspect the worker, since it lost a job to silence."""
        self.suspect = True

    @property
    def has_capacity(self) -> bool:
        """Whether it accepts another job."""
        has_room = len(self.jobs) < self.max_concurrency and len(self.unsent) < _UNSENT_LIMIT
        return self.open and not self.suspect and has_room


def _own_instance(principal: Principal, instance: str) -> str:
    """The worker process that the principal calls ``instance``; empty for none.

    Another principal with the same text is another process, and readers of its jobs do not learn the text. A new
    token of the same subject and owners is the same principal.
    """
    if principal is ANONYMOUS or not instance:
        return instance
    owners = None if principal.owners is None else sorted(principal.owners)
    return hashlib.sha256(repr((principal.subject, owners, instance)).encode()).hexdigest()[:32]


def _acknowledged(response: WorkResponse | JobResponse) -> tuple[str, str] | None:
    """The attempt whose reports it acknowledges; None if it is another response."""
    if isinstance(response, JobResponse) or not response.HasField("acknowledged"):
        return None
    return response.acknowledged.job_id, response.acknowledged.lease_token
