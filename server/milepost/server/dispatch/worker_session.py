"""One connected worker: the jobs that it holds, and what is to be said to it."""

from __future__ import annotations

import asyncio
import math
import uuid
from collections import deque

from milepost.v1 import Hello, WorkResponse

# What may wait to be sent to a worker before no more is taken from it.
_OUTBOX_MOST = 1024


class Outbox:
    """What is to be said to a worker, in order."""

    def __init__(self) -> None:
        self._responses: deque[WorkResponse] = deque()
        self._ready = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._end: BaseException | None = None
        self._ended = False

    def put(self, response: WorkResponse) -> bool:
        """Queues a response. After the end it goes nowhere, and False is returned."""
        if self._ended:
            return False
        self._responses.append(response)
        self._ready.set()
        if len(self._responses) >= _OUTBOX_MOST:
            self._room.clear()
        return True

    def end(self, error: BaseException | None = None) -> None:
        """Nothing more is to be said; the stream ends, with the error if there is one."""
        if not self._ended:
            self._ended = True
            self._end = error
        self._ready.set()

    async def room(self) -> None:
        """Waits until the worker has read enough of what it was told."""
        await self._room.wait()

    async def get(self) -> WorkResponse | None:
        """The next response; None at the end.

        Of acknowledgements that follow one another for a job only the last: they are cumulative.
        """
        while not self._responses:
            if self._ended:
                if self._end is not None:
                    raise self._end
                return None
            self._ready.clear()
            await self._ready.wait()
        response = self._responses.popleft()
        while response.HasField("acknowledged") and self._responses:
            following = self._responses[0]
            if not following.HasField("acknowledged") or _attempt(following) != _attempt(response):
                break
            response = self._responses.popleft()
        if len(self._responses) < _OUTBOX_MOST:
            self._room.set()
        return response


class Session:
    """One connected worker. ``peer`` is where it connects from, as gRPC names it.

    ``jobs`` holds the lease token of each job that is its own, or None while one is being started for it.
    """

    def __init__(self, hello: Hello, peer: str = "") -> None:
        self.session_id = uuid.uuid4().hex
        self.worker_id = hello.worker_id or f"worker-{self.session_id[:8]}"
        self.instance = hello.instance
        self.peer = peer
        self.sdk = hello.sdk
        self.kinds = tuple(dict.fromkeys(hello.kinds))
        self.max_concurrency = hello.max_concurrency
        self.jobs: dict[str, str | None] = {}
        self.leaving: set[str] = set()
        """Jobs whose end the worker has told, so that it need not be told of it."""
        self.outbox = Outbox()
        self.telling = asyncio.Lock()
        """Held while an assignment is on its way to the outbox, so that they get there in order."""
        self.open = True
        self.connected_at = self.heard_at = 0
        """When it connected, and when it was heard from last, in nanoseconds since the epoch."""
        self.silent = False
        """Whether it has lost a job since it was not heard from, and still is not."""
        self.listening_since = math.inf
        """Since when the server waits for what it says next; infinity while it is not ready to hear that."""

    @property
    def has_room(self) -> bool:
        """Whether it takes another job."""
        return self.open and not self.silent and len(self.jobs) < self.max_concurrency


def _attempt(response: WorkResponse) -> tuple[str, str]:
    return response.acknowledged.job_id, response.acknowledged.lease_token
