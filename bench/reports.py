"""Reports: durable events per second, each synced, and server CPU per event."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence
from contextlib import AsyncExitStack, ExitStack
from functools import partial
from pathlib import Path
from typing import NamedTuple

from bench import work
from bench.bare import Script, bare
from bench.figures import OURS, Figure, Round, Settings, rounds
from bench.processes import Load, Server, milepost
from bench.sqlite_alone import Row, store
from milepost.v1 import WatchJobRequest

__all__ = ["BATCH", "measure", "report"]

BATCH = 50
"""Events in a report."""
# Reports in a round, of all workers together.
_REPORTS = 1600
# Limit of reports in flight per worker.
_WINDOW = 20


class _Reporting(NamedTuple):
    """Workers that report at the same time."""

    workers: int
    beforehand: bool
    """Whether they encode their reports before the round, and not while sending."""

    @property
    def what(self) -> str:
        encoding = "" if self.beforehand else ", encoded while sending"
        return f"durable reports, {self.workers} worker{'s' * (self.workers > 1)}{encoding}"


_LOADS = (_Reporting(1, True), _Reporting(8, True), _Reporting(8, False))

# How often SQLite alone writes all rows in a round: once is too short to be timed.
_REPEATS = 10

# Events before those of the reports: the job's submission, its start and the start of its first stage.
_EVENTS_BEFORE = 3


def measure(settings: Settings) -> list[Figure]:
    """Events per second and server CPU per event, from 1 and from 8 workers; also from 8 that encode while sending."""
    figures = []
    script = Script(replies=work.replies([1, *[BATCH] * _REPORTS, 1]))
    with ExitStack() as stack:
        servers = {
            checkout.name: stack.enter_context(
                milepost(settings.directory / f"reports-{number}", checkout=checkout)
            )
            for number, checkout in enumerate(settings.checkouts)
        }
        plain = stack.enter_context(bare(script))
        load, alone = (stack.enter_context(Load.start()) for _ in range(2))
        for reporting in _LOADS:
            if not settings.includes(reporting.what):
                continue
            run_round = partial(_run_round, load, reporting)
            server = servers[OURS]
            jobs = [work.submit(server.address) for _ in range(reporting.workers)]
            run_round(server, jobs)
            rows = _rows(load, server, jobs)

            figures += rounds(
                reporting.what,
                {
                    **{name: partial(run_round, each) for name, each in servers.items()},
                    "bare echo": partial(run_round, plain, jobs),
                    "SQLite alone": partial(
                        _run_sqlite, alone, settings.directory, rows, reporting.workers * _WINDOW
                    ),
                },
                settings,
            )
    return figures


def _run_round(load: Load, reporting: _Reporting, server: Server, jobs: Sequence[str] = ()) -> Round:
    names = jobs or [work.submit(server.address) for _ in range(reporting.workers)]
    addresses = [(server.address, name) for name in names]
    load.begin(report, addresses, _REPORTS // reporting.workers, BATCH, reporting.beforehand)
    load.step()
    before = server.cpu()
    seconds = load.step()
    used = server.cpu() - before
    load.step()
    return _quantities(seconds, used)


def _run_sqlite(load: Load, directory: Path, rows: Sequence[Row], group: int) -> Round:
    load.begin(store, directory / f"{uuid.uuid4()}.db", rows, group, _REPEATS)
    load.step()
    before = load.cpu()
    seconds = load.step()
    return _quantities(seconds / _REPEATS, (load.cpu() - before) / _REPEATS)


def _quantities(seconds: float, used: float) -> Round:
    events = _REPORTS * BATCH
    return {"events/s": events / seconds, "server CPU, µs/event": used / events * 1e6}


def _rows(load: Load, server: Server, jobs: Sequence[str]) -> list[Row]:
    """The rows that the reports of these jobs became: for each report its frames, and the job."""
    logs = []
    for job_id in jobs:
        request = WatchJobRequest(
            job_id=job_id, after_sequence=_EVENTS_BEFORE, max_batch_events=BATCH, no_follow=True
        )
        load.begin(work.record, server.address, request.SerializeToString())
        _, *reported, _, _ = load.step()
        job = work.get(server.address, job_id).SerializeToString()
        logs.append(
            [
                Row(job_id, _EVENTS_BEFORE + number * BATCH, frames, job)
                for number, frames in enumerate(reported, 1)
            ]
        )
    return [row for concurrent in zip(*logs, strict=True) for row in concurrent]


# --- In the load process ------------------------------------------------------------------------------------


async def report(
    jobs: Sequence[tuple[str, str]], reports: int, batch: int = BATCH, beforehand: bool = True
) -> AsyncGenerator[float | None]:
    """Connect a worker for each job, given as address and id; send its reports of ``batch`` events.

    The reports are encoded ``beforehand``, or while sending. Yields after the preparation, then the seconds until all
    reports are acknowledged, then after the jobs have ended.
    """
    async with AsyncExitStack() as stack:
        sessions = []
        for address, name in jobs:
            (channel,) = await stack.enter_async_context(work.connections(address, 1))
            sessions.append(await work.Session.open(channel, name))
        requests: list[Iterable[bytes]] = [await _prepare(session, reports, batch) for session in sessions]
        if beforehand:
            requests = [list(encoded) for encoded in requests]
        yield None
        started = time.perf_counter()
        await asyncio.gather(*(_send(*pair, batch) for pair in zip(sessions, requests, strict=True)))
        yield time.perf_counter() - started
        for session in sessions:
            await session.end()
    yield None


async def _prepare(session: work.Session, reports: int, batch: int) -> Iterator[bytes]:
    """Start the job's stage; return an iterator that encodes its reports one by one."""
    await session.send(session.encode(work.START))
    await session.acknowledged(1)
    return (session.encode(work.progress(1 + number * batch, batch)) for number in range(reports))


async def _send(session: work.Session, requests: Iterable[bytes], batch: int) -> None:
    for number, request in enumerate(requests, 1):
        await session.send(request)
        await session.acknowledged(1 + (number - _WINDOW) * batch)
    await session.acknowledged(session.reported)
