"""Milepost runs with the settings of the manifests, and their probes find it healthy."""

from __future__ import annotations

import asyncio
import os
import re
import ssl
import sys
from pathlib import Path
from typing import Any

import grpc.aio
import nats
import nats.errors
import pytest
import yaml
from grpc_health.v1 import health_pb2, health_pb2_grpc
from nats.aio.client import Client as NatsConnection
from nats.js.api import StreamConfig

from milepost.client import Client
from tests.deploy.image_settings import DEPLOY, image_environment, image_health_check, secrets
from tests.support.authority import LOOPBACK, Authority
from tests.support.nats import NatsServer
from tests.support.nats_tls import deployed, write_tls
from tests.support.ports import free_port
from tests.support.replacing import replace
from tests.support.server import ServerProcess


@pytest.fixture
def authority() -> Authority:
    """The authority of all certificates."""
    return Authority()


def settings(directory: Path, declared: dict[str, str]) -> dict[str, str]:
    """The image's and the declared settings: mounts are this directory, ports free ones, the log is SQLite's."""
    found = {
        name: re.sub("^(/run/secrets|/etc/milepost/(tokens|tls))/", f"{directory}/", value)
        for name, value in (image_environment() | declared).items()
        if not name.startswith(("MILEPOST_STORE", "MILEPOST_NATS"))
    }
    for name in ("MILEPOST_ADDRESS", "MILEPOST_HEALTH_ADDRESS"):
        if name in found:
            found[name] = f"{found[name].rpartition(':')[0]}:{free_port()}"
    return found


class Container(ServerProcess):
    """A server with the settings of a container."""

    def __init__(self, data: Path, environment: dict[str, str]) -> None:
        super().__init__(data, address=environment["MILEPOST_ADDRESS"])
        self.environment = {name: value for name, value in environment.items() if name != "MILEPOST_DATA"}


async def served(container: Container, authority: Authority, directory: Path, token: str) -> str:
    """Who somebody with this token is, over TLS."""
    address = f"{LOOPBACK}:{container.address.rpartition(':')[2]}"
    replace(directory / "trusted.pem", authority.pem)
    async with Client(address, token=token, tls_ca=directory / "trusted.pem") as client:
        return (await client.whoami()).subject


async def test_compose(tmp_path: Path, authority: Authority) -> None:
    """With the image's health check, which it does not replace."""
    service = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]["milepost-0"]
    assert "./secrets:/run/secrets:ro" in service["volumes"]
    token = secrets(tmp_path / "secrets", authority)
    environment = settings(tmp_path / "secrets", service["environment"])
    with Container(tmp_path / "data", environment) as container:
        assert await served(container, authority, tmp_path, token) == "me"
        program, *arguments = image_health_check()
        assert (program, "healthcheck" in service) == ("python", False)
        checked = await asyncio.create_subprocess_exec(
            sys.executable, *arguments, env=os.environ | environment
        )
        assert await checked.wait() == 0


@pytest.mark.parametrize("client_ca", [False, True], ids=["tokens", "and certificates"])
async def test_kubernetes(tmp_path: Path, authority: Authority, client_ca: bool) -> None:
    """With its probes, which speak no TLS; also where clients need a certificate, as a comment says."""
    text = (DEPLOY / "kubernetes" / "milepost.yaml").read_text()
    if client_ca:
        text = text.replace("# - {name: MILEPOST_TLS_CLIENT_CA", "- {name: MILEPOST_TLS_CLIENT_CA")
    (workload,) = [each for each in yaml.safe_load_all(text) if each["kind"] == "StatefulSet"]
    (declared,) = workload["spec"]["template"]["spec"]["containers"]
    token = secrets(tmp_path / "secrets", authority)
    environment = settings(tmp_path / "secrets", kubernetes_variables(text))
    assert ("MILEPOST_TLS_CLIENT_CA" in environment) == client_ca
    with Container(tmp_path / "data", environment) as container:
        if not client_ca:
            assert await served(container, authority, tmp_path, token) == "me"
        port = environment["MILEPOST_HEALTH_ADDRESS"].rpartition(":")[2]
        async with grpc.aio.insecure_channel(f"{LOOPBACK}:{port}") as channel:
            health: Any = health_pb2_grpc.HealthStub(channel)
            for name in ("startupProbe", "readinessProbe", "livenessProbe"):
                probe = declared[name]["grpc"]
                assert {"name": "health", "containerPort": probe["port"]} in declared["ports"]
                answer = await health.Check(health_pb2.HealthCheckRequest(service=probe["service"]))
                assert answer.status == health_pb2.HealthCheckResponse.SERVING


async def test_kubernetes_over_nats(tmp_path: Path, authority: Authority) -> None:
    """A node gets into NATS by its certificate, and keeps its log there three times; others do not get in."""
    variables = kubernetes_variables((DEPLOY / "kubernetes" / "milepost.yaml").read_text())
    token = secrets(tmp_path / "secrets", authority)
    write_tls(tmp_path / "milepost-nats", authority, "milepost")
    with deployed(tmp_path, authority) as servers:
        store = variables["MILEPOST_STORE"]
        for server in servers:
            store = store.replace(f"{server.name}.nats:4222", f"{LOOPBACK}:{server.port}")
        of_nats = {
            name: value.replace("/etc/milepost/nats/", f"{tmp_path / 'milepost-nats'}/")
            for name, value in variables.items()
            if name.startswith("MILEPOST_NATS")
        }
        environment = settings(tmp_path / "secrets", variables) | of_nats | {"MILEPOST_STORE": store}
        with Container(tmp_path / "data", environment) as container:
            assert await served(container, authority, tmp_path, token) == "me"
            assert {stream.num_replicas for stream in await streams(servers[0], authority, tmp_path)} == {3}
        # Where in the handshake it is cut off varies.
        with pytest.raises((OSError, nats.errors.Error)):
            await connect(f"tls://{LOOPBACK}:{servers[0].port}", authority)


async def connect(url: str, authority: Authority, certificate: Path | None = None) -> NatsConnection:
    """Connect to NATS, with the certificate in this directory or without one."""
    context = ssl.create_default_context(cadata=authority.pem.decode())
    if certificate is not None:
        context.load_cert_chain(certificate / "tls.crt", certificate / "tls.key")
    return await nats.connect(url, tls=context, allow_reconnect=False, max_reconnect_attempts=0)


async def streams(server: NatsServer, authority: Authority, directory: Path) -> list[StreamConfig]:
    """The streams there are, as somebody with the node's certificate sees them."""
    url = f"tls://{LOOPBACK}:{server.port}"
    connection = await connect(url, authority, directory / "milepost-nats")
    found = await connection.jetstream().streams_info()
    await connection.close()
    return [each.config for each in found]


def kubernetes_variables(text: str) -> dict[str, str]:
    """The environment of Milepost's container in the manifest."""
    (workload,) = [each for each in yaml.safe_load_all(text) if each["kind"] == "StatefulSet"]
    (declared,) = workload["spec"]["template"]["spec"]["containers"]
    return {each["name"]: each["value"] for each in declared["env"]}


def test_mounts_and_settings_agree() -> None:
    """What the settings name is mounted from a secret that is not a file of its own, and so follows its source."""
    text = (DEPLOY / "kubernetes" / "milepost.yaml").read_text()
    (workload,) = [each for each in yaml.safe_load_all(text) if each["kind"] == "StatefulSet"]
    pod = workload["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    secret = {each["name"] for each in pod["volumes"] if "secret" in each}
    mounted = {each["mountPath"]: each for each in container["volumeMounts"] if each["name"] in secret}
    files = [Path(each["value"]) for each in container["env"] if each["value"].startswith("/etc/")]
    assert {str(path.parent) for path in files} == set(mounted)
    assert all(each["readOnly"] and "subPath" not in each for each in mounted.values())
