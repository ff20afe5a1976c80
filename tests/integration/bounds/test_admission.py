"""The limits of open watches, and of jobs that wait."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import grpc.aio
import pytest

from milepost.server.base.refusal import Refusal
from milepost.server.watching.watch_admission import WatchAdmission
from milepost.v1 import Job, WatchJobsRequest
from tests.support.forking import Forkery
from tests.support.refused import refused
from tests.support.rpc import connect, eventually
from tests.support.server import ServerProcess


@pytest.mark.parametrize("limit", ["max-watches", "max-watches-per-caller"])
async def test_a_watch_beyond_the_limit_is_refused(tmp_path: Path, forkery: Forkery, limit: str) -> None:
    """Of one job or of many, over any connection. The refusal names the limit; a watch that ends makes room."""
    with ServerProcess(tmp_path / "data", f"--{limit}", "2", forkery=forkery) as server:
        async with connect(server.address) as rpc, connect(server.address) as other:
            job = await rpc.submit()
            watches: list[Any] = [rpc.watch(job.job_id), other.jobs.WatchJobs(WatchJobsRequest())]
            for watch in watches:
                assert (await watch.read()).WhichOneof("frame") == "opened"
            for one_more in (other.watch(job.job_id), rpc.jobs.WatchJobs(WatchJobsRequest())):
                refusal = await refused(one_more.read())
                assert (
                    refusal.code,
                    refusal.reason,
                    refusal.metadata,
                ) == ("RESOURCE_EXHAUSTED", "LIMIT_REACHED", {"limit": limit})
                assert refusal.retry_delay
            watches[0].cancel()

            async def is_open() -> bool:
                watch: Any = other.watch(job.job_id)
                try:
                    return bool((await watch.read()).HasField("opened"))
                except grpc.aio.AioRpcError:  # the server may not have noticed yet
                    return False
                finally:
                    watch.cancel()

            await eventually(is_open)


async def test_submissions_are_refused_while_too_many_jobs_wait(tmp_path: Path, forkery: Forkery) -> None:
    """By the memory that they take. The refusal names the option; jobs that are cancelled make room."""
    with ServerProcess(tmp_path / "data", "--queue-memory", "1", forkery=forkery) as server:
        async with connect(server.address) as rpc:
            accepted: list[Job] = []
            refusals: list[BaseException] = []
            while not refusals:
                # Each with a concurrency key of its own, so that fewer of them take as much.
                answers = await asyncio.gather(
                    *(rpc.submit(concurrency_key=f"{len(accepted)}-{number}") for number in range(50)),
                    return_exceptions=True,
                )
                accepted += [answer for answer in answers if isinstance(answer, Job)]
                refusals += [answer for answer in answers if isinstance(answer, BaseException)]
            assert 300 <= len(accepted) <= 600
            refusal = await refused(rpc.submit())
            assert (
                refusal.code,
                refusal.reason,
                refusal.metadata,
            ) == ("RESOURCE_EXHAUSTED", "LIMIT_REACHED", {"limit": "queue-memory"})
            assert refusal.retry_delay
            await asyncio.gather(*(rpc.cancel(job.job_id) for job in accepted[-100:]))

            await rpc.submit()


def test_each_caller_has_a_limit_of_its_own() -> None:
    """Up to the total one."""
    admission = WatchAdmission(limit=3, limit_per_caller=2)
    with admission.admit("a"), admission.admit("a"):
        with pytest.raises(Refusal, match="of this caller"), admission.admit("a"):
            pass
        with (
            admission.admit("b"),
            pytest.raises(Refusal, match="of the server"),
            admission.admit("c"),
        ):
            pass
    with admission.admit("a"):
        pass
