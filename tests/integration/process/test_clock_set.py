"""A server whose wall clock is set while it runs, by libfaketime: nothing that time ends ends early or never."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import NamedTuple

import grpc.aio
import pytest
from google.protobuf.duration_pb2 import Duration

from milepost.server.access.credentials import tokens
from milepost.server.messages.timestamps import instant
from milepost.v1 import Claim, Dispatch, GetJobRequest, JobState, Retention, ShareJobRequest
from tests.support.refused import refused
from tests.support.rpc import Rpc, WatchCall, connect, eventually, kinds, log_line, state_name, succeeded
from tests.support.server import ServerProcess

LIBRARIES = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))

pytestmark = [
    pytest.mark.nightly,
    pytest.mark.timeout(180),
    pytest.mark.skipif(not LIBRARIES, reason="libfaketime is not installed (Debian: faketime)"),
]

HOUR = 3600
JUMPS = [-2 * HOUR, 2 * HOUR]
"""Seconds."""

TOKEN = tokens.new_token()


class Clocked(NamedTuple):
    """A user of a server, and its wall clock; the server's monotonic clock is the machine's."""

    rpc: Rpc
    address: str
    clock: Path

    def set_clock(self, seconds: int) -> None:
        """Set the clock to so many seconds from the true time."""
        written = self.clock.with_suffix(".new")
        written.write_text(f"{seconds:+}\n")
        written.replace(self.clock)


@pytest.fixture
async def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Clocked]:
    """One of a server with leases of 8 s, which sweeps each second and knows one token."""
    clock, known = tmp_path / "clock", tmp_path / "tokens.toml"
    clock.write_text("+0\n")
    known.write_text(
        f'[[token]]\nid = "t"\nsha256 = "{tokens.digest(TOKEN)}"\nsubject = "user"\nowners = ["o"]\n'
        'scopes = ["submit", "read", "work"]\n'
    )
    monkeypatch.setenv("LD_PRELOAD", str(LIBRARIES[0]))
    monkeypatch.setenv("FAKETIME_TIMESTAMP_FILE", str(clock))
    monkeypatch.setenv("FAKETIME_NO_CACHE", "1")
    monkeypatch.setenv("FAKETIME_DONT_FAKE_MONOTONIC", "1")
    options = ["--lease-ttl", "8s", "--sweep-interval", "1s", "--tokens", str(known)]
    async with AsyncExitStack() as stack:
        server = stack.enter_context(ServerProcess(tmp_path / "data", *options))
        rpc = await stack.enter_async_context(connect(server.address, token=TOKEN))
        yield Clocked(rpc, server.address, clock)


@pytest.mark.parametrize("jump", JUMPS)
async def test_job_timeouts_hold_when_the_clock_is_set(user: Clocked, jump: int) -> None:
    """They end the jobs that they should, and no other (JobAges)."""
    rpc = user.rpc
    soon = [
        await rpc.submit(start_deadline=Duration(seconds=2)),
        await rpc.submit(timeout=Duration(seconds=2), dispatch=Dispatch.DISPATCH_EXTERNAL),
    ]
    later = await rpc.submit(timeout=Duration(seconds=HOUR), dispatch=Dispatch.DISPATCH_EXTERNAL)
    async with rpc.session(kinds=[]) as session:
        for job in (soon[1], later):
            await session.send(claim=Claim(job_id=job.job_id))
            await session.take()
        user.set_clock(jump)
        codes = [(await rpc.ended(job.job_id))[-1].job_ended.failure.code for job in soon]

        assert codes == ["START_DEADLINE", "TIMEOUT"]
        assert state_name(await rpc.get(later.job_id)) == "RUNNING"


@pytest.mark.parametrize("jump", JUMPS)
async def test_leases_hold_when_the_clock_is_set(user: Clocked, jump: int) -> None:
    """A worker that is heard from keeps its job, and one that is not loses it (rule 14)."""
    rpc = user.rpc
    kept, lost = [await rpc.submit(dispatch=Dispatch.DISPATCH_EXTERNAL) for _ in range(2)]
    async with rpc.session(kinds=[]) as heard, rpc.session(kinds=[]) as silent:
        await heard.send(claim=Claim(job_id=kept.job_id))
        _, token = await heard.take()
        await silent.send(claim=Claim(job_id=lost.job_id))
        await silent.take()
        user.set_clock(jump)
        number = 0

        async def has_ended() -> bool:
            nonlocal number
            number += 1
            await heard.report(kept.job_id, token, number, log_line("here"))
            await heard.acknowledged(number)
            return state_name(await rpc.get(lost.job_id)) == "LOST"

        await eventually(has_ended)
        await heard.report(kept.job_id, token, number + 1, succeeded())
        events = await rpc.ended(kept.job_id)

    assert kinds(events) == ["job_submitted", "job_started", *["log_written"] * number, "job_ended"]
    times = [instant(event.time) for event in events]
    assert times == sorted(times)


async def test_retention_does_not_jump_with_the_clock(user: Clocked) -> None:
    """Where the clock is set forward, what is to be kept for an hour is kept, while other jobs go (CautiousClock)."""
    rpc = user.rpc
    kept, dropped = [
        await rpc.submit(
            dispatch=Dispatch.DISPATCH_EXTERNAL, retention=Retention(keep_job=Duration(seconds=s))
        )
        for s in (HOUR, 2)
    ]
    async with rpc.session(kinds=[]) as session:
        for job in (kept, dropped):
            await session.send(claim=Claim(job_id=job.job_id))
            _, token = await session.take()
            await session.report(job.job_id, token, 1, succeeded())
            await session.acknowledged(1)
            await rpc.ended(job.job_id)
    user.set_clock(2 * HOUR)

    async def is_dropped() -> bool:
        try:
            await rpc.get(dropped.job_id)
        except grpc.aio.AioRpcError as error:
            return error.code() == grpc.StatusCode.NOT_FOUND
        return False

    await eventually(is_dropped)
    assert (await rpc.get(kept.job_id)).state == JobState.JOB_STATE_SUCCEEDED


async def test_tokens_expire_by_the_wall_clock(user: Clocked) -> None:
    """At the instant that they name: calls are refused then, and open streams end; set back, the clock admits them."""
    job = await user.rpc.submit(dispatch=Dispatch.DISPATCH_EXTERNAL)
    request = ShareJobRequest(job_id=job.job_id, ttl=Duration(seconds=HOUR))
    share = (await user.rpc.jobs.ShareJob(request)).token
    async with connect(user.address, token=share) as guest:
        watch = guest.watch(job.job_id)
        await watch.read()
        user.set_clock(2 * HOUR)
        ended = await refused(_end_of(watch))
        expired = await refused(guest.jobs.GetJob(GetJobRequest(job_id=job.job_id)))
        user.set_clock(0)
        found = await guest.get(job.job_id)

    assert (
        (ended.code, ended.reason) == (expired.code, expired.reason) == ("UNAUTHENTICATED", "TOKEN_EXPIRED")
    )
    assert found.job_id == job.job_id


async def _end_of(watch: WatchCall) -> object:
    """The last message of a stream, which is ended with a status."""
    while (message := await watch.read()) is not grpc.aio.EOF:
        pass
    return message
