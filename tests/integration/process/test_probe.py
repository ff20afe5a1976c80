"""Health checks of containers: the probe, and a port of their own."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import grpc.aio
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.support.authority import Authority, ServerFiles, chain_of
from tests.support.command import milepost
from tests.support.forking import Forkery
from tests.support.refused import refused
from tests.support.replacing import replace
from tests.support.server import ServerProcess


async def probe(*arguments: str, **settings: str) -> tuple[int, str]:
    """Run the probe with these settings; its exit status, and what it says."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "milepost.server.probe",
        *arguments,
        env={name: value for name, value in os.environ.items() if not name.startswith("MILEPOST_")}
        | {f"MILEPOST_{name.upper()}": value for name, value in settings.items()},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode()


async def test_plain_text(shared_server: ServerProcess) -> None:
    """The probe asks for a service, or for all; what is not there, or not serving, is told on stderr."""
    port = shared_server.address.rpartition(":")[2]
    found = await asyncio.gather(
        probe(address=shared_server.address),
        probe("milepost.v1.JobService", address=f"0.0.0.0:{port}"),
        probe("milepost.v2.JobService", address=shared_server.address),
        probe(address="127.0.0.1:1"),
        probe(address="nowhere"),
    )
    assert [status for status, _ in found] == [0, 0, 1, 1, 1]
    assert found[0][1] == found[1][1] == ""
    assert found[2][1] == f"{shared_server.address}: milepost.v2.JobService is not serving\n"
    assert "refused" in found[3][1]
    assert all(said.count("\n") == 1 for _, said in found[2:])


async def test_tls(tmp_path: Path, forkery: Forkery) -> None:
    """With the server's own settings, whatever name the certificate is for and whoever issued it."""
    authority = Authority()
    files = ServerFiles(tmp_path, authority)
    files.renew(authority, "milepost.example.org")
    with ServerProcess(tmp_path / "data", *files.options, forkery=forkery) as server:
        settings = {"address": server.address, "tls_cert": str(files.certificate), "tls_key": str(files.key)}
        found = [await probe(**settings), await probe(address=server.address)]
        replace(files.key, b"a renewal that went wrong")
        found.append(await probe(**settings))
    assert [status for status, _ in found] == [0, 1, 0]


async def test_certificates_of_clients(tmp_path: Path, forkery: Forkery) -> None:
    """It shows the certificate that it is given, or else the server's own; without a right one it gets no answer."""
    authority, clients = Authority(), Authority()
    files = ServerFiles(tmp_path, authority, clients)
    shown = clients.issue("probe.example.org")
    replace(tmp_path / "own.pem", chain_of(shown))
    replace(tmp_path / "own-key.pem", shown.private_key_pem.bytes())
    options = (*files.options, "--allow-anonymous")
    with ServerProcess(tmp_path / "data", *options, forkery=forkery) as server:
        served = {
            "address": server.address,
            "tls_cert": str(files.certificate),
            "tls_key": str(files.key),
            "tls_client_ca": str(files.client_ca),
        }
        own = {
            "tls_client_cert": str(tmp_path / "own.pem"),
            "tls_client_key": str(tmp_path / "own-key.pem"),
        }
        found = [await probe(**served, **own), await probe(**served)]
        replace(files.client_ca, clients.pem + authority.pem)
        found.append(await probe(**served))
    assert [status for status, _ in found] == [0, 1, 0]


async def test_a_port_of_their_own(tmp_path: Path, forkery: Forkery) -> None:
    """It answers `Check` in plain text, and nothing else, whatever certificates are demanded or broken."""
    authority = Authority()
    files = ServerFiles(tmp_path, authority, authority)
    options = (*files.options, "--allow-anonymous", "--health-address", "127.0.0.1:0")
    with ServerProcess(tmp_path / "data", *options, forkery=forkery) as server:
        replace(files.key, b"a renewal that went wrong")
        settings = {"address": server.address, "tls_cert": str(files.certificate)}
        found = await probe(health_address=server.health_address, **settings)
        async with grpc.aio.insecure_channel(server.health_address) as channel:
            health: Any = health_pb2_grpc.HealthStub(channel)
            request = health_pb2.HealthCheckRequest(service="milepost.v1.WorkerService")
            checked = await health.Check(request)
            watched = await refused(health.Watch(request).read())
            call: Any = channel.unary_unary("/milepost.v1.JobService/ListJobs")
            listed = await refused(call(b""))
        assert server.stop() == 0
    assert found == (0, "")
    assert checked.status == health_pb2.HealthCheckResponse.SERVING
    assert (watched.code, listed.code) == ("UNIMPLEMENTED", "UNIMPLEMENTED")


async def test_a_health_address_in_use(shared_server: ServerProcess, tmp_path: Path) -> None:
    """The error names the option."""
    taken = shared_server.address
    ended = await milepost(
        "serve", "--address", "127.0.0.1:0", "--health-address", taken, "--data", tmp_path / "data"
    )
    assert (ended.status, ended.out) == (2, "")
    assert (
        f"Cannot listen on '{taken}': the address is in use. Name another one with --health-address"
        in ended.err
    )
