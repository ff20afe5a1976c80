"""The audit log names who was refused, as far as their credential proves it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from google.protobuf.duration_pb2 import Duration

from milepost.server.access.credentials import tokens
from milepost.v1 import ListJobsRequest, RevokeSharesRequest, ShareJobRequest
from tests.support.audited import Audited
from tests.support.forking import Forkery
from tests.support.issuer import Issuer
from tests.support.principals import ALL, Cast, calls, refusal
from tests.support.rpc import connect
from tests.support.token_files import Tokens


@pytest.fixture
def server(tmp_path: Path, forkery: Forkery, known: Tokens, issuer: Issuer) -> Iterator[Audited]:
    """A server with an audit log."""
    options = ["--tokens", str(known.path), "--audit-log", str(tmp_path / "audit.jsonl")]
    options += ["--jwt-issuer", issuer.url, "--jwt-audience", "milepost", "--jwt-jwks", f"{issuer.url}/jwks"]
    with Audited(tmp_path / "data", *options, forkery=forkery) as started:
        yield started


async def list_jobs(server: Audited, token: str) -> str:
    """The reason for which the token is refused."""
    async with connect(server.address, token=token) as rpc:
        return (await refusal(rpc.jobs.ListJobs(ListJobsRequest())))[1]


async def test_expired_and_revoked_credentials_are_named_by_id(
    server: Audited, known: Tokens, issuer: Issuer, caller: Cast
) -> None:
    """An expired or revoked credential is named by its subject and id, never by its secret."""
    alice = await caller("alice", ["team-a"], *ALL)
    ended = {
        "expired": known.add("gone", ["team-a"], *ALL, expires="2020-01-01", credential_id="expired"),
        "revoked": known.add("thief", ["team-a"], *ALL, revoked="true", credential_id="revoked"),
        "jwt:one:seven": issuer.token("one", sub="bob", jti="seven", exp=time.time() - 600),
    }
    await caller("someone", ["team-a"])  # by now the server has read the file
    job = await alice.submit()
    share = (await alice.jobs.ShareJob(ShareJobRequest(job_id=job.job_id, ttl=Duration(seconds=60)))).token
    await alice.jobs.RevokeShares(RevokeSharesRequest(job_id=job.job_id))
    for token in (*ended.values(), share):
        assert await list_jobs(server, token) == "TOKEN_EXPIRED"
    lines = await server.audit(4, outcome="TOKEN_EXPIRED")
    line = {"action": "read", "job_id": "", "outcome": "TOKEN_EXPIRED"}
    assert lines[:3] == [
        {"subject": "gone", "credential": "expired", **line},
        {"subject": "thief", "credential": "revoked", **line},
        {"subject": "bob", "credential": "jwt:one:seven", **line},
    ]
    assert lines[3] == {"subject": "alice", "credential": lines[3]["credential"], **line}
    assert lines[3]["credential"].startswith("share:")
    subjects = {entry.get("subject") for entry in server.log() if entry.get("reason") == "TOKEN_EXPIRED"}
    assert subjects == {"gone", "thief", "bob", "alice"}
    text = json.dumps([await server.audit(0), server.log()])
    assert [token for token in (*ended.values(), share) if token in text] == []


async def test_invalid_credentials_are_not_named(server: Audited, issuer: Issuer) -> None:
    """A forged or invented token puts no name into the log."""
    issuer.add_key("two")
    forged = issuer.token("two", sub="root", exp=time.time() - 600, headers={"kid": "one"})
    for token in ("garbage", tokens.new_token(), forged):
        assert await list_jobs(server, token) == "UNAUTHENTICATED"
    found = await server.audit(3, outcome="UNAUTHENTICATED")
    assert [(line["subject"], line["credential"]) for line in found] == [("anonymous", "")] * 3


async def test_foreign_and_missing_jobs_leave_a_line(server: Audited, caller: Cast) -> None:
    """Each call that names a foreign or a missing job leaves one line; the operator can tell them apart."""
    ours, theirs = await caller("ours", ["team-a"], *ALL), await caller("theirs", ["team-b"], *ALL)
    foreign = (await theirs.submit()).job_id
    outcomes = {foreign: "FOREIGN_JOB", "missing": "JOB_NOT_FOUND"}
    actions = {
        "get": "read",
        "watch": "read",
        "cancel": "cancel",
        "delete": "delete",
        "share": "share",
        "revoke": "share",
        "report": "work",
    }
    for job_id in outcomes:
        for name in actions:
            assert (await refusal(calls(ours, job_id)[name]()))[1] == "JOB_NOT_FOUND"
    expected = [
        {"subject": "ours", "credential": "ours", "action": action, "job_id": job_id, "outcome": outcome}
        for job_id, outcome in outcomes.items()
        for action in actions.values()
    ]
    assert await server.audit(len(expected), subject="ours") == expected
