"""Stalled: the effect of subscribers that never read on others, and on the server's memory."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable
from functools import partial

from bench import live, work
from bench.bare import Script, bare
from bench.figures import OURS, Figure, Round, Settings, rounds
from bench.processes import Load, Server, milepost
from milepost.v1 import LogWritten, Update, WatchJobRequest

__all__ = ["measure"]

_STALLED = 200
_STREAMS = 10
"""Stalled streams per connection."""

_READING = live.Size(subscribers=50, events=100, gap=0.02)

_EVENTS = 100_000
"""Events in the log of the stalled streams: far more than they and their connections buffer."""

_LARGE_EVENTS = 1500
"""Log lines of 20 KB in another job's log, 30 in each report: a report is larger than a batch of a stream."""

# Seconds until the buffers of newly opened stalled streams are full.
_FILL_TIME = 2.0


def measure(settings: Settings) -> list[Figure]:
    """50 live subscribers beside 200 stalled ones and alone; then the memory per stalled stream."""
    what = f"stalled, {_STALLED} beside {_READING.subscribers} live"
    with milepost(settings.directory / "stalled") as server, Load.start() as stalled:
        with Load.start() as worker, Load.start() as subscribers:
            job_id = work.submit(server.address)
            worker.begin(work.write, server.address, job_id, _EVENTS)
            worker.step()
            run_round = partial(_run_round, worker, subscribers, stalled, server, job_id)
            figures = rounds(
                what, {OURS: partial(run_round, _STALLED), "none stalled": partial(run_round, 0)}, settings
            )
            large_id = work.submit(server.address)
            worker.begin(_write_large, server.address, large_id)
            worker.step()
        request = WatchJobRequest(job_id=job_id, no_follow=True).SerializeToString()
        stalled.begin(work.record, server.address, request)
        script = Script(opening=stalled.step())
    with Load.start() as stalled:

        def run_ours(job_id: str) -> Round:
            with milepost(settings.directory / "stalled") as server:
                return _memory(stalled, server, job_id)

        def run_bare() -> Round:
            with bare(script) as server:
                return _memory(stalled, server, job_id)

        contestants: dict[str, Callable[[], Round]] = {
            OURS: partial(run_ours, job_id),
            "bare": run_bare,
            "events of 20 KB": partial(run_ours, large_id),
        }
        return [*figures, *rounds(what, contestants, settings, warm=False)]


def _run_round(
    worker: Load, subscribers: Load, stalled: Load, server: Server, job_id: str, count: int
) -> Round:
    _stall(stalled, server, job_id, count)
    name = work.submit(server.address)
    return live.run_round(worker, [subscribers], _READING, server, name)


def _memory(stalled: Load, server: Server, job_id: str) -> Round:
    _stall(stalled, server, job_id, _STREAMS)
    before = server.memory()
    _stall(stalled, server, job_id, _STALLED)
    grown = server.memory() - before
    _stall(stalled, server, job_id, 0)
    return {"server memory, KB/stalled stream": grown / (_STALLED - _STREAMS) / 1024}


def _stall(stalled: Load, server: Server, job_id: str, count: int) -> None:
    stalled.begin(_open, server.address, job_id, count)
    stalled.step()
    if count:
        time.sleep(_FILL_TIME)


# --- In the load process ------------------------------------------------------------------------------------


async def _write_large(address: str, job_id: str) -> AsyncGenerator[None]:
    updates = [Update(log_written=LogWritten(text="x" * 20_000))] * 30
    async with work.connections(address, 1) as (channel,):
        session = await work.Session.open(channel, job_id)
        for _ in range(0, _LARGE_EVENTS, len(updates)):
            await session.send(session.encode(updates))
            await session.acknowledged(session.reported)
    yield


async def _open(address: str, job_id: str, count: int) -> AsyncGenerator[None]:
    """Open ``count`` streams, and read only the first message of each."""
    request = WatchJobRequest(job_id=job_id).SerializeToString()
    async with work.connections(address, count // _STREAMS) as channels:
        streams = [work.watch(channel, request) for channel in channels for _ in range(_STREAMS)]
        for stream in streams:
            await anext(stream)
        yield
