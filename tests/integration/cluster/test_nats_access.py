"""Authentication at NATS: TLS, password, NKey, credentials; and the errors."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from tests.support.command import milepost
from tests.support.forking import shared_forkery
from tests.support.nats import NatsServer
from tests.support.nats_jwt import Account, Operator
from tests.support.rpc import connect, eventually, state_name
from tests.support.server import ServerProcess

# A key pair for these tests.
SEED = "SUAK5QA33SNUIQR2MTJLHKY6UGQ47EWJXCV5CDHYDHOET252JXGU5UB3JA"
PUBLIC = "UAYKK5FFB3WZ7RQ72QB2OAW22ELXEWHD7V5VFXBH53HK53BRKMCBPAC2"


@pytest.fixture
def authority() -> trustme.CA:
    """A certificate authority."""
    return trustme.CA()


@pytest.fixture
def certificates(authority: trustme.CA, tmp_path: Path) -> dict[str, Path]:
    """The certificates of the authority, the server and the client."""
    paths = {name: tmp_path / f"{name}.pem" for name in ("ca", "server", "client")}
    authority.cert_pem.write_to_path(str(paths["ca"]))
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(paths["server"]))
    authority.issue_cert("milepost@example.org").private_key_and_cert_chain_pem.write_to_path(
        str(paths["client"])
    )
    return paths


async def works(directory: Path, *options: str) -> None:
    """Check that a node with these options accepts a job."""
    with ServerProcess(directory / "data", *options, forkery=shared_forkery()) as node:
        async with connect(node.address) as rpc:
            assert state_name(await rpc.submit()) == "QUEUED"


async def refused(directory: Path, why: str, *options: str) -> None:
    """Check that a node with these options waits, logs the reason, and can be stopped."""
    node = ServerProcess(directory / "refused", *options, forkery=shared_forkery())
    node.begin()
    try:
        await eventually(lambda: says(node, "NATS client error", error=why))
    finally:
        node.kill()


async def says(node: ServerProcess, event: str, **what: str) -> bool:
    """Whether it has logged a line with these parts."""
    lines = (line for line in node.log() if line["event"] == event)
    return any(all(part in line[name] for name, part in what.items()) for line in lines)


def tls(paths: dict[str, Path]) -> str:
    """Settings of a NATS server that requires certificates."""
    files = {"cert_file": paths["server"], "key_file": paths["server"], "ca_file": paths["ca"]}
    result = ", ".join(f'{name}: "{path}"' for name, path in files.items())
    return f"tls {{ {result}, verify: true }}"


@pytest.fixture
def over_tls(tmp_path: Path, certificates: dict[str, Path]) -> Iterator[NatsServer]:
    """A NATS server that requires certificates."""
    with NatsServer(tmp_path, extra=[tls(certificates)]) as server:
        yield server


async def test_over_tls(tmp_path: Path, over_tls: NatsServer, certificates: dict[str, Path]) -> None:
    """Both ends present a certificate; without one, or with another authority's, there is no connection."""
    pair = ("--nats-tls-cert", str(certificates["client"]), "--nats-tls-key", str(certificates["client"]))
    trusting = ("--nats-tls-ca", str(certificates["ca"]))
    store = ("--store", f"tls://127.0.0.1:{over_tls.port}")
    await works(tmp_path, *store, *trusting, *pair)
    await refused(tmp_path, "CERTIFICATE_VERIFY_FAILED", *store, *pair)


async def test_by_an_nkey(tmp_path: Path) -> None:
    """The seed is read from a file."""
    seed = tmp_path / "user.nk"
    await asyncio.to_thread(seed.write_text, SEED)
    with NatsServer(tmp_path, extra=[f"authorization {{ users: [{{ nkey: {PUBLIC} }}] }}"]) as server:
        await works(tmp_path, "--store", server.url, "--nats-nkey-seed", str(seed))
        await refused(tmp_path, "Authorization Violation", "--store", server.url)


async def test_by_credentials(tmp_path: Path) -> None:
    """Credentials of a known account; no others, and none."""
    account, stranger = Account(), Account()
    files = tmp_path / "user.creds", tmp_path / "stranger.creds"
    for each, file in zip((account, stranger), files, strict=True):
        each.write_credentials(file)
    with NatsServer(tmp_path, extra=Operator(account).settings) as server:
        store = ("--store", server.url)
        await works(tmp_path, *store, "--nats-credentials", str(files[0]))
        await refused(tmp_path, "Authorization Violation", *store, "--nats-credentials", str(files[1]))
        await refused(tmp_path, "Authorization Violation", *store)


async def test_credentials_may_be_renewed(tmp_path: Path) -> None:
    """A node with a revoked user logs it, and recovers once its file has other credentials."""
    account = Account()
    operator = Operator(account)
    file = tmp_path / "user.creds"
    account.write_credentials(file)
    with (
        NatsServer(tmp_path, extra=operator.settings) as server,
        ServerProcess(
            tmp_path / "data",
            *("--store", server.url, "--nats-credentials", str(file)),
            forkery=shared_forkery(),
        ) as node,
    ):
        async with connect(node.address) as rpc:
            job = await rpc.submit()
            account.revoke()
            server.reload(*operator.settings)
            await eventually(lambda: says(node, "disconnected from NATS; reads continue, writes fail"))
            await eventually(lambda: says(node, "NATS client error", error="revoked"))
            assert state_name(await rpc.get(job.job_id)) == "QUEUED"
            account.write_credentials(file)

            async def cancelled() -> bool:
                return state_name(await rpc.cancel(job.job_id)) == "CANCELLED"

            await eventually(cancelled)


async def test_by_a_password(tmp_path: Path) -> None:
    """In the URL, also from the environment."""
    with NatsServer(tmp_path, extra=["authorization { user: me, password: secret }"]) as server:
        await works(tmp_path, "--store", f"nats://me:secret@127.0.0.1:{server.port}")
        log = (tmp_path / "data.log").read_text()
        assert "secret" not in log


@pytest.mark.parametrize(
    ("options", "result"),
    [
        (["--store", "redis://localhost"], "is neither sqlite nor nats://"),
        (["--store", "nats://"], "names a server without a host"),
        (["--store", "nats://localhost", "--nats-stream", "a.b"], "--nats-stream cannot be 'a.b'"),
        (["--store", "nats://localhost", "--nats-tls-cert", __file__], "go together"),
        (
            ["--store", "nats://localhost", "--nats-credentials", __file__, "--nats-nkey-seed", __file__],
            "two ways to log in",
        ),
        (["--store", "nats://localhost", "--nats-credentials", __file__], "needs a JWT and its NKey seed"),
        (["--store", "nats://localhost", "--nats-nkey-seed", __file__], "needs the seed of a user"),
        (["--nats-replicas", "3"], "log in NATS: --store nats://"),
        (["--nats-sync-always"], "log in NATS: --store nats://"),
        (["--nats-tls-key", __file__], "log in NATS: --store nats://"),
    ],
)
async def test_invalid_options_are_refused(tmp_path: Path, options: list[str], result: str) -> None:
    """Invalid options are refused before anything is created."""
    outcome = await milepost("serve", "--data", tmp_path / "data", *options)

    assert (outcome.status, (tmp_path / "data").exists()) == (2, False)
    assert result in " ".join(outcome.err.split())
