"""Acknowledge: latency from a report to its acknowledgement, for a worker with one report in flight."""

from __future__ import annotations

import time
import uuid
from collections.abc import AsyncGenerator, Sequence
from functools import partial

from bench import work
from bench.bare import Script, bare
from bench.figures import OURS, Figure, Round, Settings, percentile, rounds
from bench.processes import Load, Server, milepost

__all__ = ["measure"]

# Reports in a round, each sent after the acknowledgement of the one before.
_REPORTS = 500


def measure(settings: Settings) -> list[Figure]:
    """Report to acknowledgement, beside bare servers that echo only, echo after an fsync, and echo after a commit."""
    replies = work.replies([1] * (_REPORTS + 2))
    updates = _updates()
    plain = Script(replies=replies)
    fsyncing = Script(updates=updates, replies=replies, file=settings.directory / "acknowledge.log")
    committing = Script(updates=updates, replies=replies, database=settings.directory / "acknowledge.db")
    with (
        milepost(settings.directory / "acknowledge") as server,
        bare(plain) as echo,
        bare(fsyncing) as echo_and_fsync,
        bare(committing) as echo_and_commit,
        Load.start() as load,
    ):
        return rounds(
            "one report at a time",
            {
                OURS: lambda: _run_round(load, server, work.submit(server.address)),
                "bare echo + fsync": partial(_run_round, load, echo_and_fsync),
                "bare echo + SQLite": partial(_run_round, load, echo_and_commit),
                "bare echo": partial(_run_round, load, echo),
            },
            settings,
        )


def _updates() -> list[bytes]:
    """The bytes of a report, once for each request of a session after its claim."""
    report = work.progress(1, 1)[0].SerializeToString()
    return [report] * (_REPORTS + 3)


def _run_round(load: Load, server: Server, job_id: str | None = None) -> Round:
    load.begin(_report, server.address, job_id or str(uuid.uuid4()))
    waits: Sequence[int] = sorted(load.step())
    return {f"p{part}, ms": percentile(waits, part / 100) / 1e6 for part in (50, 99)}


# --- In the load process ------------------------------------------------------------------------------------


async def _report(address: str, job_id: str) -> AsyncGenerator[list[int]]:
    """Send one report at a time; yield the latencies in nanoseconds."""
    async with work.connections(address, 1) as (channel,):
        session = await work.Session.open(channel, job_id)
        await session.send(session.encode(work.START))
        await session.acknowledged(1)
        requests = [session.encode(work.progress(number, 1)) for number in range(1, _REPORTS + 1)]
        waits = []
        for number, request in enumerate(requests, 2):
            started = time.perf_counter_ns()
            await session.send(request)
            await session.acknowledged(number)
            waits.append(time.perf_counter_ns() - started)
        await session.end()
    yield waits
