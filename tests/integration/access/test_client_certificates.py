"""Who calls with a client certificate, at a real server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import grpc.aio
import pytest
import trustme

from milepost.v1 import WhoAmIRequest
from tests.support.authority import Authority, ServerFiles
from tests.support.command import milepost
from tests.support.forking import Forkery
from tests.support.refused import refused
from tests.support.rpc import Rpc, connect, error_info, succeeded
from tests.support.server import ServerProcess

WORKER = "spiffe://example.org/gpu-1"


@pytest.fixture
def authority() -> Authority:
    """The authority of the server's certificate and of those of its clients."""
    return Authority()


@pytest.fixture
def token_path(tmp_path: Path) -> Path:
    """A token file that names a worker and a pipeline by their certificates, and knows one token."""
    path = tmp_path / "tokens.toml"
    path.write_text(
        f"""
        [[certificate]]
        san = "{WORKER}"
        id = "gpu-1"
        subject = "gpu-1"
        owners = ["*"]
        scopes = ["work"]

        [[certificate]]
        san = "ci.example.org"
        id = "ci"
        subject = "ci"
        owners = ["team-a"]
        scopes = ["submit", "read"]
        """
    )
    return path


@pytest.fixture
def server(
    tmp_path: Path, authority: Authority, token_path: Path, forkery: Forkery
) -> Iterator[ServerProcess]:
    """A server that demands certificates."""
    options = [*ServerFiles(tmp_path, authority, authority).options, "--tokens", str(token_path)]
    with ServerProcess(tmp_path / "data", *options, forkery=forkery) as started:
        yield started


class Callers:
    """Connects with certificates."""

    def __init__(self, server: ServerProcess, authority: Authority) -> None:
        self._server, self._authority = server, authority

    def __call__(self, shown: trustme.LeafCert) -> AbstractAsyncContextManager[Rpc]:
        """Connect with this certificate."""
        return connect(self._server.address, tls=self._authority.channel_credentials(shown))


@pytest.fixture
def caller(server: ServerProcess, authority: Authority) -> Callers:
    """Connects with certificates."""
    return Callers(server, authority)


async def test_a_certificate_name_is_a_principal(caller: Callers, authority: Authority) -> None:
    """A name in the certificate is a principal with its owners and scopes; another name is nobody."""
    async with (
        caller(authority.issue("ci.example.org")) as ci,
        caller(authority.issue_uri(WORKER)) as worker,
        caller(authority.issue("other.example.org")) as other,
        worker.session(kinds=[ci.kind]) as session,
    ):
        job = await ci.submit()
        assert job.owner == "team-a"
        taken, lease = await session.take()
        await session.report(taken.job_id, lease, 1, succeeded())
        await session.acknowledged(1)
        await ci.ended(job.job_id)
        who = await worker.jobs.WhoAmI(WhoAmIRequest())
        assert (who.subject, list(who.scopes), who.credential_id) == ("gpu-1", ["work"], "gpu-1")
        assert who.expire_time.seconds > 0
        assert (await refused(worker.get(job.job_id))).reason == "PERMISSION_DENIED"
        assert (await refused(other.get(job.job_id))).reason == "UNAUTHENTICATED"


async def test_revoking_a_name_ends_its_open_streams(
    caller: Callers, authority: Authority, token_path: Path
) -> None:
    """Revoking a name ends the open streams of its certificates, and refuses further calls on their connections."""
    async with caller(authority.issue("ci.example.org")) as ci:
        job = await ci.submit()
        frames = aiter(ci.watch(job.job_id))
        await anext(frames)
        assert (await milepost("token", "revoke", "ci", "--tokens", str(token_path))).status == 0
        with pytest.raises(grpc.aio.AioRpcError) as ended:
            [frame async for frame in frames]
        assert error_info(ended.value).reason == "TOKEN_EXPIRED"
        assert (await refused(ci.get(job.job_id))).reason == "TOKEN_EXPIRED"
