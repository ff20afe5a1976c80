"""The order in which reads of the store are done."""

from __future__ import annotations

import asyncio
import errno
import os
import sqlite3
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import pytest
from structlog.testing import capture_logs

from milepost.server.base.fault_log import FaultLog
from milepost.server.log.event_log import EventPage, JobPage, Query
from milepost.server.log.log_errors import StoreFailed, StoreUnavailable
from milepost.server.log.sqlite import read_lane
from milepost.server.log.sqlite.read_lane import UNDELIVERED, ReadLane
from milepost.server.log.sqlite.reader import Reader
from milepost.server.log.sqlite.reader_pool import LONG_READ_THREADS
from milepost.server.log.sqlite.sqlite_log import SqliteEventLog
from milepost.server.log.sqlite.statements import PRAGMAS
from milepost.server.log.store_files import connect
from milepost.server.scheduling.callers import SERVER
from milepost.server.store_errors import refusal_of
from milepost.v1 import ErrorReason, EventFilter, JobFilter
from tests.support.commits import Author, put
from tests.support.rpc import eventually
from tests.support.validators import EventView
from tests.support.world import Subscriber, World


class Held:
    """Reads that wait until they are released, on the threads that run them."""

    def __init__(self) -> None:
        self._released = threading.Event()
        self._begun = 0

    def read(self, *_: object) -> Any:
        """A read."""
        self._begun += 1
        self._released.wait()

    async def have_begun(self, count: int) -> None:
        """Wait until so many of them wait."""

        async def have() -> bool:
            return self._begun == count

        await eventually(have)

    def release(self) -> None:
        """Let them end."""
        self._released.set()


@pytest.fixture
def held() -> Iterator[Held]:
    """Nothing yet; released at the end, so that no thread is left."""
    made = Held()
    yield made
    made.release()


@pytest.fixture
async def lane(tmp_path: Path) -> AsyncIterator[ReadLane]:
    """A lane of one thread."""
    log = SqliteEventLog(tmp_path)
    made = ReadLane(log._open_reader, 1, "test")
    yield made
    made.close()
    await log.close()


async def test_callers_take_turns_at_the_store(lane: ReadLane, held: Held) -> None:
    """A caller with many reads delays a read of another one by one of its own, and the server's reads likewise."""
    order: list[str] = []

    def noting(name: str) -> Callable[[Reader], None]:
        return lambda reader: order.append(name)

    reads = [asyncio.create_task(lane.run("a", held.read))]
    await held.have_begun(1)
    reads += [asyncio.create_task(lane.run("a", noting(f"a{number}"))) for number in range(4)]
    reads += [asyncio.create_task(lane.run(caller, noting(caller))) for caller in ("b", "c", SERVER)]
    await asyncio.sleep(0)
    held.release()
    await asyncio.gather(*reads)
    assert order == ["a0", "b", "c", SERVER, "a1", "a2", "a3"]


async def test_a_read_of_somebody_who_left_is_not_done(lane: ReadLane, held: Held) -> None:
    """Streams that ended while they waited for a read cost nothing more."""
    done: list[str] = []
    first = asyncio.create_task(lane.run("a", held.read))
    await held.have_begun(1)
    left = [asyncio.create_task(lane.run("a", lambda reader: done.append("left"))) for _ in range(3)]
    last = asyncio.create_task(lane.run("a", lambda reader: done.append("last")))
    await asyncio.sleep(0)
    for read in left:
        read.cancel()
    held.release()
    await asyncio.gather(first, last)
    assert done == ["last"]


def hold_loop_until(condition: Callable[[], bool]) -> None:
    """Keep the event loop from everything until other threads have done something."""
    while not condition():
        time.sleep(0.001)


async def test_threads_read_no_further_than_the_event_loop_goes_on(lane: ReadLane) -> None:
    """So that results of thousands of reads neither fill the memory nor one pass; at the end all are read."""
    begun = 0

    def note(reader: Reader) -> None:
        nonlocal begun
        begun += 1

    reads = [asyncio.create_task(lane.run("a", note)) for _ in range(3 * UNDELIVERED)]
    await asyncio.sleep(0)
    hold_loop_until(lambda: begun >= UNDELIVERED)
    delivered: list[int] = []
    while not all(read.done() for read in reads):
        before = sum(read.done() for read in reads)
        await asyncio.sleep(0)
        delivered.append(sum(read.done() for read in reads) - before)
    assert max(delivered) <= UNDELIVERED

    left = [asyncio.create_task(lane.run("a", note)) for _ in range(3 * UNDELIVERED)]
    await asyncio.sleep(0)
    lane.close()
    assert begun == 6 * UNDELIVERED
    await asyncio.gather(*left)


async def test_an_error_of_a_read_is_raised_to_its_caller(lane: ReadLane) -> None:
    """The lane goes on."""

    def fail(reader: Reader) -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await lane.run("a", fail)
    assert await lane.run("a", lambda reader: reader.ended((0, 0), 1)) == []


async def test_short_reads_do_not_wait_for_long_ones(
    tmp_path: Path, held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While all threads for long reads are busy, and more wait, one job can be read, opened and submitted."""
    world = World(tmp_path, memory=1 << 20)
    await world.submit("j")
    monkeypatch.setattr(Reader, "read_feed", held.read)
    monkeypatch.setattr(Reader, "list_jobs", lambda *_: held.read() or JobPage([], more=False))
    log = world.log
    long_reads = [
        *(asyncio.create_task(log.read_feed(Query(), 0, 1, 0, caller="a")) for _ in range(10)),
        *(asyncio.create_task(log.query(Query(), caller="a")) for _ in range(10)),
    ]
    await held.have_begun(LONG_READ_THREADS)
    job, stored = await log.find("j", caller="b"), await log.load("j")
    page, known = await log.read("j", 0, 0, short=True), await log.find_request("", "r")
    await world.submit("k")
    assert job is not None
    assert stored is not None
    assert (job.job_id, stored.job.job_id, known) == ("j", "j", None)
    assert page is not None
    assert page.head == 1
    assert not any(read.done() for read in long_reads)
    held.release()
    await asyncio.gather(*long_reads)
    await log.close()


async def test_watches_read_in_the_turn_of_their_caller(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each read of a watch, of one job or of many, is counted to the caller that watches."""
    world = World(tmp_path, memory=400)
    await world.submit("j")
    callers: list[str] = []
    run = ReadLane.run

    async def noting(self: ReadLane, caller: str, function: Callable[[Reader], EventPage]) -> EventPage:
        callers.append(caller)
        return await run(self, caller, function)

    monkeypatch.setattr(ReadLane, "run", noting)
    view = EventView()
    for subscriber, start in (
        (Subscriber(world, "j", view), {}),
        (Subscriber(world, "j", view), {"from_snapshot": True}),
        (Subscriber(world, "", view, filter=JobFilter(job_ids=["j"])), {}),
        (Subscriber(world, "", view, event_filter=EventFilter()), {"from_snapshot": True}),
    ):
        subscriber.watch(**start)

        async def has_caught_up(subscriber: Subscriber = subscriber) -> bool:
            frames = subscriber.recording.streams[-1].frames
            return any(frame.WhichOneof("frame") == "caught_up" for frame in frames)

        await eventually(has_caught_up)
        await subscriber.cut()
    of_waiting_jobs = callers.count(SERVER)
    assert set(callers) - {SERVER} == {"caller"}
    assert of_waiting_jobs <= 2  # why a queued job waits is loaded for all of its watches
    await world.log.close()


async def test_a_read_that_raises_what_no_future_can_have() -> None:
    """Its caller gets an error, and does not wait for good."""

    def read(reader: Reader) -> object:
        return next(iter(()))

    lane = ReadLane(lambda: cast("Reader", None), 1, "test")
    with pytest.raises(RuntimeError, match="a read raised StopIteration"):
        await asyncio.wait_for(lane.run(SERVER, read), 120)
    lane.close()


async def test_a_read_that_the_store_cannot_do_for_now(tmp_path: Path) -> None:
    """It may be repeated, as a write may; an error of the server's own may not."""
    log = SqliteEventLog(tmp_path)
    openings: list[Callable[[], object]] = [lambda: sqlite3.connect(tmp_path / "missing" / "log.db")]

    def open_reader() -> Reader:
        if openings:
            openings.pop()()
        return log._open_reader()

    lane = ReadLane(open_reader, 1, "test")
    with pytest.raises(StoreUnavailable, match="unable to open database file") as refused:
        await lane.run(SERVER, lambda reader: reader.find("j"))
    refusal = refusal_of(refused.value)
    assert refusal is not None
    assert refusal.reason == ErrorReason.ERROR_REASON_STORE_UNAVAILABLE
    assert await lane.run(SERVER, lambda reader: reader.find("j")) is None
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        await lane.run(SERVER, lambda reader: reader._connection.execute("SELECT 1 FROM missing"))
    lane.close()
    await log.close()


@pytest.mark.parametrize(
    "read",
    [
        lambda reader: reader.find("j"),
        lambda reader: reader.page("j", 0, 1),
        lambda reader: reader.read_feed(Query(), 0, 1, 0),
        lambda reader: reader.list_jobs(Query()),
    ],
    ids=["one row", "replay", "feed", "list"],
)
async def test_a_disk_that_fails_in_a_read(tmp_path: Path, read: Callable[[Reader], object]) -> None:
    """The read may be repeated, whatever it is: SQLite ends the snapshot of many rows itself then."""
    log = SqliteEventLog(tmp_path)
    await put(log, Author("j").submit())
    await log.close()
    path = tmp_path / "milepost.db"
    reader = Reader(connect(path, PRAGMAS), "epoch")
    reader.recent_kinds(0)  # this opens the file
    break_reads(path)
    lane = ReadLane(lambda: reader, 1, "test")

    for _ in range(2):
        with pytest.raises(StoreUnavailable, match="disk I/O error"):
            await lane.run(SERVER, read)
    lane.close()


def break_reads(path: Path) -> None:
    """Have all open descriptors of this file be for writing only."""
    with path.open("ab") as unreadable:
        for link in Path("/proc/self/fd").iterdir():
            with suppress(OSError):
                if link.readlink() == path and int(link.name) != unreadable.fileno():
                    os.dup2(unreadable.fileno(), int(link.name), inheritable=False)


def read_without_memory(_reader: Reader) -> None:
    """A read that SQLite has no memory for."""
    raise MemoryError


async def test_a_read_without_memory(lane: ReadLane) -> None:
    """It may be repeated, too. sqlite3 raises no error of its own for it."""
    with pytest.raises(StoreUnavailable, match="out of memory"):
        await lane.run(SERVER, read_without_memory)


class FullReader:
    """A reader that has no memory to free what it has cached."""

    def __init__(self) -> None:
        self.has_tried = threading.Event()

    def free_cache(self) -> None:
        """See ``Reader``."""
        self.has_tried.set()
        raise MemoryError

    def close(self) -> None:
        """See ``Reader``."""


async def test_a_cache_that_cannot_be_freed_without_memory() -> None:
    """Reads go on: with their thread they would wait for good."""
    reader = FullReader()
    lane = ReadLane(lambda: cast("Reader", reader), 1, "test", cache_time=0.0)

    async def has_tried() -> bool:
        return reader.has_tried.is_set()

    for _ in range(2):
        assert await asyncio.wait_for(lane.run(SERVER, lambda _: 1), 120) == 1
        await eventually(has_tried)
        reader.has_tried.clear()
    lane.close()


async def test_a_log_that_cannot_be_written(lane: ReadLane, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a full disk. A failed read is refused nevertheless, and others go on."""

    def note(_self: FaultLog, _fault: str, **_fields: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(FaultLog, "note", note)
    for _ in range(2):
        with pytest.raises(StoreUnavailable, match="out of memory"):
            await asyncio.wait_for(lane.run(SERVER, read_without_memory), 120)
    assert await asyncio.wait_for(lane.run(SERVER, lambda reader: reader.find("j")), 120) is None


@pytest.mark.parametrize("is_scheduled", [False, True], ids=["before it is scheduled", "once it is"])
async def test_a_result_that_is_delivered_without_memory(
    lane: ReadLane, monkeypatch: pytest.MonkeyPatch, is_scheduled: bool
) -> None:
    """Its caller gets it once there is memory, and the thread has its room again, once."""
    loop = asyncio.get_running_loop()
    schedule, failures = loop.call_soon_threadsafe, [MemoryError(), MemoryError()]
    as_store_error = read_lane._as_store_error

    def convert(error: BaseException) -> BaseException:
        if failures:
            raise failures.pop()
        return as_store_error(error)

    def call(callback: Callable[[], object]) -> asyncio.Handle:
        if failures:
            if is_scheduled:
                schedule(callback)
            raise failures.pop()
        return schedule(callback)

    monkeypatch.setattr(loop, "call_soon_threadsafe", call)
    monkeypatch.setattr(read_lane, "_as_store_error", convert)
    assert await asyncio.wait_for(lane.run(SERVER, lambda _: 1), 120) == 1
    failures += [MemoryError(), MemoryError()]
    with pytest.raises(StoreUnavailable, match="out of memory"):
        await asyncio.wait_for(lane.run(SERVER, read_without_memory), 120)
    assert await asyncio.wait_for(lane.run(SERVER, lambda _: 2), 120) == 2
    assert lane._room._value == UNDELIVERED


async def test_a_failing_disk_does_not_fill_the_log() -> None:
    """Who meets its error tries again, some of them each tenth of a second."""

    def open_reader() -> Reader:
        sqlite3.connect("/proc/none/log.db")
        raise AssertionError

    lane = ReadLane(open_reader, 1, "test")
    with capture_logs() as lines:
        for _ in range(5):
            with pytest.raises(StoreUnavailable):
                await lane.run(SERVER, lambda reader: reader.find("j"))
    lane.close()
    assert [line["event"] for line in lines] == ["read failed"]


async def test_a_read_of_a_closed_store(lane: ReadLane) -> None:
    """It is refused like a write, which is no fault of the server: a call may come to it while the server stops."""
    lane.close()
    with pytest.raises(StoreFailed) as refused:
        await lane.run(SERVER, lambda reader: reader.find("j"))
    assert refusal_of(refused.value) is not None
