"""``milepost migrate``: a log moves completely from a database to a stream."""

from __future__ import annotations

from pathlib import Path

import pytest

from milepost.v1 import (
    ErrorReason,
    ListJobsRequest,
    Resume,
    WatchJobRequest,
)
from tests.support.bad_requests import struct
from tests.support.command import milepost
from tests.support.forking import Forkery
from tests.support.nats import NatsServer
from tests.support.ports import free_port
from tests.support.refused import refused
from tests.support.rpc import Rpc, connect
from tests.support.server import ServerProcess
from tests.support.varied_log import SWEEPING, kept_events, varied_log


async def test_a_log_moves_whole(tmp_path: Path, nats_server: NatsServer, forkery: Forkery) -> None:
    """Every job is unchanged, with its events and sequences; subscribers and workers notice the new epoch."""
    data = tmp_path / "data"
    with ServerProcess(data, *SWEEPING, forkery=forkery) as server:
        async with connect(server.address) as rpc:
            held, token = await varied_log(rpc)
            kind = rpc.kind
            listed = (await rpc.jobs.ListJobs(ListJobsRequest())).jobs
            logs = {job.job_id: await kept_events(rpc, job.job_id) for job in listed}
        assert server.stop() == 0
        before = server.epoch
        to = ("--to", nats_server.url, "--nats-stream", "moved")
        outcome = await milepost("migrate", "--from", f"sqlite://{data}", *to)
        assert outcome.status == 0, outcome.err
        (result,) = outcome.objects
        assert len(listed) == result["jobs"]

    store = ("--store", nats_server.url, "--nats-stream", "moved", "--nats-sync-always")
    with ServerProcess(tmp_path / "node", *store, forkery=forkery) as node:
        assert before != node.epoch
        async with connect(node.address) as rpc:
            rpc.kind = kind
            moved = (await rpc.jobs.ListJobs(ListJobsRequest())).jobs
            evidence = [[job.estimate.sample_size for job in jobs] for jobs in (listed, moved)]
            for job in (*listed, *moved):
                job.epoch = ""
                job.ClearField("estimate")  # made at another time
            assert max(evidence[0]) > 0
            assert evidence[0] == evidence[1]
            assert list(listed) == list(moved)
            for job_id, log in logs.items():
                assert log == await kept_events(rpc, job_id)
            gone = await refused(_first(rpc, WatchJobRequest(job_id="done-1", epoch=before)))
            assert gone.reason == "EPOCH_CHANGED"
            again = await rpc.submit(
                job_id="done-1",
                request_id="r-1",
                parent_job_id="parent",
                labels={"number": "1"},
                input=struct({"path": "/x/1"}),
            )
            assert again.job_id == "done-1"
            async with rpc.session(kinds=[]) as session:
                await session.send(resume=Resume(job_id=held, lease_token=token))
                told_to_stop = (await session.receive("rejected")).rejected
                assert (held, ErrorReason.ERROR_REASON_LEASE_LOST) == (
                    told_to_stop.job_id,
                    told_to_stop.reason,
                )


async def _first(rpc: Rpc, request: WatchJobRequest) -> object:
    return await anext(aiter(rpc.jobs.WatchJob(request)))


async def test_a_stream_that_is_not_empty_is_left_alone(tmp_path: Path, nats_server: NatsServer) -> None:
    """A stream with messages is refused, and so is the log of a running server."""
    data = tmp_path / "data"
    with ServerProcess(data) as server:
        to = ("--to", nats_server.url, "--nats-stream", "taken")
        outcome = await milepost("migrate", "--from", f"sqlite://{data}", *to)
        assert (outcome.status, "in use" in outcome.err) == (2, True)
        assert server.stop() == 0
        for expected in (0, 2):
            outcome = await milepost("migrate", "--from", f"sqlite://{data}", *to)
            assert outcome.status == expected, outcome.err
        assert "is not empty" in outcome.err


async def test_nats_that_is_away(tmp_path: Path) -> None:
    """The command waits for NATS only as long as it is told to, and says which option that is."""
    with ServerProcess(tmp_path / "data") as server:
        assert server.stop() == 0
    to = ("--to", f"nats://127.0.0.1:{free_port()}", "--connect-timeout", "100ms")
    outcome = await milepost("migrate", "--from", str(tmp_path / "data"), *to)
    assert (outcome.status, outcome.out) == (2, "")
    assert outcome.err.splitlines()[-1] == (
        "Error: NATS did not take the connection within 0.1 s. See the warnings above, and what --to names; "
        "--connect-timeout waits longer."
    )


@pytest.mark.parametrize(
    ("options", "result"),
    [
        (["--from", "nowhere", "--to", "nats://localhost"], "there is no log in 'nowhere'"),
        (["--from", ".", "--to", "sqlite"], "is not nats://"),
        (
            ["--from", "both", "--to", "nats://localhost"],
            "Name the file: both/milepost.db or both/projection.db.",
        ),
    ],
)
async def test_invalid_arguments_are_refused(tmp_path: Path, options: list[str], result: str) -> None:
    """Invalid arguments are refused before anything is done."""
    (tmp_path / "milepost.db").touch()
    (tmp_path / "both").mkdir()
    for name in ("milepost.db", "projection.db"):
        (tmp_path / "both" / name).touch()
    outcome = await milepost("migrate", *options, cwd=tmp_path)
    assert (outcome.status, result in " ".join(outcome.err.split())) == (2, True)
