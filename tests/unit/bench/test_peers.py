"""The other products of the measurements: which are left out, and what their clients count."""

from __future__ import annotations

import asyncio
import re
from contextlib import AbstractContextManager
from pathlib import Path

import grpc.aio
import nats
import pytest
from click.testing import CliRunner
from google.protobuf.any_pb2 import Any

from bench import __main__ as command
from bench import processes, work
from bench.peer_clients import Etcd, Nats, Redis
from bench.peers import Product, left_out
from bench.processes import MeasurementFailed, Server
from milepost.v1 import LogWritten, Update


def product(program: Path | None) -> Product:
    """A product with this program, which is not started."""

    def start(program: Path, directory: Path) -> AbstractContextManager[Server]:
        raise AssertionError("nobody is to start it")

    return Product("Kafka", lambda: program, start, "apt-get install kafka")


def test_a_peer_that_is_not_installed_is_named() -> None:
    """A missing one is named with the command that installs it; an installed one is not."""
    assert left_out([product(None), product(Path("kafka"))]) == [
        "Kafka is not installed, so it is left out; to install it: apt-get install kafka"
    ]


async def test_publishes_to_nats_are_acknowledged(tmp_path: Path) -> None:
    """When ``send`` returns, each event is a message of the stream."""
    with processes.nats(tmp_path / "nats") as server:
        async with Nats.connect(server.address, 7, 10, 2) as client:
            await client.send(client.encode(work.progress(1 + number * 10, 10)) for number in range(5))
            connection = await nats.connect(server.address)
            stream = await connection.jetstream().stream_info("job-7")
            await connection.close()

    assert stream.state.messages == 50


async def test_an_event_that_redis_refuses_fails_the_measurement() -> None:
    """The failure has the server's message; the event is neither counted nor awaited."""

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"job-0\r\n")
        writer.write(b":0\r\n")
        await reader.readuntil(b"XADD")
        writer.write(b"$15\r\n1764129407000-0\r\n-OOM command not allowed\r\n")
        await reader.read()
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with Redis.connect(f"127.0.0.1:{port}", 0, 2, 1) as client:
            with pytest.raises(MeasurementFailed, match="-OOM command not allowed"):
                await client.send([client.encode(work.progress(1, 2))])


async def test_a_put_of_etcd_has_a_key_and_a_value() -> None:
    """``PutRequest`` has its key in field 1 and its value in field 2, as ``Any`` has its URL and its value."""
    update = Update(log_written=LogWritten(stage_id="hash", text="line " * 100))
    async with grpc.aio.insecure_channel("127.0.0.1:1") as channel:
        put = Any.FromString(Etcd(channel, 3, 1, 1).encode([update]))

    assert put == Any(type_url="job-3/1", value=update.SerializeToString())


@pytest.mark.nightly
def test_peers(tmp_path: Path) -> None:
    """A round of each installed product; NATS always is."""
    arguments = ["peers", "--rounds", "1", "--directory", str(tmp_path)]
    outcome = CliRunner().invoke(command.main, arguments, catch_exceptions=False)

    assert outcome.exit_code == 0, outcome.output
    assert "NATS, asynchronous" in outcome.output
    assert re.search(r"^peers took \d+ s$", outcome.output, re.MULTILINE)
