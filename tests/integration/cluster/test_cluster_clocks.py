"""Nodes on machines whose clocks are hours wrong, by libfaketime: no limit of a job's time is counted from them."""

from __future__ import annotations

from pathlib import Path

import pytest
from google.protobuf.duration_pb2 import Duration

from milepost.v1 import Claim, Dispatch
from tests.support.nats import NatsServer
from tests.support.nodes import Nodes
from tests.support.rpc import eventually, state_name
from tests.support.server import ServerProcess

LIBRARIES = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))

pytestmark = [
    pytest.mark.nightly,
    pytest.mark.timeout(180),
    pytest.mark.skipif(not LIBRARIES, reason="libfaketime is not installed (Debian: faketime)"),
]


def _set_clock(server: ServerProcess, wrong_by: str) -> None:
    server.environment.update(
        LD_PRELOAD=str(LIBRARIES[0]),
        FAKETIME=wrong_by,
        FAKETIME_NO_CACHE="1",
        FAKETIME_DONT_FAKE_MONOTONIC="1",
    )


async def test_a_node_that_starts_with_a_wrong_clock(tmp_path: Path) -> None:
    """It finds jobs that another node dated two hours before, by that node's clock, and ends none of them early."""
    limits = {"timeout": Duration(seconds=600), "attempt_timeout": Duration(seconds=600)}
    with NatsServer(tmp_path) as nats:
        nodes = Nodes(tmp_path, [nats.url] * 2)
        behind, ahead = nodes.servers
        _set_clock(behind, "-1h")
        _set_clock(ahead, "+1h")
        with nodes:
            async with nodes.connected() as (first, second), first.session(kinds=[]) as session:
                waiting = await first.submit(start_deadline=Duration(seconds=600))
                running = await first.submit(dispatch=Dispatch.DISPATCH_EXTERNAL, **limits)
                await session.send(claim=Claim(job_id=running.job_id))
                await session.take()

                ahead.stop()
                ahead.restart()
                # Its timers fire in their order, and those of the jobs that it found were set before this one's.
                last = await second.submit(start_deadline=Duration(seconds=1))

                async def has_ended() -> bool:
                    return state_name(await second.get(last.job_id)) == "FAILED"

                await eventually(has_ended)
                assert state_name(await second.get(waiting.job_id)) == "QUEUED"
                assert state_name(await second.get(running.job_id)) == "RUNNING"
