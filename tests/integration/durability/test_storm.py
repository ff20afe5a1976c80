"""``kill -9`` with many subscribers: all reconnect at once; no event is lost or duplicated."""

from __future__ import annotations

from pathlib import Path

import pytest

from milepost.v1 import Claim, Dispatch, Resume
from tests.support.many_subscribers import many_subscribers, raise_open_files
from tests.support.rpc import connect, eventually, log_line, succeeded
from tests.support.server import ServerProcess
from tests.support.validators import History, check


async def storm(data: Path, size: int) -> None:
    """Watch a job whose server is killed and restarted; then the job runs to its end."""
    raise_open_files()
    # Subscribers may take all of the machine for longer than the default lease; the session sends no heartbeats.
    with ServerProcess(data, "--lease-ttl", "10m") as server:
        async with connect(server.address) as rpc:
            job = await rpc.submit(dispatch=Dispatch.DISPATCH_EXTERNAL)
            async with many_subscribers(server.address, job.job_id, size) as subscribers:
                async with rpc.session(kinds=[]) as session:
                    await session.send(claim=Claim(job_id=job.job_id))
                    _, token = await session.take()
                    await session.report(job.job_id, token, 1, *[log_line(str(n)) for n in range(20)])
                    await session.acknowledged(20)

                    async def traffic_flowed() -> bool:
                        return all(subscriber.shown == 22 for subscriber in subscribers)

                    await eventually(traffic_flowed)
                    await session.report(job.job_id, token, 21, *[log_line(str(n)) for n in range(20, 40)])
                    server.kill()  # at any point of deciding, committing or sending it
                server.restart()
                async with rpc.session(kinds=[]) as session:
                    await session.send(resume=Resume(job_id=job.job_id, lease_token=token))
                    stands = (await session.receive("resumed")).resumed.acknowledged_report_sequence
                    assert stands in (20, 40)
                    await session.report(job.job_id, token, stands + 1, log_line("after"), succeeded())
                    await session.acknowledged(stands + 2)
            log = await rpc.log(job.job_id)
    history = History.of_log(log)
    for subscriber in subscribers:
        assert len(subscriber.recording.streams) >= 2
        check(subscriber.recording, history)
        assert [event.sequence for event in subscriber.recording.events] == [*range(1, len(log) + 1)]


async def test_storm(tmp_path: Path) -> None:
    """Each subscriber resumes at its cursor and receives the log."""
    await storm(tmp_path / "data", 300)


@pytest.mark.nightly
@pytest.mark.timeout(1200)
async def test_storm_at_length(tmp_path: Path) -> None:
    """With 5,000 subscribers."""
    await storm(tmp_path / "data", 5_000)
