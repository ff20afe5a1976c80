"""What subscribers and workers do, in the load processes: generators whose steps a ``Load`` runs."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from typing import Any, Final

from bench.http.http_clients import Publisher, Subscription, bodies, frames
from bench.http.http_clients import subscribe_to_events as to_events
from bench.http.http_clients import subscribe_to_socket as to_socket
from bench.live import EVENTS_BEFORE

__all__ = [
    "follow_events",
    "follow_socket",
    "idle_events",
    "idle_socket",
    "leave",
    "replay_events",
    "replay_socket",
    "report_to_socket",
]

_AT_A_TIME: Final = 100
"""Connections that a process opens at once."""

_SEQUENCE: Final = re.compile(rb'"jobId":"[^"]*","sequence":"(\d+)"')


async def replay_events(
    url: str, job_id: str, subscribers: int, times: int
) -> AsyncGenerator[tuple[float, list[int]] | None]:
    """Replay as server-sent events; yield, then the seconds and the events of each replay."""
    yield None
    started = time.perf_counter()
    done: list[Subscription] = []
    for _ in range(times):
        replays = await asyncio.gather(
            *(to_events(url, job_id, "no_follow=true") for _ in range(subscribers))
        )
        await asyncio.gather(*(each.closed for each in replays))
        done += replays
    seconds = time.perf_counter() - started
    yield seconds, [len(_sequences(bodies(each.arrivals))) for each in done]


async def replay_socket(
    url: str, job_id: str, subscribers: int, times: int
) -> AsyncGenerator[tuple[float, list[int]] | None]:
    """The same from the WebSocket manager, whose connections do not end by themselves."""
    yield None
    started = time.perf_counter()
    done: list[Subscription] = []
    for _ in range(times):
        replays = await asyncio.gather(*(to_socket(url, f"/jobs/{job_id}") for _ in range(subscribers)))
        await asyncio.gather(*(each.marked for each in replays))
        for each in replays:
            each.close()
        done += replays
    seconds = time.perf_counter() - started
    yield seconds, [len(_sequences(frames(each.arrivals))) for each in done]


async def follow_events(
    url: str, job_id: str, subscribers: int
) -> AsyncGenerator[list[list[tuple[int, int]]] | None]:
    """Follow a job as server-sent events; yields like ``bench.live``'s subscribers."""
    opened = await _open(lambda: to_events(url, job_id, "start=latest&status_interval=600s"), subscribers)
    await asyncio.gather(*(each.marked for each in opened))
    yield None
    await asyncio.gather(*(each.closed for each in opened))
    yield [_sequences(bodies(each.arrivals)) for each in opened]


async def follow_socket(
    url: str, job_id: str, subscribers: int
) -> AsyncGenerator[list[list[tuple[int, int]]] | None]:
    """The same at the WebSocket manager."""
    opened = await _open(lambda: to_socket(url, f"/jobs/{job_id}"), subscribers)
    await asyncio.sleep(0.5)  # it accepts a connection before it adds it to those that get events
    yield None
    await asyncio.gather(*(each.marked for each in opened))
    for each in opened:
        each.close()
    yield [_sequences(frames(each.arrivals)) for each in opened]


async def report_to_socket(
    url: str, job_id: str, events_count: int, gap: float, events: Sequence[Any]
) -> AsyncGenerator[list[int]]:
    """Report recorded events to the WebSocket manager, at a steady pace; yield the instants of the counted ones."""
    publisher = await Publisher.connect(url, job_id)
    messages = [Publisher.encode(event) for event in events]
    before = EVENTS_BEFORE - 1 if events_count else 0
    for message in messages[:before]:
        await publisher.send(message)
    await asyncio.sleep(0.1)
    published = []
    started = time.monotonic()
    for number, message in enumerate(messages[before:]):
        if gap:
            await asyncio.sleep(started + number * gap - time.monotonic())
        published.append(time.monotonic_ns())
        await publisher.send(message)
    yield published


async def idle_events(url: str, job_id: str, count: int) -> AsyncGenerator[None]:
    """Open watches; yield once all have caught up."""
    opened = await _open(lambda: to_events(url, job_id, "start=latest&status_interval=600s"), count)
    await asyncio.gather(*(each.marked for each in opened))
    yield
    for each in opened:
        each.close()


async def idle_socket(url: str, job_id: str, count: int) -> AsyncGenerator[None]:
    """Open WebSockets."""
    opened = await _open(lambda: to_socket(url, f"/jobs/{job_id}"), count)
    await asyncio.sleep(0.5)
    yield
    for each in opened:
        each.close()


async def leave() -> AsyncGenerator[None]:
    """End what this process ran before."""
    yield


async def _open(connect: Callable[[], Any], count: int) -> list[Subscription]:
    opened: list[Subscription] = []
    while len(opened) < count:
        opened += await asyncio.gather(*(connect() for _ in range(min(_AT_A_TIME, count - len(opened)))))
    return opened


def _sequences(messages: Iterator[tuple[int, bytes]]) -> list[tuple[int, int]]:
    """The sequence and arrival of each event."""
    return [
        (int(sequence), instant) for instant, message in messages for sequence in _SEQUENCE.findall(message)
    ]
