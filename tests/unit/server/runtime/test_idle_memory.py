"""What a server that has nothing to do keeps in memory."""

from __future__ import annotations

import asyncio
import gc
import platform
import queue
import sqlite3
import subprocess
import sys
import threading
import weakref
from collections.abc import Mapping
from pathlib import Path

import pytest

from milepost.server.log.sqlite import idle_connection, statements
from milepost.server.log.sqlite.read_lane import ReadLane
from milepost.server.log.sqlite.reader import Reader
from milepost.server.log.sqlite.sqlite_log import SqliteEventLog
from milepost.server.log.sqlite.transaction import Transaction
from milepost.server.runtime.process import gc_tuning, heap_trimming
from tests.support.commits import Author

pytestmark = pytest.mark.usefixtures("collected_on_request")


class _Write:
    """A write of nothing."""

    def write(self, transaction: Transaction) -> None:
        """See ``Write``."""


async def test_writes_are_not_kept_until_the_next_one(tmp_path: Path) -> None:
    """The writer waits for the next write without the last ones, which may have inputs of 1 MiB each."""
    log = SqliteEventLog(tmp_path)
    gone = threading.Event()
    write = _Write()
    weakref.finalize(write, gone.set)
    await log._write(write)
    del write

    assert await asyncio.to_thread(gone.wait, 120.0)
    await log.close()


async def test_pages_are_freed_while_there_is_nothing_to_write(tmp_path: Path) -> None:
    """The writer has its connection free its cache when no write comes for a moment."""
    freed = threading.Event()
    log = _TracedLog(tmp_path, {statements.SHRINK_MEMORY: freed})
    author = Author("j")
    await log.append(author.submit())

    assert await asyncio.to_thread(freed.wait, 120.0)
    await log.append(author.start())
    await log.close()


async def test_pages_of_a_reader_are_freed_while_nobody_reads(tmp_path: Path) -> None:
    """Once after the last read: replays would leave some MiB with each thread that reads."""
    log = SqliteEventLog(tmp_path)
    statements_of_reader: queue.SimpleQueue[str] = queue.SimpleQueue()

    def open_reader() -> Reader:
        connection = log._connect()
        connection.set_trace_callback(statements_of_reader.put)
        return Reader(connection, log.epoch)

    lane = ReadLane(open_reader, 1, "test", cache_time=0.01)
    for _ in range(2):
        await lane.run("a", lambda reader: reader.find("j"))
        while await asyncio.to_thread(statements_of_reader.get, True, 120.0) != statements.SHRINK_MEMORY:
            pass

    lane.close()
    assert statements_of_reader.empty()
    await log.close()


def test_cursors_are_forgotten_while_nobody_uses_a_connection() -> None:
    """sqlite3 has a weak reference to each of up to 200, which lie anywhere in memory."""
    connection = sqlite3.connect(":memory:")
    cursors = [connection.cursor() for _ in range(150)]
    noted = [weakref.ref(cursor) for cursor in cursors]
    of_this_test = [2] * len(noted)
    assert [sys.getrefcount(each) for each in map(noted.__getitem__, range(150))] > of_this_test
    cursors.clear()

    idle_connection.free_memory(connection)
    assert [sys.getrefcount(noted[number]) for number in range(150)] == of_this_test
    connection.close()


def test_the_type_cache_lets_go_of_names() -> None:
    """It has the name of each attribute that was looked up, also where C code makes a new string of it each time."""
    name = str(bytearray(b"utcoffset"), "ascii")
    alone = sys.getrefcount(name)
    getattr(object, name, None)
    assert sys.getrefcount(name) > alone

    heap_trimming.clear_type_cache()
    assert sys.getrefcount(name) == alone


async def test_heaps_are_trimmed_again_and_again() -> None:
    """On a thread of its own, so that nothing else waits for it, and after garbage was collected."""
    collected = 0
    rounds: asyncio.Queue[int] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def trim() -> None:
        heap_trimming.trim()
        loop.call_soon_threadsafe(rounds.put_nowait, threading.get_ident())

    def collect() -> bool:
        nonlocal collected
        collected += 1
        return False

    trimming = asyncio.create_task(heap_trimming.keep_trimmed(collect, _evict_nothing, trim, 0.0))
    threads = {await rounds.get() for _ in range(3)}
    trimming.cancel()

    assert threading.get_ident() not in threads
    assert collected >= 3


async def test_caches_drop_what_is_unused_once_the_server_is_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are asked twice, with time for use in between, and Python's own once, before the heaps are trimmed."""
    became_idle = iter((False, True, False))
    done: list[str] = []
    ended = asyncio.Event()

    def collect() -> bool:
        done.append("collect")
        try:
            return next(became_idle)
        except StopIteration:
            ended.set()
            return False

    async def evict_unused() -> None:
        done.append("evict")

    monkeypatch.setattr(heap_trimming, "clear_type_cache", lambda: done.append("clear"))
    trimming = asyncio.create_task(
        heap_trimming.keep_trimmed(collect, evict_unused, lambda: done.append("trim"), 0.0, 0.0)
    )
    await ended.wait()
    trimming.cancel()

    assert done[:9] == ["collect", "trim", "collect", "evict", "evict", "clear", "trim", "collect", "trim"]


async def _evict_nothing() -> None:
    """What a server without caches drops."""


class _Cycle:
    """Refers to itself, so that only the collector frees it."""

    def __init__(self) -> None:
        self.itself = self


def test_garbage_is_collected_while_there_are_few_objects(monkeypatch: pytest.MonkeyPatch) -> None:
    """With many, the server would stand still for as long as it takes to scan them."""
    cycle = weakref.ref(_Cycle())
    monkeypatch.setattr(gc_tuning, "COUNTED_OBJECTS", 2 * sys.getallocatedblocks())
    monkeypatch.setattr(gc_tuning, "FEW_OBJECTS", -1)
    collector = gc_tuning.IdleCollector()
    collector.collect()
    assert cycle() is not None

    monkeypatch.setattr(gc_tuning, "FEW_OBJECTS", len(gc.get_objects()))
    collector.collect()
    assert cycle() is None


async def test_young_objects_are_looked_through_by_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also while a server frees as many as it makes, when Python's own count of them does not grow; not old ones."""
    monkeypatch.setattr(gc_tuning, "YOUNG_INTERVALS", (0.0, 0.0))
    scanned = set()

    def on_collection(_phase: str, info: dict[str, int]) -> None:
        scanned.add(info["generation"])

    gone = asyncio.Event()
    weakref.finalize(_Cycle(), gone.set)  # the fixture has turned Python's own collections off
    gc.callbacks.append(on_collection)
    scanning = asyncio.create_task(gc_tuning.scan_young())
    try:
        await asyncio.wait_for(gone.wait(), 120)
    finally:
        scanning.cancel()
        gc.callbacks.remove(on_collection)
    assert scanned == {1}


_BURST = """
import gc
from milepost.server.runtime.process import gc_tuning

gc_tuning.apply()
gc_tuning.scan_in_pieces({is_surge})
for _ in range(3_000):
    gc.collect(1)
generations = set()
gc.callbacks.append(lambda phase, info: generations.add(info["generation"]))
kept = [[] for _ in range(100_000)]
print(2 in generations, bool(generations))
"""


@pytest.mark.parametrize("is_surge", [False, True])
def test_scans_by_the_clock_bring_no_full_collection_soon(is_surge: bool) -> None:
    """A minute of them at the shortest interval, and then a burst of objects: all are looked through seldom."""
    command = [sys.executable, "-c", _BURST.format(is_surge=is_surge)]
    assert subprocess.run(command, check=True, capture_output=True, text=True).stdout.split() == [
        "False",
        "True",
    ]


@pytest.mark.parametrize(
    ("interval", "took", "following"),
    [
        (0.1, 0.004, 0.1),
        (0.1, 0.008, 0.05),
        (0.1, 0.0032, 0.125),
        (0.1, 0.0, 0.2),
        (0.2, 0.0, 0.25),
        (0.2, 0.1, 0.05),
        (0.05, 0.1, 0.02),
    ],
)
def test_a_scan_of_young_objects_takes_a_few_milliseconds(
    interval: float, took: float, following: float
) -> None:
    """The interval becomes shorter as soon as a scan takes longer, within its bounds, and longer step by step."""
    assert gc_tuning.next_interval(interval, took) == following


def test_garbage_among_many_objects_is_collected_once_the_server_is_idle(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In the first interval in which it has nearly nothing to do, and not again until it was busy."""
    monkeypatch.setattr(gc_tuning, "COUNTED_OBJECTS", 2 * sys.getallocatedblocks())
    monkeypatch.setattr(gc_tuning, "FEW_OBJECTS", -1)
    monkeypatch.setattr(gc_tuning, "MANY_OBJECTS", 2 * len(gc.get_objects()))
    cpu = 0.0
    collector = gc_tuning.IdleCollector(lambda: cpu)
    freed = []
    for used in (0.1, 5.0, 5.0, 0.1, 0.1):
        cycle = weakref.ref(_Cycle())
        cpu += used
        became_idle = collector.collect()
        freed.append((cycle() is None, became_idle))
        gc.collect()

    assert freed == [(idle, idle) for idle in (False, False, False, True, False)]


def test_many_objects_are_counted_again_once_they_may_be_fewer(monkeypatch: pytest.MonkeyPatch) -> None:
    """To count them blocks the event loop, too. How many blocks there are says nothing, since C has some of them."""
    counts: list[int] = []
    objects, blocks = 1_000_000, -5_000_000

    def get_objects(generation: int) -> range:
        counts.append(objects)
        return range(objects)

    monkeypatch.setattr(gc, "get_objects", get_objects)
    monkeypatch.setattr(gc, "collect", lambda: None)
    collector = gc_tuning.IdleCollector(lambda: 0.0, lambda: blocks)
    for _ in range(3):
        collector.collect()
    assert counts == [1_000_000]
    freed = 1_000_000 - gc_tuning.COUNTED_OBJECTS
    blocks -= freed - 1
    collector.collect()
    assert counts == [1_000_000]
    blocks, objects = blocks - 1, objects - freed
    collector.collect()
    assert counts == [1_000_000, gc_tuning.COUNTED_OBJECTS]


def test_objects_are_not_counted_while_a_surge_keeps_the_server_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    """There are many then, and blocks of C, which has them, are not counted."""
    counts: list[int] = []

    def get_objects(generation: int) -> range:
        counts.append(generation)
        return range(10)

    monkeypatch.setattr(gc, "get_objects", get_objects)
    monkeypatch.setattr(gc, "collect", lambda: None)
    cpu = 0.0
    collector = gc_tuning.IdleCollector(lambda: cpu)
    thresholds = gc.get_threshold()
    try:
        gc_tuning.scan_in_pieces(True)
        cpu += 5.0
        assert (collector.collect(), len(counts)) == (False, 0)
        assert (collector.collect(), len(counts)) == (True, 1)
        gc_tuning.scan_in_pieces(False)
        cpu += 5.0
        assert (collector.collect(), len(counts)) == (False, 2)
    finally:
        gc.set_threshold(*thresholds)


_COUNT_SCANNED = """
import gc
from milepost.server.runtime.process import gc_tuning

gc_tuning.apply()
gc_tuning.scan_in_pieces({is_surge})
scanned = []

def note(phase, info):
    if phase == "start" and info["generation"] == 1:
        scanned.append(len(gc.get_objects(0)) + len(gc.get_objects(1)))

gc.callbacks.append(note)
kept = [[] for _ in range(200_000)]
print(len(scanned), max(scanned))
"""


@pytest.mark.parametrize(("is_surge", "limit"), [(True, 12_000), (False, 24_000)], ids=["surge", "otherwise"])
def test_young_collections_scan_few_objects(*, is_surge: bool, limit: int) -> None:
    """While thousands of watches open, all that is allocated lives, and the event loop waits for the scan of it."""
    script = _COUNT_SCANNED.format(is_surge=is_surge)
    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=120
    )
    collections, most = map(int, run.stdout.split())
    assert (collections >= 5, most <= limit) == (True, True), run.stdout


_COUNT_ARENAS = """
import ctypes, os, tempfile, threading
from milepost.server.runtime.process import heap_trimming

libc = ctypes.CDLL(None)
libc.malloc.restype = libc.fopen.restype = ctypes.c_void_p
heap_trimming.limit_arenas()
together = threading.Barrier(8)

def allocate():
    libc.malloc(100)
    together.wait()

threads = [threading.Thread(target=allocate) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
with tempfile.NamedTemporaryFile() as info:
    stream = ctypes.c_void_p(libc.fopen(os.fsencode(info.name), b"w"))
    libc.malloc_info(0, stream)
    libc.fclose(stream)
    print(info.read().count(b"<heap nr="))
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries have no arenas")
def test_threads_share_few_arenas() -> None:
    """What one thread has freed is there for the others: the arenas do not grow with the threads that come and go."""
    counted = subprocess.run(
        [sys.executable, "-c", _COUNT_ARENAS], check=True, capture_output=True, text=True
    )

    assert int(counted.stdout) == heap_trimming.ARENAS


class _TracedLog(SqliteEventLog):
    """One that sets an event once its statement is executed."""

    def __init__(self, directory: Path, executed: Mapping[str, threading.Event]) -> None:
        self._executed = executed
        super().__init__(directory)

    def _open(self) -> sqlite3.Connection:
        connection = super()._open()
        connection.set_trace_callback(self._trace)
        return connection

    def _trace(self, statement: str) -> None:
        if statement in self._executed:
            self._executed[statement].set()
