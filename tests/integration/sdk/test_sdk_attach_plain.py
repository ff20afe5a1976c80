"""Claims by synchronous code, from threads."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
import uuid
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

import milepost.client
from milepost.client import SyncClient
from milepost.client._attach import AttachedJob
from milepost.client._transport.event_loop_thread import EventLoopThread
from milepost.client._worker.current_job import current_job
from milepost.client.errors import JobNotFound
from milepost.contract.job_states import has_ended
from milepost.v1 import Dispatch
from tests.support.rpc import state_name
from tests.support.server import ServerProcess

EXTERNAL = Dispatch.DISPATCH_EXTERNAL
CLIENT = f"{Path(milepost.client.__file__).parent}{os.sep}"


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


@pytest.mark.filterwarnings("ignore:coroutine 'SyncAttached._claim' was never awaited")
def test_a_signal_anywhere_in_a_claim_leaves_no_running_job(shared_server: ServerProcess) -> None:
    """A block that is not entered has no end, so its job is cancelled, also where the claim had succeeded. It is not
    the current job of what follows.
    """
    kind = f"interrupted-{uuid.uuid4().hex[:8]}"
    with SyncClient(shared_server.address) as plain:
        plain.whoami()
        point = 0
        while True:
            point += 1
            block = plain.start(kind)
            try:
                with _interrupted_at(point):
                    block.__enter__()
            except KeyboardInterrupt:
                assert current_job() is None
                continue
            block.__exit__(None, None, None)
            break
        _until(lambda: all(has_ended(job.proto) for job in plain.list(kinds=[kind])))
        states = [state_name(job) for job in plain.list(kinds=[kind])]

    assert point > 5
    assert (states.count("SUCCEEDED"), states.count("CANCELLED")) == (1, len(states) - 1)
    assert states.count("CANCELLED") > 1


@pytest.mark.filterwarnings("ignore:coroutine 'Attachment.end' was never awaited")
def test_a_signal_anywhere_in_an_end_leaves_no_running_job(shared_server: ServerProcess) -> None:
    """The block has ended, so its end is reported all the same."""
    kind = f"interrupted-{uuid.uuid4().hex[:8]}"
    with SyncClient(shared_server.address) as plain:
        left = False
        point = 1  # no code of ours runs before the call of `__exit__` itself
        while not left:
            point += 1
            block = plain.start(kind, flush_timeout=120.0)
            block.__enter__()
            try:
                with _interrupted_at(point):
                    block.__exit__(None, None, None)
                left = True
            except KeyboardInterrupt:
                assert current_job() is None
        _until(lambda: all(has_ended(job.proto) for job in plain.list(kinds=[kind])))
        states = {state_name(job) for job in plain.list(kinds=[kind])}

    assert point > 5
    assert states == {"SUCCEEDED"}


@pytest.mark.parametrize("begins", ["claim", "end"])
def test_two_signals_at_once_leave_no_running_job(
    shared_server: ServerProcess, monkeypatch: pytest.MonkeyPatch, begins: str
) -> None:
    """The second one raises in what the first one has interrupted: in the call that ends the block in its place."""
    kind = f"interrupted-{uuid.uuid4().hex[:8]}"
    signals: list[str] = []
    start = EventLoopThread.start

    def interrupted(thread: EventLoopThread, coroutine: Coroutine[Any, Any, Any]) -> Future[Any]:
        if not signals:
            return start(thread, coroutine)
        if signals.pop() == "after":
            start(thread, coroutine)
        else:
            coroutine.close()
        raise KeyboardInterrupt

    monkeypatch.setattr(EventLoopThread, "start", interrupted)
    with SyncClient(shared_server.address) as plain:
        block = plain.start(kind, flush_timeout=120.0)
        if begins == "end":
            block.__enter__()
            signals += ["before", "before"]
        else:
            signals += ["before", "after"]
        with pytest.raises(KeyboardInterrupt):
            block.__exit__(None, None, None) if begins == "end" else block.__enter__()
        assert signals == []
        assert current_job() is None
        _until(lambda: all(has_ended(job.proto) for job in plain.list(kinds=[kind])))
        states = {state_name(job) for job in plain.list(kinds=[kind])}

    assert states == {"SUCCEEDED" if begins == "end" else "CANCELLED"}


@contextlib.contextmanager
def _interrupted_at(number: int) -> Iterator[None]:
    """Raise KeyboardInterrupt at the so many-th point in the SDK's code where Python would look for signals.

    It does so when a function begins, and after one that is written in C.
    """
    left = number

    def trace(frame: FrameType, event: str, _: object) -> None:
        nonlocal left
        if event in ("call", "c_return") and frame.f_code.co_filename.startswith(CLIENT):
            left -= 1
            if left == 0:
                sys.setprofile(None)
                raise KeyboardInterrupt

    sys.setprofile(trace)
    try:
        yield
    finally:
        sys.setprofile(None)


def _until(condition: Callable[[], bool]) -> None:
    while not condition():
        time.sleep(0.02)
