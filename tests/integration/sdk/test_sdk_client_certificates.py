"""The SDK, workers and the command with client certificates."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from milepost.client import Client, JobContext, SyncClient, Worker
from milepost.client.errors import TokenExpired, Unauthenticated, Unreachable
from milepost.v1 import Dispatch, Event
from tests.support.authority import Authority, ClientFiles, ServerFiles, chain_of
from tests.support.command import milepost, started
from tests.support.forking import Forkery
from tests.support.replacing import replace
from tests.support.rpc import eventually, state_name
from tests.support.server import ServerProcess

WORKER = "spiffe://example.org/worker"
WORKER_MODULE = """
from milepost.client import Worker

worker = Worker()


@worker.job("k")
def handle(job):
    return {"done": True}
"""


@pytest.fixture
def authority() -> Authority:
    """The authority of all certificates."""
    return Authority()


@pytest.fixture
def server(tmp_path: Path, authority: Authority, forkery: Forkery) -> Iterator[ServerProcess]:
    """A server that demands certificates, and knows one of them."""
    path = tmp_path / "tokens.toml"
    path.write_text(
        f'[[certificate]]\nsan = "{WORKER}"\nid = "w"\nsubject = "w"\nowners = ["*"]\nscopes = ["admin"]\n'
    )
    options = [*ServerFiles(tmp_path, authority, authority).options, "--tokens", str(path)]
    with ServerProcess(tmp_path / "data", *options, forkery=forkery) as started_server:
        yield started_server


@pytest.fixture
def files(tmp_path: Path, authority: Authority) -> ClientFiles:
    """The files of the client that the server knows."""
    return ClientFiles(tmp_path / "client", authority, authority.issue_uri(WORKER))


async def collect(watch: Any) -> list[Event]:
    """All events of a watch."""
    return [event async for event in watch]


async def test_a_client_and_a_worker(server: ServerProcess, files: ClientFiles) -> None:
    """They are who their certificate says."""
    worker = Worker(server.address, **files.options)

    @worker.job("echo")
    async def echo(job: JobContext) -> dict[str, object]:
        worker.stop()
        return job.input

    async with Client(server.address, **files.options) as client:
        assert (await client.whoami()).subject == "w"
        job = await client.submit("echo", {"over": "mTLS"})
        await worker.run()
        assert await client.result(job.job_id) == {"over": "mTLS"}


async def test_the_command_and_its_worker(
    server: ServerProcess, files: ClientFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By options, by the environment, and by a context."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    (tmp_path / "module_of_test.py").write_text(WORKER_MODULE)
    paths = {"ca": str(files.ca), "client-cert": str(files.cert), "client-key": str(files.key)}
    options = [word for name, path in paths.items() for word in (f"--tls-{name}", path)]
    env = {f"MILEPOST_TLS_{name.replace('-', '_').upper()}": path for name, path in paths.items()}
    asked = ("whoami", "--output", "json")
    made = await milepost("context", "set", "mtls", "--address", server.address, *options)
    assert (made.status, made.err) == (0, "")
    found = [
        await milepost(*asked, "--address", server.address, *options),
        await milepost(*asked, address=server.address, env=env),
        await milepost(*asked, "--context", "mtls"),
    ]
    assert [outcome.objects[0]["subject"] for outcome in found] == ["w"] * 3
    async with started("worker", "module_of_test:worker", "--context", "mtls", cwd=tmp_path):
        ended = await milepost("submit", "k", "--wait", "--context", "mtls")
    assert ended.status == 0


async def test_who_is_refused(
    server: ServerProcess, authority: Authority, files: ClientFiles, tmp_path: Path
) -> None:
    """No certificate, one of another authority, an expired one, and one that the server does not know."""
    foreign = ClientFiles(tmp_path / "foreign", authority, Authority().issue_uri(WORKER))
    expired = ClientFiles(tmp_path / "expired", authority, authority.issue_uri(WORKER, seconds=-60))
    unknown = ClientFiles(tmp_path / "unknown", authority, authority.issue_uri(f"{WORKER}-2"))
    found = []
    for options in ({"tls_ca": files.ca}, foreign.options, expired.options, unknown.options):
        async with Client(server.address, timeout=10, **options) as client:
            with pytest.raises((Unreachable, Unauthenticated)) as refused:
                await client.whoami()
            found.append(refused.type)
    assert found == [Unreachable, Unreachable, Unreachable, Unauthenticated]


async def test_the_name_of_the_server_is_verified(
    tmp_path: Path, authority: Authority, files: ClientFiles, forkery: Forkery
) -> None:
    """A certificate of a trusted authority for another name is not enough."""
    served = ServerFiles(tmp_path, authority)
    served.renew(authority, "other.example.org")
    with (
        ServerProcess(tmp_path / "data", *served.options, forkery=forkery) as other,
        SyncClient(other.address, tls_ca=files.ca, timeout=5) as client,
        pytest.raises(Unreachable) as refused,
    ):
        await asyncio.to_thread(client.get, "j")
    assert refused.value.why == "its certificate is for another name"


async def test_a_certificate_that_is_renewed(
    server: ServerProcess, authority: Authority, files: ClientFiles
) -> None:
    """When it expires, watches and workers go on with the one that is in the files now: nothing is lost."""
    files.renew(authority.issue_uri(WORKER, seconds=6))
    worker = Worker(server.address, **files.options)
    written, stopping = 0, asyncio.Event()

    @worker.job("write")
    async def write(job: JobContext) -> None:
        nonlocal written
        while not stopping.is_set():
            job.log(str(written))
            written += 1
            await asyncio.sleep(0.005)

    running = asyncio.create_task(worker.run())
    async with Client(server.address, **files.options) as client:
        job = await client.submit("write")
        watch = client.watch(job.job_id)
        seen = asyncio.create_task(collect(watch))

        async def is_writing() -> bool:
            return written > 0 and watch.caught_up

        await eventually(is_writing)
        files.renew(authority.issue_uri(WORKER))

        async def has_resumed() -> bool:
            return watch.reconnects > 0

        await eventually(has_resumed)
        before = written

        async def goes_on() -> bool:
            return written > before

        await eventually(goes_on)
        stopping.set()
        history = await seen
        ended = await client.get(job.job_id)
    worker.stop()
    await running
    assert [event.sequence for event in history] == [*range(1, len(history) + 1)]
    lines = [event.log_written.text for event in history if event.HasField("log_written")]
    assert lines == [str(number) for number in range(written)]
    assert (state_name(ended), ended.attempt) == ("SUCCEEDED", 1)


async def test_a_certificate_that_is_not_renewed(
    server: ServerProcess, authority: Authority, files: ClientFiles
) -> None:
    """Ends a watch with `TokenExpired` when it expires."""
    files.renew(authority.issue_uri(WORKER, seconds=3))
    async with Client(server.address, **files.options) as client:
        job = await client.submit("k", dispatch=Dispatch.DISPATCH_EXTERNAL)
        with pytest.raises(TokenExpired):
            await collect(client.watch(job.job_id))


async def test_certificate_and_key_are_replaced_one_after_the_other(
    server: ServerProcess, authority: Authority, files: ClientFiles
) -> None:
    """While they do not fit together, calls go over the connection that there is."""
    fresh = authority.issue_uri(WORKER)
    async with Client(server.address, **files.options) as client:
        await client.whoami()
        replace(files.cert, chain_of(fresh))
        await client.whoami()
        replace(files.key, fresh.private_key_pem.bytes())
        await client.whoami()
        assert len(client._channel._connections) == 1
