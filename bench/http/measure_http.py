"""Measure server-sent events: replay, live and idle, beside gRPC and beside the WebSocket manager."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

from bench import live, replay, work
from bench.figures import OURS, Figure, Round, Settings, rounds
from bench.http.event_subscribers import (
    follow_events,
    follow_socket,
    idle_events,
    idle_socket,
    leave,
    replay_events,
    replay_socket,
    report_to_socket,
)
from bench.http.socket_manager import socket_manager
from bench.processes import Load, MeasurementFailed, Server, milepost
from milepost.v1 import WatchJobRequest

__all__ = ["measure_idle", "measure_live", "measure_replay"]

GRPC: Final = "gRPC"
SOCKETS: Final = "WebSocket manager"
COMMITTING: Final = "WebSocket manager + commit"

_HTTP: Final = ("--http", "127.0.0.1:0")

_EVENTS: Final = 20_000
"""Events of the replayed log."""

_LIVE: Final = (live.Size(100, 250, 0.025), live.Size(1000, 60, 0.12))

_LIVE_SECONDS: Final = 45.0
"""Time limit of a size, if that of ``--seconds`` is shorter: a round of all contestants takes half a minute, and one
round says little."""

_WARM_UP: Final = 20
"""Events of the round that warms a contestant up, and does not count."""

_IDLE: Final = 2000


# --- Replay -------------------------------------------------------------------------------------------------


def measure_replay(settings: Settings) -> list[Figure]:
    """Replay to 1 and 20 subscribers, and the first one after a restart."""
    figures = []
    data = settings.directory / "http-replay"
    with Load.start() as load, socket_manager() as manager:
        with milepost(data, *_HTTP) as server:
            log = replay.Log("", _EVENTS, batch=50, window=20, cases=())
            request, messages = replay.write(load, server, log)
            job_id = WatchJobRequest.FromString(request).job_id
            load.begin(report_to_socket, manager.url, job_id, 0, 0.0, recorded(server, job_id))
            load.step()
            for subscribers, times in ((1, 5), (20, 1)):
                case = replay.Case(subscribers, times, restart=False)
                figures += rounds(
                    f"replay over HTTP, {_EVENTS:,} events, {subscribers} subscriber{'s' * (subscribers > 1)}",
                    {
                        OURS: partial(_replay_round, load, replay_events, server, job_id, case),
                        SOCKETS: partial(_replay_round, load, replay_socket, manager, job_id, case),
                        GRPC: partial(replay.run_round, load, request, case, _EVENTS, messages, server),
                    },
                    settings,
                )
        first = replay.Case(1, 1, restart=True)

        def after_restart() -> Round:
            with milepost(data, *_HTTP) as server:
                return _replay_round(load, replay_events, server, job_id, first)

        figures += rounds(
            f"replay over HTTP, {_EVENTS:,} events, the first one after a restart",
            {
                OURS: after_restart,
                SOCKETS: partial(_replay_round, load, replay_socket, manager, job_id, first),
            },
            settings,
        )
    return figures


def _replay_round(
    load: Load,
    subscribers: Callable[[str, str, int, int], AsyncGenerator[Any]],
    server: Server,
    job_id: str,
    case: replay.Case,
) -> Round:
    load.begin(subscribers, server.url, job_id, case.subscribers, case.times)
    load.step()
    before = server.cpu()
    seconds, counts = load.step()
    used = server.cpu() - before
    if set(counts) != {_EVENTS}:
        raise MeasurementFailed(f"subscribers were sent {sorted(set(counts))} events instead of {_EVENTS}")
    sent = _EVENTS * case.subscribers * case.times
    return {"events/s": sent / seconds, "server CPU, µs/event": used / sent * 1e6}


def recorded(server: Server, job_id: str) -> list[Any]:
    """All events of a job as JSON has them."""
    request = urllib.request.Request(
        f"{server.url}/v1/jobs/{job_id}:watch?no_follow=true", headers={"accept": "application/x-ndjson"}
    )
    with urllib.request.urlopen(request, timeout=60) as response:
        items = [json.loads(line) for line in response]
    return [item["data"] for item in items if "jobId" in item["data"] and "sequence" in item["data"]]


# --- Live ---------------------------------------------------------------------------------------------------


def measure_live(settings: Settings) -> list[Figure]:
    """Publish to receipt, and the server's CPU time per message, with 100 and 1,000 subscribers."""
    settings = replace(settings, seconds=max(settings.seconds, _LIVE_SECONDS))
    figures = []
    with ExitStack() as stack:
        servers = {
            checkout.name: stack.enter_context(
                milepost(settings.directory / f"http-live-{number}", *_HTTP, checkout=checkout)
            )
            for number, checkout in enumerate(settings.checkouts)
        }
        server = servers[OURS]
        manager = stack.enter_context(socket_manager())
        committing = stack.enter_context(socket_manager(settings.directory / "http-live.db"))
        worker, first, second = (stack.enter_context(Load.start()) for _ in range(3))
        for size in _LIVE:
            what = f"live over HTTP, {size.subscribers:,} subscribers"
            if not settings.includes(what):
                continue
            warm_up = size._replace(events=_WARM_UP)
            live_rounds = _Live(
                worker,
                [first, second],
                server,
                {each: _recorded_report(worker, server, each) for each in (warm_up, size)},
            )
            contestants: dict[str, Callable[[live.Size], Round]] = {
                **{name: partial(live_rounds.at_events, each) for name, each in servers.items()},
                SOCKETS: partial(live_rounds.at_manager, manager),
                GRPC: live_rounds.at_grpc,
            }
            if size == _LIVE[0]:
                contestants[COMMITTING] = partial(live_rounds.at_manager, committing)
            for run_round in contestants.values():
                run_round(warm_up)
            figures += rounds(
                what,
                {name: partial(run_round, size) for name, run_round in contestants.items()},
                settings,
                warm=False,
            )
    return figures


class _Live(NamedTuple):
    """How live rounds are run. ``reports`` are what the worker sends to a manager, by the size of a round."""

    worker: Load
    loads: Sequence[Load]
    server: Server
    reports: Mapping[live.Size, live.Report]

    def at_events(self, server: Server, size: live.Size) -> Round:
        """Server-sent events."""
        return self._run(size, server, work.submit(server.address), follow=follow_events)

    def at_grpc(self, size: live.Size) -> Round:
        """Streams of gRPC."""
        return self._run(size, self.server, work.submit(self.server.address))

    def at_manager(self, manager: Server, size: live.Size) -> Round:
        """WebSockets."""
        return self._run(size, manager, follow=follow_socket, report=self.reports[size])

    def _run(self, size: live.Size, server: Server, job_id: str | None = None, **what: Any) -> Round:
        return live.run_round(self.worker, self.loads, size, server, job_id, **what)


def _recorded_report(worker: Load, server: Server, size: live.Size) -> live.Report:
    """What a worker sends to a manager in a round: the events of such a round, but for the submission."""
    job_id = work.submit(server.address)
    worker.begin(live.publish, server.address, job_id, size.events, 0.0)
    worker.step()
    return partial(report_to_socket, events=recorded(server, job_id)[1:])


# --- Idle ---------------------------------------------------------------------------------------------------


class _Idle(NamedTuple):
    """How idle subscribers are made."""

    loads: Sequence[Load]
    directory: Path

    def at_milepost(self) -> Round:
        """Watches that have caught up."""
        with milepost(self.directory / "http-idle", *_HTTP) as server:
            return self._grown(server, idle_events, work.submit(server.address))

    def at_manager(self) -> Round:
        """WebSockets without events."""
        with socket_manager() as server:
            return self._grown(server, idle_socket, "any")

    def _grown(
        self, server: Server, subscribe: Callable[[str, str, int], AsyncGenerator[None]], job_id: str
    ) -> Round:
        # The first subscribers allocate what all share; they do not count.
        self._subscribe_all(subscribe, server.url, job_id, 20)
        before = server.memory()
        self._subscribe_all(subscribe, server.url, job_id, _IDLE // len(self.loads))
        grown = server.memory() - before
        for load in self.loads:
            load.begin(leave)
            load.step()
        return {"server memory, KB/subscriber": grown / _IDLE / 1024}

    def _subscribe_all(self, subscribe: Any, url: str, job_id: str, count: int) -> None:
        for load in self.loads:
            load.begin(subscribe, url, job_id, count)
            load.go()
        for load in self.loads:
            load.result()


def measure_idle(settings: Settings) -> list[Figure]:
    """Memory of an idle subscriber."""
    with ExitStack() as stack:
        loads = [stack.enter_context(Load.start()) for _ in range(2)]
        idle = _Idle(loads, settings.directory)
        contestants = {OURS: idle.at_milepost, SOCKETS: idle.at_manager}
        return rounds(f"idle over HTTP, {_IDLE:,} subscribers", contestants, settings, warm=False)
