"""Many nodes: reports through them, an event's way from one to another, replays, and a node that catches up."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncGenerator, Sequence
from contextlib import ExitStack
from functools import partial

import grpc
import nats

from bench import live, processes, replay, work
from bench.figures import OURS, Figure, Round, Settings, percentile, rounds
from bench.live import Size
from bench.processes import Load, Server, milepost
from bench.replay import Case, Log
from bench.reports import BATCH, report
from milepost.v1 import GetJobRequest, WatchJobRequest
from milepost.v1.job_service_pb2_grpc import JobServiceStub

__all__ = ["measure"]

_JOBS = 16
# In a round, by all jobs together.
_REPORTS = 1600
_REPORTS_OF_ONE = 16_000

_LIVE = Size(1, 250, 0.005)

# What a node that starts empty finds in the stream.
_EVENTS, _EVENTS_FULL = 200_000, 1_000_000

# Seconds that it may take to write them.
_PATIENCE = 600.0

_LOG = Log("replay, 100,000 events", events=100_000, batch=BATCH, window=20, cases=())
_REPLAY = Case(20, 2, restart=False)


def measure(settings: Settings) -> list[Figure]:
    """All of it, over one NATS server that has everything on disk before it acknowledges."""
    with ExitStack() as stack, Load.start() as first, Load.start() as second:
        store = stack.enter_context(processes.nats(settings.directory / "nats"))
        url = store.address
        options = ("--store", url, "--nats-sync-always")
        nodes = [
            stack.enter_context(milepost(settings.directory / f"node-{number}", *options))
            for number in range(3)
        ]
        figures = []
        for count in (1, 2, 3):
            for batch in (1, BATCH):
                figures += _reports(nodes[:count], url, batch, first, settings)
        figures += _cost(nodes, store, first, settings)
        figures += _live(nodes, url, first, second, settings)
        figures += _replay(nodes[0], first, settings)
        figures += _catch_up(options, first, settings)
    return figures


def _reports(nodes: Sequence[Server], url: str, batch: int, load: Load, settings: Settings) -> list[Figure]:
    reports = _REPORTS if batch > 1 else _REPORTS_OF_ONE

    def play() -> Round:
        addresses = [nodes[number % len(nodes)].address for number in range(_JOBS)]
        told = [(address, work.submit(address)) for address in addresses]
        load.begin(report, told, reports // _JOBS, batch)
        load.step()
        seconds = load.step()
        load.step()
        return {"reports/s": reports / seconds, "events/s": reports * batch / seconds}

    def publish() -> Round:
        load.begin(_publish, url, reports // _JOBS, batch)
        load.step()
        seconds = load.step()
        return {"reports/s": reports / seconds, "events/s": reports * batch / seconds}

    return rounds(
        f"durable reports of {batch}, {_JOBS} jobs, {len(nodes)} node{'s' * (len(nodes) > 1)}",
        {OURS: play, "bare publishes": publish},
        settings,
    )


def _cost(nodes: Sequence[Server], store: Server, load: Load, settings: Settings) -> list[Figure]:
    """All jobs at one node, so that it can be told what an event costs there and what elsewhere."""
    parts = {"reporting": nodes[0], "following": nodes[1], "NATS": store}

    def play() -> Round:
        told = [(nodes[0].address, work.submit(nodes[0].address)) for _ in range(_JOBS)]
        load.begin(report, told, _REPORTS // _JOBS)
        load.step()
        before = {name: part.cpu() for name, part in parts.items()}
        load.step()
        load.step()
        for _, job_id in told:
            _await_end(nodes[1].address, job_id)
        events = _REPORTS * BATCH
        return {
            f"{name}, CPU, µs/event": (part.cpu() - before[name]) / events * 1e6
            for name, part in parts.items()
        }

    return rounds("what an event costs", {OURS: play}, settings)


def _await_end(address: str, job_id: str) -> None:
    """Until a node knows that the job has ended."""
    with grpc.insecure_channel(address) as channel:
        for _ in JobServiceStub(channel).WatchJob(WatchJobRequest(job_id=job_id, from_latest=True)):
            pass


def _live(nodes: Sequence[Server], url: str, first: Load, second: Load, settings: Settings) -> list[Figure]:
    reporter, watched = nodes[:2]

    def across() -> Round:
        job_id = work.submit(reporter.address)
        _await_job(watched.address, job_id)
        return _latency(live.play(first, [second], _LIVE, watched, job_id, reports_to=reporter))

    def round_trip() -> Round:
        first.begin(_ping, url, _LIVE.events)
        return _latency(first.step())

    with milepost(settings.directory / "alone") as alone:
        return rounds(
            "live, from node to node",
            {
                OURS: across,
                "one node": lambda: _latency(
                    live.play(first, [second], _LIVE, alone, work.submit(alone.address))
                ),
                "NATS round trip": round_trip,
            },
            settings,
        )


def _replay(node: Server, load: Load, settings: Settings) -> list[Figure]:
    with milepost(settings.directory / "alone-replay") as alone:
        plays = {
            name: partial(replay.play, load, request, _REPLAY, _LOG.events, messages, server)
            for name, server in ((OURS, node), ("one node", alone))
            for request, messages in (replay.write(load, server, _LOG),)
        }
        return rounds(f"{_LOG.name}, {_REPLAY.subscribers} subscribers of a node", plays, settings)


def _latency(told: Round) -> Round:
    return {name: value for name, value in told.items() if name.endswith("ms")}


def _await_job(address: str, job_id: str) -> None:
    """Until a node has the job that was submitted to another."""
    with grpc.insecure_channel(address) as channel:
        stub = JobServiceStub(channel)
        until = time.monotonic() + 10
        while True:
            try:
                stub.GetJob(GetJobRequest(job_id=job_id))
            except grpc.RpcError as error:
                if error.code() is not grpc.StatusCode.NOT_FOUND or time.monotonic() > until:
                    raise
            else:
                return


def _catch_up(options: Sequence[str], load: Load, settings: Settings) -> list[Figure]:
    events = _EVENTS_FULL if settings.full else _EVENTS
    options = (*options, "--nats-stream", "catch-up")  # in which there is nothing else
    with milepost(settings.directory / "filling", *options) as node:
        told = [(node.address, work.submit(node.address)) for _ in range(_JOBS)]
        load.begin(report, told, events // BATCH // _JOBS)
        for _ in range(3):
            load.step(_PATIENCE)
    numbers = iter(range(1000))

    def play() -> Round:
        begun = time.perf_counter()
        with milepost(settings.directory / f"new-{next(numbers)}", *options):
            return {"events/s": events / (time.perf_counter() - begun)}

    return rounds(f"an empty node catches up on {events:,} events", {OURS: play}, settings, warm=False)


# --- In the processes that make the load --------------------------------------------------------------------


async def _publish(url: str, reports: int, batch: int) -> AsyncGenerator[float | None]:
    """As many bytes as the reports have, guarded as Milepost's are, one after the other for each job."""
    client = await nats.connect(url)
    stream = client.jetstream()
    name = f"bare-{uuid.uuid4()}"
    await stream.add_stream(name=name, subjects=[f"{name}.*"])
    payload = b"".join(update.SerializeToString() for update in work.progress(1, batch))

    async def publish(subject: str) -> None:
        last = 0
        for _ in range(reports):
            headers = {"Nats-Expected-Last-Subject-Sequence": str(last)}
            last = (await stream.publish(subject, payload, headers=headers)).seq

    yield None
    begun = time.perf_counter()
    await asyncio.gather(*(publish(f"{name}.{job}") for job in range(_JOBS)))
    seconds = time.perf_counter() - begun
    await stream.delete_stream(name)
    await client.close()
    yield seconds


async def _ping(url: str, times: int) -> AsyncGenerator[Round]:
    client = await nats.connect(url)
    taken = []
    for _ in range(times):
        begun = time.perf_counter_ns()
        await client.flush()
        taken.append(time.perf_counter_ns() - begun)
    await client.close()
    taken.sort()
    yield {"p50, ms": percentile(taken, 0.5) / 1e6, "p99, ms": percentile(taken, 0.99) / 1e6}
