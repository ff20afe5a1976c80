"""Work for a client ends when the client has left, in the passes of the event loop that follow, and not later."""

from __future__ import annotations

import asyncio

import pytest
from starlette.types import Message

from milepost.web.disconnects import while_connected
from milepost.web.request_body import ClientGone

# More passes of the event loop than it takes; nothing here waits for anything else.
_PASSES = 10


class Request:
    """A request whose body is complete, and work for it that never ends by itself."""

    def __init__(self) -> None:
        self.messages: asyncio.Queue[Message] = asyncio.Queue()
        self._received = asyncio.Event()
        self._received.set()

    def serve(self) -> asyncio.Task[None]:
        """Start the work."""
        return asyncio.create_task(while_connected(self.messages.get, self._received, self._work()))

    def leave(self) -> None:
        """What the ASGI server says once the client has disconnected."""
        self.messages.put_nowait({"type": "http.disconnect"})

    async def _work(self) -> None:
        await asyncio.Event().wait()


async def _pass() -> None:
    for _ in range(_PASSES):
        await asyncio.sleep(0)


async def test_a_client_that_leaves() -> None:
    """Its work is cancelled, however long it would have waited, and the caller learns why."""
    request = Request()
    serving = request.serve()
    await _pass()
    assert not serving.done()

    request.leave()
    await _pass()

    assert serving.done()
    assert isinstance(serving.exception(), ClientGone)


async def test_a_caller_that_is_cancelled() -> None:
    """A server that stops cancels the request: that is no client that has left."""
    request = Request()
    serving = request.serve()
    await _pass()

    serving.cancel()

    with pytest.raises(asyncio.CancelledError):
        await serving
