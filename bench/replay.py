"""Replay: the rate at which subscribers receive a long stored log."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

import grpc.aio

from bench import work
from bench.bare import Script, bare
from bench.checkouts import Checkout
from bench.figures import Figure, Round, Settings, rounds
from bench.processes import Load, MeasurementFailed, Server, milepost
from milepost.v1 import WatchJobRequest

__all__ = ["Case", "Log", "measure", "run_round", "write"]


class Case(NamedTuple):
    """How a log is replayed."""

    subscribers: int
    times: int
    """Replays of each subscriber in a round: enough to be timed."""
    restart: bool
    """Whether the server restarts before each round, so that it has nothing of the log in memory."""


class Log(NamedTuple):
    """A log, and how it is written: ``batch`` events in a report, ``window`` reports in flight."""

    name: str
    events: int
    batch: int
    window: int
    cases: Sequence[Case]


_LOGS = (
    Log(
        "replay, 100,000 events",
        events=100_000,
        batch=50,
        window=20,
        cases=(Case(1, 20, restart=False), Case(20, 2, restart=False), Case(20, 1, restart=True)),
    ),
    Log(
        "replay, 20,000 events written one by one",
        events=20_000,
        batch=1,
        window=500,
        cases=(Case(20, 1, restart=True),),
    ),
)

# The other events of the log: the job's submission, its start, the start of its first stage, and its end.
_OTHER_EVENTS = 4


class _Store(NamedTuple):
    """A store with the log, that a checkout has written; its ``messages`` answer the ``request``."""

    checkout: Checkout
    data: Path
    request: bytes
    messages: Sequence[bytes]


def measure(settings: Settings) -> list[Figure]:
    """Events per second and server CPU per event, with 1 and with 20 subscribers."""
    figures = []
    with Load.start() as load:
        for number, log in enumerate(_LOGS):
            cases = {row: case for case in log.cases if settings.includes(row := _row(log, case))}
            if cases:
                figures += _measure(log, cases, settings.directory / f"replay-{number}", load, settings)
    return figures


def _row(log: Log, case: Case) -> str:
    subscribers = f"{case.subscribers} subscriber{'s' * (case.subscribers > 1)}"
    return f"{log.name}, {subscribers}" + ", after a restart" * case.restart


def _measure(
    log: Log, cases: Mapping[str, Case], directory: Path, load: Load, settings: Settings
) -> list[Figure]:
    directory.mkdir()
    stores = []
    for number, checkout in enumerate(settings.checkouts):
        data = directory / str(number)
        with milepost(data, checkout=checkout) as server:
            stores.append(_Store(checkout, data, *write(load, server, log)))
    own = stores[0]
    figures = []
    with bare(Script(opening=own.messages)) as plain:
        for row, case in cases.items():
            run_at_bare = partial(run_round, load, own.request, case, log.events, own.messages, plain)
            with ExitStack() as stack:
                contestants = {
                    store.checkout.name: stack.enter_context(_at_milepost(load, store, case, log.events))
                    for store in stores
                }
                figures += rounds(row, {**contestants, "bare": run_at_bare}, settings)
    return figures


def write(load: Load, server: Server, log: Log) -> tuple[bytes, list[bytes]]:
    """Write the log; return the request that replays it, and the messages that answer it."""
    job_id = work.submit(server.address)
    load.begin(_write, server.address, job_id, log)
    load.step()
    request = WatchJobRequest(job_id=job_id, no_follow=True).SerializeToString()
    load.begin(work.record, server.address, request)
    return request, load.step()


@contextmanager
def _at_milepost(load: Load, store: _Store, case: Case, events: int) -> Iterator[Callable[[], Round]]:
    """Yield a function that runs a round: all at one server, or each at a restarted one."""
    run_at = partial(run_round, load, store.request, case, events, store.messages)

    def run_after_restart() -> Round:
        with milepost(store.data, checkout=store.checkout) as server:
            return run_at(server)

    if case.restart:
        yield run_after_restart
    else:
        with milepost(store.data, checkout=store.checkout) as server:
            yield partial(run_at, server)


def _size(messages: Sequence[bytes]) -> int:
    """The bytes of all messages but the first, whose length varies with the time that it holds."""
    return sum(len(message) for message in messages[1:])


def run_round(
    load: Load, request: bytes, case: Case, events: int, messages: Sequence[bytes], server: Server
) -> Round:
    """Run a round of replays, each of which must have the size of these messages."""
    size = _size(messages)
    load.begin(_replay, server.address, request, case.subscribers, case.times)
    load.step()
    before = server.cpu()
    seconds, sizes = load.step()
    used = server.cpu() - before
    if set(sizes) != {size}:
        raise MeasurementFailed(f"subscribers were sent {sorted(set(sizes))} bytes instead of {size}")
    sent = events * case.subscribers * case.times
    return {"events/s": sent / seconds, "server CPU, µs/event": used / sent * 1e6}


# --- In the load process ------------------------------------------------------------------------------------


async def _write(address: str, job_id: str, log: Log) -> AsyncGenerator[None]:
    async with work.connections(address, 1) as (channel,):
        session = await work.Session.open(channel, job_id)
        await session.send(session.encode(work.START))
        remaining = log.events - _OTHER_EVENTS
        while remaining:
            count = min(remaining, log.batch)
            await session.send(session.encode(work.progress(remaining, count)))
            remaining -= count
            await session.acknowledged(session.reported - log.window * log.batch)
        await session.end()
    yield


async def _replay(
    address: str, request: bytes, subscribers: int, times: int
) -> AsyncGenerator[tuple[float, list[int]] | None]:
    """Connect; then replay without decoding. Yields after connecting, then the seconds and the bytes of each replay."""
    sizes: list[int] = []
    async with work.connections(address, subscribers) as channels:
        yield None
        started = time.perf_counter()
        for _ in range(times):
            sizes += await asyncio.gather(*(_receive(channel, request) for channel in channels))
        seconds = time.perf_counter() - started
    yield seconds, sizes


async def _receive(channel: grpc.aio.Channel, request: bytes) -> int:
    stream = work.watch(channel, request)
    await anext(stream)
    return sum([len(message) async for message in stream])
