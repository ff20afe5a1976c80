"""Claims by synchronous code, from threads."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable

import pytest

from milepost.client import SyncClient
from milepost.client._attach import AttachedJob
from milepost.client._worker.current_job import current_job
from milepost.client.errors import JobNotFound
from milepost.v1 import Dispatch
from tests.support.rpc import state_name
from tests.support.server import ServerProcess

EXTERNAL = Dispatch.DISPATCH_EXTERNAL


def test_plain_code(shared_server: ServerProcess) -> None:
    """Without asyncio, from several threads that share a client."""
    results: dict[int, object] = {}

    def work(number: int) -> None:
        with plain.start("step", {"number": number}) as job:
            assert job is current_job()
            with job.stage("count") as stage:
                total = sum(stage.track(range(number)))
            job.result = {"total": total}
        results[number] = plain.result(job.id)

    with SyncClient(shared_server.address) as plain:
        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with pytest.raises(ZeroDivisionError), plain.start("step") as failing:
            print(1 / 0)
        with pytest.raises(JobNotFound), plain.attach("no-such-job"):
            pass
        job_id = plain.submit("step", dispatch=EXTERNAL).job_id
        with plain.attach(job_id):
            pass
        assert (state_name(plain.get(failing.id)), state_name(plain.get(job_id))) == ("FAILED", "SUCCEEDED")

    assert {number: {"total": sum(range(number))} for number in range(4)} == results


def test_plain_code_looks_for_its_cancellation(shared_server: ServerProcess) -> None:
    """By `track`, `raise_if_cancelled` or `cancelled`; a block that finishes all the same wins."""

    def track(job: AttachedJob) -> None:
        plain.cancel(job.id)
        with job.stage("endless") as stage:
            for _ in stage.track(iter(int, 1)):
                pass

    def go_on(job: AttachedJob) -> None:
        plain.cancel(job.id)
        while not job.cancelled:
            time.sleep(0.001)

    def go_on_for_too_long(job: AttachedJob) -> None:
        plain.cancel(job.id, grace_period=0.01)
        while state_name(plain.get(job.id)) != "CANCELLED":
            time.sleep(0.001)

    def look(job: AttachedJob) -> None:
        while True:
            time.sleep(0.001)
            job.raise_if_cancelled()

    def outcome(work: Callable[[AttachedJob], None], timeout: float | None = None) -> tuple[str, str]:
        job_id = f"plain-{uuid.uuid4().hex}"
        try:
            with plain.start("step", job_id=job_id, timeout=timeout) as job:
                work(job)
        except BaseException as error:  # noqa: BLE001 - what comes out is what is looked at
            return type(error).__name__, state_name(plain.get(job_id))
        return "", state_name(plain.get(job_id))

    with SyncClient(shared_server.address) as plain:
        assert outcome(track) == ("Cancelled", "CANCELLED")
        assert outcome(go_on) == ("", "SUCCEEDED")
        assert outcome(go_on_for_too_long) == ("Cancelled", "CANCELLED")
        assert outcome(look, timeout=1) == ("JobEndedError", "FAILED")
