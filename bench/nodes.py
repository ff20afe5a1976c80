"""Many nodes: durable reports, latency from node to node, replays, and the catch-up of an empty node."""

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
# Reports in a round, of all jobs together: in batches, and of single events.
_REPORTS = 1600
_SINGLE_REPORTS = 16_000

_LIVE = Size(1, 250, 0.005)

# Events in the stream that an empty node reads.
_EVENTS, _EVENTS_FULL = 200_000, 1_000_000

# Time limit in seconds of writing them.
_WRITE_TIMEOUT = 600.0

_LOG = Log("replay, 100,000 events", events=100_000, batch=BATCH, window=20, cases=())
_REPLAY = Case(20, 2, restart=False)


def measure(settings: Settings) -> list[Figure]:
    """Measure three nodes on one NATS server, which syncs before each acknowledgement."""
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
    reports = _REPORTS if batch > 1 else _SINGLE_REPORTS

    def run_round() -> Round:
        addresses = [nodes[number % len(nodes)].address for number in range(_JOBS)]
        jobs = [(address, work.submit(address)) for address in addresses]
        load.begin(report, jobs, reports // _JOBS, batch)
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
        {OURS: run_round, "bare publishes": publish},
        settings,
    )


def _cost(nodes: Sequence[Server], store: Server, load: Load, settings: Settings) -> list[Figure]:
    """CPU per event, with all jobs at one node: at that node, at a following node, and at NATS."""
    parts = {"reporting": nodes[0], "following": nodes[1], "NATS": store}

    def run_round() -> Round:
        jobs = [(nodes[0].address, work.submit(nodes[0].address)) for _ in range(_JOBS)]
        load.begin(report, jobs, _REPORTS // _JOBS)
        load.step()
        before = {name: part.cpu() for name, part in parts.items()}
        load.step()
        load.step()
        for _, job_id in jobs:
            _await_end(nodes[1].address, job_id)
        events = _REPORTS * BATCH
        return {
            f"{name}, CPU, µs/event": (part.cpu() - before[name]) / events * 1e6
            for name, part in parts.items()
        }

    return rounds("what an event costs", {OURS: run_round}, settings)


def _await_end(address: str, job_id: str) -> None:
    """Wait until a node has the end of the job."""
    with grpc.insecure_channel(address) as channel:
        for _ in JobServiceStub(channel).WatchJob(WatchJobRequest(job_id=job_id, from_latest=True)):
            pass


def _live(nodes: Sequence[Server], url: str, first: Load, second: Load, settings: Settings) -> list[Figure]:
    reporter, watched = nodes[:2]

    def across() -> Round:
        job_id = work.submit(reporter.address)
        _await_job(watched.address, job_id)
        return _latency(live.run_round(first, [second], _LIVE, watched, job_id, reports_to=reporter))

    def round_trip() -> Round:
        first.begin(_ping, url, _LIVE.events)
        return _latency(first.step())

    with milepost(settings.directory / "alone") as alone:
        return rounds(
            "live, from node to node",
            {
                OURS: across,
                "one node": lambda: _latency(
                    live.run_round(first, [second], _LIVE, alone, work.submit(alone.address))
                ),
                "NATS round trip": round_trip,
            },
            settings,
        )


def _replay(node: Server, load: Load, settings: Settings) -> list[Figure]:
    with milepost(settings.directory / "alone-replay") as alone:
        contestants = {
            name: partial(replay.run_round, load, request, _REPLAY, _LOG.events, messages, server)
            for name, server in ((OURS, node), ("one node", alone))
            for request, messages in (replay.write(load, server, _LOG),)
        }
        return rounds(f"{_LOG.name}, {_REPLAY.subscribers} subscribers of a node", contestants, settings)


def _latency(measured: Round) -> Round:
    return {name: value for name, value in measured.items() if name.endswith("ms")}


def _await_job(address: str, job_id: str) -> None:
    """Wait until a node has the job that was submitted to another."""
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
    options = (*options, "--nats-stream", "catch-up")  # a stream without other jobs
    with milepost(settings.directory / "filling", *options) as node:
        jobs = [(node.address, work.submit(node.address)) for _ in range(_JOBS)]
        load.begin(report, jobs, events // BATCH // _JOBS)
        for _ in range(3):
            load.step(_WRITE_TIMEOUT)
    numbers = iter(range(1000))

    def run_round() -> Round:
        started = time.perf_counter()
        with milepost(settings.directory / f"new-{next(numbers)}", *options):
            return {"events/s": events / (time.perf_counter() - started)}

    return rounds(f"an empty node catches up on {events:,} events", {OURS: run_round}, settings, warm=False)


# --- In the load processes ----------------------------------------------------------------------------------


async def _publish(url: str, reports: int, batch: int) -> AsyncGenerator[float | None]:
    """Publish as many bytes as the reports have, with the same guard as Milepost, in order for each job."""
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
    started = time.perf_counter()
    await asyncio.gather(*(publish(f"{name}.{job}") for job in range(_JOBS)))
    seconds = time.perf_counter() - started
    await stream.delete_stream(name)
    await client.close()
    yield seconds


async def _ping(url: str, times: int) -> AsyncGenerator[Round]:
    client = await nats.connect(url)
    latencies = []
    for _ in range(times):
        started = time.perf_counter_ns()
        await client.flush()
        latencies.append(time.perf_counter_ns() - started)
    await client.close()
    latencies.sort()
    yield {"p50, ms": percentile(latencies, 0.5) / 1e6, "p99, ms": percentile(latencies, 0.99) / 1e6}
