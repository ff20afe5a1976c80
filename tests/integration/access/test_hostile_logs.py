"""What callers send reaches no log but as text of its field, and what is secret reaches none, nor any error."""

from __future__ import annotations

import asyncio
import base64
import json
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final

import grpc
import grpc.aio
import pytest
from google.protobuf.descriptor import FieldDescriptor

from milepost.server.access.credentials import tokens
from milepost.v1 import (
    Claim,
    Dispatch,
    Failure,
    GetStatsRequest,
    GetStatsResponse,
    JobEnded,
    JobState,
    ListWorkersRequest,
    Resume,
    RevokeSharesRequest,
    ShareJobRequest,
    Update,
)
from tests.support.audited import Audited
from tests.support.command import shown_server
from tests.support.forking import Forkery
from tests.support.hostile import HOSTILE, obeyed
from tests.support.issuer import Issuer
from tests.support.methods import METHODS, invoke, request_for
from tests.support.principals import ALL
from tests.support.rotating import loaded
from tests.support.rpc import Rpc, StreamEnded, connect, log_line
from tests.support.token_files import Tokens

FORGED: Final = 'x", "outcome": "OK", "subject": "root'
"""Would end its field, where text were put into a line as it is."""


@pytest.fixture
def known(tmp_path: Path) -> Tokens:
    """The tokens that the server knows: one has a subject that looks like fields of a line."""
    found = Tokens(tmp_path / "tokens.toml")
    found.add("alice", ["*"], *ALL)
    found.add("expired", ["*"], *ALL, expires="2020-01-01")
    found.add("revoked", ["*"], *ALL, revoked="true")
    found.add("forger", ["*"], *ALL)
    found.entries["forger"] = found.entries["forger"].replace('subject = "forger"', f"subject = '{FORGED}'")
    found.write()
    return found


@pytest.fixture
def server(tmp_path: Path, forkery: Forkery, known: Tokens, issuer: Issuer) -> Iterator[Audited]:
    """A server that logs all that it can."""
    options = ["--tokens", str(known.path), "--audit-log", str(tmp_path / "audit.jsonl")]
    options += ["--jwt-issuer", issuer.url, "--jwt-audience", "milepost", "--jwt-jwks", f"{issuer.url}/jwks"]
    with Audited(tmp_path / "data", *options, "--log-level", "debug", forkery=forkery) as started:
        yield started


class Canaries:
    """Secrets, each planted in one place; and the errors that came back."""

    def __init__(self) -> None:
        self.planted: dict[str, str] = {}
        self.errors: list[str] = []

    def plant(self, where: str) -> str:
        """A new secret."""
        return self.planted.setdefault(where, f"canary{secrets.token_hex(8)}")

    def metadata(self, authorization: str = "") -> list[tuple[str, Any]]:
        """Metadata as clients and proxies send it."""
        found: list[tuple[str, Any]] = [
            ("x-api-key", self.plant("metadata")),
            ("cookie", f"session={self.plant('cookie')}"),
            ("x-secret-bin", self.plant("binary metadata").encode()),
        ]
        return [*found, ("authorization", authorization)] if authorization else found

    async def call(self, rpc: Rpc, path: str, request: bytes, authorization: str) -> None:
        """Call the method; keep how it fails."""
        try:
            await invoke(rpc.channel, path, request, self.metadata(authorization))
        except grpc.aio.AioRpcError as error:
            trailing = [value for _, value in error.trailing_metadata() or ()]
            self.errors.append(f"{error.details()} {trailing} {error.debug_error_string()}")

    def found_in(self, text: str) -> list[str]:
        """Where the secrets in a text were planted."""
        encoded = {
            where: base64.b64encode(secret.encode()).decode() for where, secret in self.planted.items()
        }
        return [
            where for where, secret in self.planted.items() if secret in text or encoded[where][:-4] in text
        ]


async def work_with_secrets(rpc: Rpc, canaries: Canaries) -> str:
    """Run a job that fails, with a secret in all that a worker and a submitter say of it; return its id."""
    job = await rpc.submit(
        input={"password": canaries.plant("input")},
        labels={"label": canaries.plant("label")},
        dispatch=Dispatch.DISPATCH_EXTERNAL,
    )
    async with rpc.session() as session:
        await session.send(claim=Claim(job_id=job.job_id))
        _, lease = await session.take()
        canaries.planted["lease token"] = lease
        failure = Failure(code="E", message=canaries.plant("failure"))
        ended = Update(job_ended=JobEnded(state=JobState.JOB_STATE_FAILED, failure=failure))
        await session.report(job.job_id, lease, 1, log_line(canaries.plant("log line")))
        await session.report(job.job_id, lease, 3, log_line(canaries.plant("a gap")))
        await session.receive("acknowledged")
        await session.receive("rejected")
        await session.report(job.job_id, lease, 2, ended)
        await session.receive("acknowledged")
        await session.send(resume=Resume(job_id=job.job_id, lease_token=canaries.plant("wrong lease")))
        await session.receive("rejected")
    return job.job_id


async def test_canaries(server: Audited, known: Tokens, issuer: Issuer) -> None:
    """No secret of metadata, of a token or of a job is in the log, in the audit log, or in an error."""
    canaries = Canaries()
    alice = known.secrets[0]
    sent = {f"token {number}": token for number, token in enumerate(known.secrets)}
    sent |= {
        "unknown": tokens.new_token(),
        "JWT": issuer.token("one"),
        "expired JWT": issuer.token("one", exp=1),
    }
    async with connect(server.address, token=alice) as rpc:
        job_id = await work_with_secrets(rpc, canaries)
        sent["share"] = (await rpc.jobs.ShareJob(ShareJobRequest(job_id=job_id))).token
        await rpc.jobs.RevokeShares(RevokeSharesRequest(job_id=job_id))
        sent["share"] = (await rpc.jobs.ShareJob(ShareJobRequest(job_id=job_id))).token
    headers = {name: f"Bearer {token}" for name, token in sent.items()}
    headers |= {"garbage": canaries.plant("garbage"), "basic": f"Basic {canaries.plant('basic')}"}
    headers["not ours"] = f"Bearer {canaries.plant('bearer')}"
    canaries.planted |= sent
    broken = b"\x0a\xff" + canaries.plant("malformed").encode()
    async with connect(server.address) as rpc:
        for path in METHODS:
            for header in headers.values():
                await canaries.call(rpc, path, request_for(path, job_id).SerializeToString(), header)
            for request in (broken, request_for(path, "missing").SerializeToString()):
                await canaries.call(rpc, path, request, headers["token 0"])
    assert len(canaries.errors) > len(METHODS)
    assert [error for error in canaries.errors if canaries.found_in(error)] == []
    audit = await server.audit(len(METHODS), outcome="TOKEN_EXPIRED")
    assert audit
    for file in (server.log_path, server.data.parent / "audit.jsonl"):
        assert canaries.found_in(file.read_text()) == []


def fields_of(descriptor: Any) -> Iterator[Any]:
    """The fields of a message, and of those within it."""
    for field in descriptor.fields:
        yield field
        if field.message_type is not None:
            yield from fields_of(field.message_type)


async def test_canaries_in_administration(server: Audited, known: Tokens) -> None:
    """Counters are numbers only; the list of workers names owners and jobs, and nothing secret of them or of tokens."""
    canaries, owner = Canaries(), f"owner{secrets.token_hex(8)}"
    member = known.add("member", [owner], *ALL)
    operator = known.add("operator", ["*"], "admin")
    for token in (member, operator):
        await loaded(server, token)
    canaries.planted |= {f"token {number}": token for number, token in enumerate(known.secrets)}
    async with connect(server.address, token=member) as rpc, connect(server.address, token=operator) as admin:
        await work_with_secrets(rpc, canaries)
        job = await rpc.submit(input={"password": canaries.plant("input of a running job")})
        async with rpc.session() as session:
            _, canaries.planted["lease of a running job"] = await session.take()
            stats = str(await admin.admin.GetStats(GetStatsRequest()))
            workers = str(await admin.admin.ListWorkers(ListWorkersRequest()))

    assert job.job_id in workers
    assert owner in workers
    assert canaries.found_in(workers) == []
    assert [
        secret for secret in (*canaries.planted.values(), owner, "member", job.job_id) if secret in stats
    ] == []
    assert "passes" in stats
    texts = (FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_BYTES)
    assert [field for field in fields_of(GetStatsResponse.DESCRIPTOR) if field.type in texts] == []


@asynccontextmanager
async def _agent(address: str, token: str) -> AsyncIterator[Rpc]:
    """A client whose user agent and metadata look like fields of a line."""
    options = [("grpc.primary_user_agent", FORGED), ("grpc.use_local_subchannel_pool", 1)]
    async with AsyncExitStack() as stack:
        channel = await stack.enter_async_context(grpc.aio.insecure_channel(address, options=options))
        await invoke(
            channel,
            "/milepost.v1.JobService/WhoAmI",
            b"",
            [("authorization", f"Bearer {token}"), ("x", FORGED)],
        )
        yield Rpc(channel)


async def say_everything(address: str, known: Tokens, issuer: Issuer) -> None:
    """Send hostile text wherever a caller may name something."""
    alice, forger = known.secrets[0], known.secrets[3]
    hostile = [HOSTILE[:100], FORGED, "a\nb", "a\r\x1b[2Kb"]
    async with connect(address, token=alice) as rpc:
        for text in hostile:
            for call in (
                rpc.submit(owner=text),
                rpc.submit(job_id=text),
                rpc.submit(kind=text),
                rpc.submit(request_id=text),
                rpc.submit(parent_job_id=text),
                rpc.submit(concurrency_key=text),
                rpc.submit(labels={"a": text}),
                rpc.get(text),
                rpc.cancel(text),
            ):
                with suppress(grpc.aio.AioRpcError):
                    await call
            for hello in ({"worker_id": text}, {"sdk": text}, {"instance": text}, {"kinds": [text]}):
                with suppress(grpc.aio.AioRpcError, StreamEnded):
                    async with rpc.session(max_concurrency=0, **hello) as session:
                        await session.send(claim=Claim(job_id=text))
                        await session.receive("rejected")
    named: list[dict[str, Any]] = [
        {"sub": HOSTILE[:100]},
        {"jti": HOSTILE[:100]},
        {"sub": FORGED, "jti": FORGED},
    ]
    for claims in named:
        async with connect(address, token=issuer.token("one", **claims)) as rpc:
            with suppress(grpc.aio.AioRpcError):
                await rpc.submit()
    async with connect(address, token=forger) as rpc:
        job = await rpc.submit()
        await rpc.cancel(job.job_id)
    async with _agent(address, forger) as rpc:
        with suppress(grpc.aio.AioRpcError):
            await rpc.get("missing")


async def test_injection(server: Audited, known: Tokens, issuer: Issuer) -> None:
    """Each line is one object, whatever ids, owners, subjects, workers and user agents are; no text is obeyed."""
    await say_everything(server.address, known, issuer)
    audited = await server.audit(2, subject=FORGED)
    assert {(line["subject"], line["outcome"]) for line in audited} == {(FORGED, "OK")}
    for path in (server.log_path, server.data.parent / "audit.jsonl"):
        text = path.read_text()
        assert obeyed(text) == []
        lines = [json.loads(line) for line in text.splitlines()]
        assert [line for line in lines if line.get("subject") == "root"] == []
        subjects = {line["subject"] for line in lines if "subject" in line}
        assert subjects <= {"alice", "anonymous", FORGED}
    names = {line["worker_id"] for line in server.log() if line["event"] == "worker connected"}
    assert FORGED in names


async def test_injection_on_a_terminal(tmp_path: Path, known: Tokens, issuer: Issuer) -> None:
    """Nor does the server's terminal obey any of it, and a line is a line."""
    options: list[str | Path] = [
        "--tokens",
        known.path,
        "--jwt-issuer",
        issuer.url,
        "--data",
        tmp_path / "data",
    ]
    options += ["--jwt-audience", "milepost", "--jwt-jwks", f"{issuer.url}/jwks"]
    async with shown_server("--address", *options, columns=250) as (shown, address):
        await shown.shows(lambda text: address in text)
        await asyncio.wait_for(say_everything(address, known, issuer), 120)
        await shown.shows(lambda text: text.count("CancelJob") >= 5)
        raw = shown.raw
    assert obeyed(raw, drawn=True) == []
    assert [line for line in raw.splitlines() if line.startswith(("b", '", "'))] == []
