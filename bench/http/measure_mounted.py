"""Measure an application that mounts Milepost's over a client, beside the server's own HTTP: live and idle."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from multiprocessing.connection import Connection
from typing import Final

from bench import live, work
from bench.figures import OURS, Figure, Round, Settings, rounds
from bench.http.event_subscribers import follow_events, idle_events, leave
from bench.http.served_application import serve_until_closed
from bench.processes import Load, Server, child, milepost
from milepost.client import Client
from milepost.web import milepost_app

__all__ = ["measure_mounted"]

MOUNTED: Final = "mounted application"

_LIVE: Final = (live.Size(100, 100, 0.05), live.Size(1000, 30, 0.4))

_IDLE: Final = 1000

_SECONDS: Final = 40.0
"""Time limit of a size, if that of ``--seconds`` is shorter."""


def measure_mounted(settings: Settings) -> list[Figure]:
    """CPU time per message with 100 and 1,000 subscribers, and memory of an idle one, of all processes together."""
    settings = replace(settings, seconds=max(settings.seconds, _SECONDS))
    with (
        milepost(settings.directory / "mounted", "--http", "127.0.0.1:0") as server,
        _application(server) as application,
        Load.start() as worker,
        Load.start() as first,
        Load.start() as second,
    ):
        loads = [first, second]
        own, mounted = partial(_idle_round, loads, server), partial(_idle_round, loads, application)
        figures = rounds(f"idle over HTTP, {_IDLE:,} subscribers", {OURS: own, MOUNTED: mounted}, settings)
        for size in _LIVE:

            def at(at_server: Server, size: live.Size = size) -> Round:
                job_id = work.submit(server.address)
                return live.run_round(worker, loads, size, at_server, job_id, follow=follow_events)

            contestants: dict[str, Callable[[], Round]] = {
                OURS: partial(at, server),
                MOUNTED: partial(at, application),
            }
            figures += rounds(f"live over HTTP, {size.subscribers:,} subscribers", contestants, settings)
    return figures


class _Application(Server):
    """An application, with the server that it calls."""

    def __init__(self, server: Server, pid: int, url: str) -> None:
        super().__init__(server.address, pid, url)
        self._server = server

    def cpu(self) -> float:
        """CPU time of both."""
        return super().cpu() + self._server.cpu()

    def memory(self) -> int:
        """Resident memory of both."""
        return super().memory() + self._server.memory()


def _idle_round(loads: Sequence[Load], server: Server) -> Round:
    job_id = work.submit(server.address)
    _subscribe(loads, server, job_id, 20)
    before = server.memory()
    _subscribe(loads, server, job_id, _IDLE // len(loads))
    grown = server.memory() - before
    for load in loads:
        load.begin(leave)
        load.step()
    return {"memory, KB/subscriber": grown / _IDLE / 1024}


def _subscribe(loads: Sequence[Load], server: Server, job_id: str, count: int) -> None:
    for load in loads:
        load.begin(idle_events, server.url, job_id, count)
        load.go()
    for load in loads:
        load.result()


@contextmanager
def _application(server: Server) -> Iterator[Server]:
    with child(_serve, server.address) as (pid, pipe):
        yield _Application(server, pid, f"http://127.0.0.1:{pipe.recv()}")


def _serve(pipe: Connection, address: str) -> None:
    asyncio.run(_run(pipe, address))


async def _run(pipe: Connection, address: str) -> None:
    async with Client(address) as client:
        await serve_until_closed(pipe, milepost_app(client, authorize=lambda request, call: True))
