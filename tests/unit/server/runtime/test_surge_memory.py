"""A surge of small objects leaves no arenas of Python behind, since C's allocator has them."""

from __future__ import annotations

import asyncio
import gc
import resource
import subprocess
import sys
import tracemalloc

import pytest

from milepost.server.runtime.process import gc_tuning, surge_memory
from milepost.server.runtime.process.surge_memory import (
    CALM_GROWTH,
    FURTHER_BLOCKS,
    LARGE_CALM_TIMES,
    LARGE_SURGE,
    SURGE_BLOCKS,
    SmallBlocks,
    SurgeMemory,
)

pytestmark = pytest.mark.usefixtures("collected_on_request")

_GLIBC = pytest.mark.skipif(
    not SmallBlocks.available(),
    reason="Python's allocator has hooks, or C's gives no memory back by the page",
)


class _Blocks(SmallBlocks):
    """Notes where blocks are taken from."""

    def __init__(self) -> None:
        self.taken_from = ["Python"]
        self.returned = asyncio.Event()

    def take_from_c(self) -> None:
        self.taken_from.append("C")

    def take_from_python(self) -> None:
        self.taken_from.append("Python")
        self.returned.set()


class _Process:
    """A process with so many blocks and so much memory."""

    def __init__(self) -> None:
        self.count = 200_000
        self.resident = 60 << 20
        self.blocks = _Blocks()
        self.memory = SurgeMemory(self.blocks, lambda: self.count, lambda: self.resident)

    def grow(self, count: int) -> bool:
        """Have so many blocks more; whether a surge begins."""
        self.count += count
        return self.memory.begins()

    def grow_by_bytes(self, size: int) -> bool:
        """Have so much more memory; whether the surge ends."""
        self.resident += size
        return self.memory.ends()


def test_blocks_beyond_a_surge_come_from_c_until_there_is_no_growth() -> None:
    """What little there is in ordinary times costs no more than before."""
    process = _Process()
    assert (process.grow(SURGE_BLOCKS), process.grow(1), process.grow(10 * SURGE_BLOCKS)) == (
        False,
        True,
        False,
    )
    assert process.blocks.taken_from == ["Python", "C"]
    assert (process.grow_by_bytes(CALM_GROWTH + 1), process.grow_by_bytes(CALM_GROWTH)) == (False, True)
    assert process.blocks.taken_from == ["Python", "C", "Python"]


def test_a_large_surge_lasts_until_its_streams_have_ended() -> None:
    """As after an attack of thousands of watches: C has what is made while they end, too."""
    process = _Process()
    process.grow(SURGE_BLOCKS + 1)
    assert process.grow_by_bytes(LARGE_SURGE + 1) is False
    shrinks = [process.grow_by_bytes(-1) for _ in range(LARGE_CALM_TIMES - 1)]
    assert (any(shrinks), process.grow_by_bytes(CALM_GROWTH + 1)) == (False, False)
    shrinks = [process.grow_by_bytes(-(LARGE_SURGE // 2)) for _ in range(LARGE_CALM_TIMES)]
    assert (shrinks[:-1], shrinks[-1]) == ([False] * (LARGE_CALM_TIMES - 1), True)

    process.grow(-SURGE_BLOCKS)
    process.grow(2 * SURGE_BLOCKS + 1)
    assert process.grow_by_bytes(0)
    assert process.blocks.taken_from == ["Python", "C", "Python", "C", "Python"]


def test_what_is_there_after_a_surge_is_not_the_next_one() -> None:
    """Who has many subscribers has no surge each time that Python collects garbage. What comes in addition is one."""
    process = _Process()
    process.grow(SURGE_BLOCKS + 1)
    process.grow_by_bytes(0)
    assert (process.grow(-1000), process.grow(1000 + FURTHER_BLOCKS), process.grow(1)) == (False, False, True)
    assert process.blocks.taken_from == ["Python", "C", "Python", "C"]


def test_a_surge_is_growth_from_the_fewest_blocks() -> None:
    """Also below the start: the count lacks the blocks of C that were freed."""
    process = _Process()
    process.grow(SURGE_BLOCKS + 1)
    process.grow_by_bytes(0)
    assert (process.grow(-3 * SURGE_BLOCKS), process.grow(SURGE_BLOCKS), process.grow(1)) == (
        False,
        False,
        True,
    )
    assert process.blocks.taken_from == ["Python", "C", "Python", "C"]


async def test_growth_is_noted_at_each_collection(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python collects garbage when there are many new objects. At the end, Python allocates again.

    During the surge, garbage is collected in smaller pieces.
    """
    blocks = _Blocks()
    in_pieces: list[bool] = []
    monkeypatch.setattr(gc_tuning, "scan_in_pieces", in_pieces.append)
    counted = 0

    def count() -> int:
        nonlocal counted
        counted += 1
        return counted * 2 * SURGE_BLOCKS

    monkeypatch.setattr(surge_memory, "CALM_TIME", 0.0)
    running = asyncio.create_task(SurgeMemory(blocks, count).run())
    await asyncio.sleep(0)
    gc.collect()
    await blocks.returned.wait()
    gc.collect()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    before = counted
    gc.collect()

    assert blocks.taken_from == ["Python", "C", "Python", "C", "Python"]
    assert in_pieces == [True, False, True, False]
    assert counted == before


def test_a_surge_that_takes_all_files() -> None:
    """As one of connections does. It begins and ends like others."""
    count = 0
    blocks = _Blocks()
    memory = SurgeMemory(blocks, lambda: count)
    count = SURGE_BLOCKS + 1
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        assert (memory.begins(), memory.ends()) == (True, True)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert blocks.taken_from == ["Python", "C", "Python"]


_ALLOCATE = """
import gc, sys
from milepost.server.runtime.process.surge_memory import SmallBlocks

blocks = SmallBlocks()
if "C" in sys.argv:
    blocks.take_from_c()
kept = [(number, str(number)) for number in range(100_000)]
grown = [list(range(number)) for number in range(100)]
for each in grown:
    each.extend(range(1000))
blocks.take_from_python()
assert kept[-1] == (99_999, "99999"), kept[-1]
sys._debugmallocstats()
del kept, grown
gc.collect()
assert [(number, str(number)) for number in range(10)][-1] == (9, "9")
"""


def _arenas(allocator: str) -> int:
    """The arenas of a process that has some 15 MB of small objects."""
    done = subprocess.run(
        [sys.executable, "-c", _ALLOCATE, allocator], check=True, capture_output=True, text=True
    )
    (line,) = (line for line in done.stderr.splitlines() if line.startswith("# arenas allocated current"))
    return int(line.rpartition("=")[2])


@_GLIBC
def test_blocks_of_c_need_no_arenas() -> None:
    """Both kinds of blocks grow, and are freed where they came from."""
    with_python, with_c = _arenas("Python"), _arenas("C")
    assert with_python - with_c > 10


@_GLIBC
def test_hooks_of_others_stay() -> None:
    """Those of tracemalloc, which was started meanwhile, trace all blocks."""
    blocks = SmallBlocks()
    tracemalloc.start()
    try:
        blocks.take_from_c()
        before = tracemalloc.get_traced_memory()[0]
        kept = [str(number) for number in range(10_000)]
        blocks.take_from_python()
        assert tracemalloc.get_traced_memory()[0] - before > 50 * len(kept)
    finally:
        tracemalloc.stop()


async def test_a_surge_ends_after_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise no other one would begin, and blocks would come from C for as long as the server runs."""
    monkeypatch.setattr(surge_memory, "CALM_TIME", 0.0)
    process = _Process()
    resident, failures = process.memory._resident, [OSError("no such file")]

    def failing() -> int:
        if process.blocks.taken_from[-1] == "C" and failures:
            raise failures.pop()
        return resident()

    process.memory._resident = failing
    running = asyncio.create_task(process.memory.run())
    await asyncio.sleep(0)
    process.count += SURGE_BLOCKS + 1
    gc.collect()
    async with asyncio.timeout(120):
        await process.blocks.returned.wait()
    assert (failures, running.done()) == ([], False)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
