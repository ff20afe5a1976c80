"""SyncClient: the same methods, results and errors."""

from __future__ import annotations

import itertools
import threading
import uuid
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest

from milepost.client import Connection, Ended, JobContext, SyncClient, Worker
from milepost.client.errors import JobCancelled, JobFailed, JobNotFound
from milepost.v1 import JobState
from tests.support.proxy import CuttableProxy
from tests.support.server import ServerProcess


@pytest.fixture
def client(shared_server: ServerProcess) -> Iterator[SyncClient]:
    """A client of the shared server."""
    with SyncClient(shared_server.address) as connected:
        yield connected


@pytest.fixture
def kind(shared_server: ServerProcess) -> Iterator[str]:
    """A kind of job of the test's own, with a worker for it."""
    name = f"test-{uuid.uuid4().hex}"
    worker = Worker(shared_server.address, max_concurrency=4, drain_timeout=0.0)

    @worker.job(name)
    def handler(job: JobContext) -> dict[str, object]:
        with job.stage("count") as stage:
            for number in stage.track(range(int(job.input["count"]))):
                job.log(str(number))
        if "fail" in job.input:
            raise ValueError("as the input says")
        return {"counted": job.input["count"]}

    @worker.job(f"{name}-endless")
    def endless(job: JobContext) -> None:
        while True:
            stopped.wait(0.01)
            job.raise_if_cancelled()

    stopped = threading.Event()
    thread = threading.Thread(target=worker.main)
    thread.start()
    try:
        yield name
    finally:
        worker.stop()
        thread.join()


def test_the_same_verbs(client: SyncClient, kind: str) -> None:
    """From submission to result."""
    job = client.submit(kind, {"count": 5})
    events = list(client.watch(job.job_id))
    assert list(range(1, len(events) + 1)) == [event.sequence for event in events]
    assert [event.log_written.text for event in events if event.HasField("log_written")] == [
        "0",
        "1",
        "2",
        "3",
        "4",
    ]
    assert client.result(job.job_id) == {"counted": 5.0}
    ended = client.get(job.job_id)
    assert [ended] == list(client.follow(job.job_id))
    assert [ended] == list(client.list(kinds=[kind]))
    assert ended == client.cancel(job.job_id)


def test_the_same_errors(client: SyncClient, kind: str) -> None:
    """With their attributes."""
    with pytest.raises(JobNotFound):
        client.get("no-such-job")
    with pytest.raises(JobNotFound):
        next(client.watch("no-such-job"))
    failing = client.submit(kind, {"count": 0, "fail": True})
    with pytest.raises(JobFailed, match="as the input says"):
        client.result(failing.job_id)
    endless = client.submit(f"{kind}-endless")
    with pytest.raises(TimeoutError):
        client.result(endless.job_id, timeout=0.05)
    client.cancel(endless.job_id, reason="enough")
    with pytest.raises(JobCancelled, match="enough"):
        client.result(endless.job_id)


def test_a_watch_can_be_left_and_taken_up(client: SyncClient, kind: str) -> None:
    """Its cursor is that of the last yielded event."""
    job = client.submit(kind, {"count": 10})
    client.result(job.job_id)
    with client.watch(job.job_id) as watch:
        first = [next(watch).sequence for _ in range(3)]
        assert (watch.cursor, watch.connection.state) == (3, "live")
        cursor, epoch = watch.cursor, watch.epoch
    assert (list(watch), watch.cursor, watch.epoch) == ([], cursor, epoch)
    rest = client.watch(job.job_id, after=cursor, epoch=epoch)
    assert [*first, *(event.sequence for event in rest)] == list(range(1, rest.head + 1))
    assert (rest.caught_up, rest.reconnects) == (True, 0)


@pytest.fixture
def interrupted(client: SyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each second wait of the client is interrupted as by Ctrl-C, just when what it waited for has come."""
    run = client._loop_thread.run
    waits = itertools.count()

    def run_and_interrupt(coroutine: Coroutine[Any, Any, Any]) -> Any:
        result = run(coroutine)
        if next(waits) % 2 == 0:
            raise KeyboardInterrupt
        return result

    monkeypatch.setattr(client._loop_thread, "run", run_and_interrupt)


def yielded(items: Iterator[Any], check: Callable[[list[Any]], object]) -> list[Any]:
    """All items of an iterator that goes on after each interruption; `check` gets those before it."""
    collected: list[Any] = []
    while True:
        try:
            collected.append(next(items))
        except KeyboardInterrupt:
            check(collected)
        except StopIteration:
            return collected


def test_an_interrupted_watch_goes_on_where_it_was(
    client: SyncClient, kind: str, request: pytest.FixtureRequest
) -> None:
    """Each event comes once, and the cursor is that of the last one that the caller got."""
    job = client.submit(kind, {"count": 10})
    client.result(job.job_id)
    head = client.get(job.job_id).last_sequence
    watch, resumed = client.watch(job.job_id), client.watch(job.job_id, after=2)
    jobs = client.watch_jobs(job_ids=[job.job_id], follow=False)
    request.getfixturevalue("interrupted")
    cursors: list[tuple[int, int]] = []
    positions: list[int | None] = []

    events = yielded(watch, lambda got: cursors.append((watch.cursor, len(got))))
    rest = yielded(resumed, lambda got: cursors.append((resumed.cursor, got[-1].sequence if got else 2)))
    items = yielded(jobs, lambda got: positions.append(jobs.position))

    assert [event.sequence for event in events] == list(range(1, head + 1))
    assert [event.sequence for event in rest] == [event.sequence for event in events[2:]]
    assert [item.sequence for item in items] == list(range(1, head + 1))
    assert [cursor for cursor, _ in cursors] == [last for _, last in cursors]
    assert positions[0] is None


def test_interrupted_subscriptions_go_on_where_they_were(
    client: SyncClient, kind: str, request: pytest.FixtureRequest
) -> None:
    """Each item comes once, also the end, and a cursor is that of the last event that the caller got."""
    job = client.submit(kind, {"count": 10})
    client.result(job.job_id)
    head = client.get(job.job_id).last_sequence
    subscriptions = client.subscriptions()
    subscriptions.add(job.job_id)
    request.getfixturevalue("interrupted")
    got: list[Any] = []
    cursors: list[tuple[int, int]] = []

    while subscriptions:
        try:
            got.append(next(subscriptions))
        except KeyboardInterrupt:
            if len(got) < head:
                cursors.append((subscriptions.cursor(job.job_id), len(got)))
            assert job.job_id in subscriptions

    assert [item.sequence for item in got[:-1]] == list(range(1, head + 1))
    assert got[-1] == Ended(job.job_id)
    assert [cursor for cursor, _ in cursors] == [last for _, last in cursors]


def test_a_watch_survives_cuts(shared_server: ServerProcess, client: SyncClient, kind: str) -> None:
    """It reconnects by itself, and calls `on_state`."""
    states: list[Connection] = []
    with CuttableProxy(shared_server.address) as proxy, SyncClient(proxy.address) as far:
        job = client.submit(f"{kind}-endless")
        watch = far.watch(job.job_id, on_state=states.append)
        assert "job_started" in [next(watch).WhichOneof("payload") for _ in range(2)]
        proxy.cut()
        client.cancel(job.job_id)
        rest = list(watch)
    assert rest[-1].HasField("job_ended")
    assert watch.reconnects == 1
    assert [state.state for state in states] == ["connecting", "live", "reconnecting", "live"]


def test_several_threads_share_a_client(client: SyncClient, kind: str) -> None:
    """Each gets its own results."""
    results: dict[int, object] = {}

    def work(count: int) -> None:
        results[count] = client.result(client.submit(kind, {"count": count}).job_id)

    threads = [threading.Thread(target=work, args=(count,)) for count in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {count: {"counted": float(count)} for count in range(8)} == results


def test_closing_a_client_wakes_who_waits(shared_server: ServerProcess, client: SyncClient) -> None:
    """In any waiting thread."""
    job = client.submit("nobody-does-this")
    other = SyncClient(shared_server.address)
    watch = other.watch(job.job_id)
    caught: list[str] = []

    def wait(blocking: Callable[[], object]) -> None:
        try:
            blocking()
        except RuntimeError as error:
            caught.append(str(error))

    next(watch)
    threads = [
        threading.Thread(target=wait, args=(blocking,))
        for blocking in (lambda: next(watch), lambda: other.result(job.job_id))
    ]
    for thread in threads:
        thread.start()
    other.close()
    for thread in threads:
        thread.join()
    assert caught == ["The client is closed.", "The client is closed."]
    client.cancel(job.job_id)


def test_generators_can_be_left(client: SyncClient, kind: str) -> None:
    """Unfinished iterators are cleaned up, also after the client is closed."""
    for _ in range(3):
        client.submit(kind, {"count": 0})
    jobs = client.list(kinds=[kind], page_size=1)
    next(jobs)
    jobs.close()
    left = client.list(kinds=[kind], page_size=1)
    next(left)
    client.close()
    left.close()
    client.close()
    with pytest.raises(RuntimeError, match="The client is closed"):
        client.get("j")


def test_a_job_is_queued_without_a_worker(client: SyncClient) -> None:
    """It is cancelled at once."""
    job = client.submit("nobody-does-this")
    assert client.cancel(job.job_id).state == JobState.JOB_STATE_CANCELLED
