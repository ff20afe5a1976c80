"""``milepost serve``: its start, its output, and what it refuses to start with."""

from __future__ import annotations

import signal
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import grpc.aio
import psutil
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2

from milepost.server.cli.serve import serve
from milepost.v1 import GetJobRequest
from tests.support.command import milepost, started
from tests.support.refused import refused
from tests.support.rpc import connect
from tests.support.server import ServerProcess

SERVICES = ("milepost.v1.AdminService", "milepost.v1.JobService", "milepost.v1.WorkerService")


# --- How it starts ----------------------------------------------------------------------------------------------


async def test_one_line_says_that_it_is_ready(tmp_path: Path) -> None:
    """The ready line on stdout is JSON with the bound address and the epoch; nothing else follows."""
    async with started("serve", "--address", "127.0.0.1:0", "--data", tmp_path / "new" / "data") as server:
        await server.says("epoch")
        await server.says('"event": "serving"')
        server.signal(signal.SIGTERM)
        outcome = await server.end()

    (ready,) = outcome.objects
    host, _, port = ready["address"].rpartition(":")
    assert set(ready) == {"address", "epoch"}
    assert (outcome.status, host, len(ready["epoch"])) == (0, "127.0.0.1", 32)
    assert int(port) > 0
    assert (tmp_path / "new" / "data" / "milepost.db").exists()


async def test_options_are_read_from_the_environment(tmp_path: Path) -> None:
    """Options from the environment, as in containers."""
    settings = {"MILEPOST_DATA": str(tmp_path / "data")}
    async with started("serve", address="localhost:0", env=settings) as server:
        await server.says("epoch")
        server.signal(signal.SIGINT)
        outcome = await server.end()

    assert (outcome.status, outcome.objects[0]["address"].rpartition(":")[0]) == (0, "localhost")
    assert (tmp_path / "data" / "milepost.db").exists()


def test_it_listens_on_loopback_unless_told_otherwise(shared_server: ServerProcess) -> None:
    """The default is loopback; the server listens on nothing but the given address."""
    (address,) = [option for option in serve.params if option.name == "address"]
    assert address.default == "127.0.0.1:7070"

    listening = {
        connection.laddr
        for connection in psutil.Process(shared_server.pid).net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    }
    assert {shared_server.address} == {f"{ip.removeprefix('::ffff:')}:{port}" for ip, port in listening}


@pytest.mark.parametrize("service", ["", *SERVICES])
async def test_health(shared_server: ServerProcess, service: str) -> None:
    """The whole server and each service are SERVING."""
    async with grpc.aio.insecure_channel(shared_server.address) as channel:
        health: Any = health_pb2_grpc.HealthStub(channel)
        answer = await health.Check(health_pb2.HealthCheckRequest(service=service))

    assert answer.status == health_pb2.HealthCheckResponse.SERVING


async def test_health_of_another_service(shared_server: ServerProcess) -> None:
    """An unknown service is NOT_FOUND."""
    async with grpc.aio.insecure_channel(shared_server.address) as channel:
        health: Any = health_pb2_grpc.HealthStub(channel)
        refusal = await refused(health.Check(health_pb2.HealthCheckRequest(service="milepost.v2.JobService")))

    assert refusal.code == "NOT_FOUND"


async def test_health_of_all_services(shared_server: ServerProcess) -> None:
    """`List` returns all services."""
    protocol: Any = health_pb2  # its types do not know of this message
    async with grpc.aio.insecure_channel(shared_server.address) as channel:
        listing: Any = channel.unary_unary(
            "/grpc.health.v1.Health/List",
            request_serializer=protocol.HealthListRequest.SerializeToString,
            response_deserializer=protocol.HealthListResponse.FromString,
        )
        answer = await listing(protocol.HealthListRequest())

    found = {name: each.status for name, each in answer.statuses.items()}
    assert dict.fromkeys(("", *SERVICES), health_pb2.HealthCheckResponse.SERVING) == found


async def test_reflection_lists_the_services(shared_server: ServerProcess) -> None:
    """Reflection works, so that grpcurl needs no files."""
    async with grpc.aio.insecure_channel(shared_server.address) as channel:
        reflection: Any = channel.stream_stream(
            "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
            request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
            response_deserializer=reflection_pb2.ServerReflectionResponse.FromString,
        )
        call = reflection()
        await call.write(reflection_pb2.ServerReflectionRequest(list_services=""))
        answer = await call.read()
        await call.done_writing()

    listed = {service.name for service in answer.list_services_response.service}
    assert listed == {*SERVICES, "grpc.health.v1.Health", "grpc.reflection.v1alpha.ServerReflection"}


async def test_the_store_is_kept(server: ServerProcess) -> None:
    """Stopped and started again, it has the same epoch and the same jobs."""
    epoch = server.epoch
    async with connect(server.address) as rpc:
        job = await rpc.submit()
    assert server.stop() == 0
    server.restart()

    assert epoch == server.epoch
    async with connect(server.address) as rpc:
        assert job == (await rpc.jobs.GetJob(GetJobRequest(job_id=job.job_id))).job


# --- Refused starts ---------------------------------------------------------------------------------------------


async def test_a_data_directory_has_one_server(shared_server: ServerProcess) -> None:
    """A second server exits with an error that names the first, which is not affected."""
    outcome = await milepost("serve", "--address", "127.0.0.1:0", "--data", shared_server.data)

    assert (outcome.status, outcome.out) == (2, "")
    assert f"in use by another milepost serve (process {shared_server.pid})" in outcome.err
    async with connect(shared_server.address) as rpc:
        assert (await refused(rpc.get("missing"))).code == "NOT_FOUND"


async def test_a_port_in_use(shared_server: ServerProcess, tmp_path: Path) -> None:
    """The server prints one line of error, and does not share the port."""
    outcome = await milepost("serve", "--address", shared_server.address, "--data", tmp_path)

    expected = (
        f"Error: Cannot listen on '{shared_server.address}': the address is in use. "
        "Name another one with --address; port 0 takes a free one.\n"
    )
    assert (outcome.status, outcome.out, outcome.err) == (2, "", expected)


async def test_an_invalid_address_is_a_usage_error(tmp_path: Path) -> None:
    """An invalid address is a usage error."""
    outcome = await milepost("serve", "--address", "127.0.0.1:99999", "--data", tmp_path)

    assert (outcome.status, outcome.out) == (2, "")
    assert "'127.0.0.1:99999' is not host:port" in outcome.err


async def test_a_newer_database_is_refused(tmp_path: Path) -> None:
    """The database stays unchanged, for a newer server."""
    with ServerProcess(tmp_path / "data") as server:
        server.stop()
    database = tmp_path / "data" / "milepost.db"
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA user_version = 1000")
    before = database.read_bytes()

    outcome = await milepost("serve", "--address", "127.0.0.1:0", "--data", tmp_path / "data")

    assert (outcome.status, outcome.out) == (2, "")
    assert "schema version 1000" in outcome.err
    assert before == database.read_bytes()


async def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    """The file stays unchanged."""
    database = tmp_path / "milepost.db"
    database.write_bytes(b"anything else" * 1000)

    outcome = await milepost("serve", "--address", "127.0.0.1:0", "--data", tmp_path)

    assert (outcome.status, outcome.out) == (2, "")
    assert "cannot be opened" in outcome.err
    assert database.read_bytes() == b"anything else" * 1000


async def test_a_directory_that_cannot_be_made(tmp_path: Path) -> None:
    """A file exists at the path."""
    (tmp_path / "file").touch()

    outcome = await milepost("serve", "--address", "127.0.0.1:0", "--data", tmp_path / "file" / "data")

    assert (outcome.status, outcome.out) == (2, "")
    assert "Traceback" not in outcome.err
    assert str(tmp_path / "file" / "data") in outcome.err


@pytest.mark.parametrize(
    ("expected", "address"),
    [
        ("the address is not this machine's", "203.0.113.1:0"),
        ("the host cannot be resolved", "a..b:0"),
    ],
)
async def test_an_unavailable_address_is_one_line(expected: str, address: str, tmp_path: Path) -> None:
    """The error is one line and nothing else."""
    outcome = await milepost("serve", "--allow-anonymous", "--address", address, "--data", tmp_path)

    assert (outcome.status, outcome.out, len(outcome.err.splitlines())) == (2, "", 1)
    assert outcome.err.startswith(f"Error: Cannot listen on {address!r}: {expected}. ")
