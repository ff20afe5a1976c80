"""A server that stops: whatever interrupts that, or fails in it, in the end nothing of the server is left."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from operator import attrgetter
from pathlib import Path
from typing import Any

import psutil
import pytest

from milepost.server.http.http_settings import HttpSettings
from milepost.server.runtime.data_directory import DataDirectory
from milepost.server.runtime.server import Server, Settings

BEFORE_GRPC = ("_core.drain", "_http.stop", "_wait_for_last_calls", "_grpc.stop")
STEPS = (*BEFORE_GRPC, "_tasks.close", "_core.close", "_store.close")


class Step:
    """A step of a stop, which waits until it may go on."""

    def __init__(self, server: Server, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.begun, self.may_go_on = asyncio.Event(), asyncio.Event()
        owner, _, name = path.rpartition(".")
        self._owner: Any = attrgetter(owner)(server) if owner else server
        self._original = getattr(self._owner, name)
        monkeypatch.setattr(self._owner, name, self)

    async def __call__(self, *arguments: Any) -> None:
        """Take it."""
        self.begun.set()
        await self.may_go_on.wait()
        await self._original(*arguments)


class FailingStep(Step):
    """A step of a stop, which fails."""

    async def __call__(self, *arguments: Any) -> None:
        """Take it."""
        await self._original(*arguments)
        raise LookupError("no such")


def _listened() -> set[int]:
    """The ports that this process listens on. Another one may have been given those of a server that has stopped."""
    connections = psutil.Process().net_connections("inet")
    return {each.laddr.port for each in connections if each.status == psutil.CONN_LISTEN}


@asynccontextmanager
async def started(data: Path) -> AsyncIterator[Server]:
    """Start a server, which stops within the block. After that nobody listens, and another may have its directory."""
    server = Server(Settings("127.0.0.1:0", data, http=HttpSettings("127.0.0.1:0")))
    await server.start()
    yield server
    ports = {int(address.rpartition(":")[2]) for address in (server.address, server.http)}
    assert ports - _listened() == ports
    DataDirectory(data).close()


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("name", STEPS)
async def test_a_stop_that_is_cancelled_goes_on(
    name: str, times: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever waits for it gets the cancellation once the server has stopped."""
    async with started(tmp_path / "data") as server:
        step = Step(server, name, monkeypatch)
        stopping = asyncio.create_task(server.stop())
        await step.begun.wait()
        for _ in range(times):
            stopping.cancel()
            await asyncio.sleep(0)  # the cancellation arrives
        step.may_go_on.set()
        await asyncio.wait([stopping])
        assert stopping.cancelled()


@pytest.mark.parametrize("name", STEPS)
async def test_an_error_keeps_no_other_step_from_its_turn(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever waits gets the error."""
    async with started(tmp_path / "data") as server:
        FailingStep(server, name, monkeypatch)
        with pytest.raises(LookupError):
            await server.stop()


@pytest.mark.parametrize("name", BEFORE_GRPC)
async def test_a_loop_that_ends_cancels_one_step(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It cancels all tasks, as ``asyncio.run`` does, also the one that stops the server; the other steps follow."""
    async with started(tmp_path / "data") as server:
        step = Step(server, name, monkeypatch)
        stopping = asyncio.create_task(server.stop())
        await step.begun.wait()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        await asyncio.sleep(0)  # the cancellation arrives
        step.may_go_on.set()
        await asyncio.wait([stopping])
        assert stopping.cancelled()


async def test_a_second_stop_waits_for_the_first(tmp_path: Path) -> None:
    """It closes nothing again: the number of a closed file may be that of another one by then."""
    async with started(tmp_path / "data") as server:
        first, second = asyncio.create_task(server.stop()), asyncio.create_task(server.stop())
        await second
        assert first.done()
        await server.stop()
