"""A surge of small objects leaves no arenas of Python behind, since C's allocator has them."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import tracemalloc

import pytest

from milepost.server.runtime.surge_memory import CALM_TIME, SURGE, SmallBlocks, SurgeMemory

_GLIBC = pytest.mark.skipif(
    not SmallBlocks.available(),
    reason="Python's allocator has hooks, or C's gives no memory back by the page",
)


class _Blocks(SmallBlocks):
    """Notes where blocks are taken from."""

    def __init__(self) -> None:
        self.taken_from = ["Python"]

    def take_from_c(self) -> None:
        self.taken_from.append("C")

    def take_from_python(self) -> None:
        self.taken_from.append("Python")


class _Process:
    """A process with so many blocks, at a time in seconds."""

    def __init__(self) -> None:
        self.count = 200_000
        self.now = 100.0
        self.blocks = _Blocks()
        self.memory = SurgeMemory(self.blocks, lambda: self.count, lambda: self.now)

    def grow(self, count: int) -> None:
        """Have so many blocks more."""
        self.count += count
        self.memory.on_growth()

    def pass_time(self, seconds: float) -> None:
        """Let time pass without growth."""
        self.now += seconds
        self.memory.end_if_calm()


def test_blocks_beyond_a_surge_come_from_c_until_there_is_no_growth() -> None:
    """What little there is in ordinary times costs no more than before."""
    process = _Process()
    process.grow(SURGE)
    assert process.blocks.taken_from == ["Python"]
    process.grow(1)
    process.grow(10 * SURGE)
    assert process.blocks.taken_from == ["Python", "C"]
    process.pass_time(CALM_TIME / 2)
    process.grow(1)
    process.pass_time(CALM_TIME / 2)
    assert process.blocks.taken_from == ["Python", "C"]
    process.pass_time(CALM_TIME)
    process.pass_time(CALM_TIME)
    assert process.blocks.taken_from == ["Python", "C", "Python"]


def test_a_surge_is_growth_from_the_fewest_blocks() -> None:
    """The count falls below that of the start by the blocks of C that were freed."""
    process = _Process()
    process.grow(SURGE + 1)
    process.pass_time(CALM_TIME)
    process.grow(-3 * SURGE)
    process.grow(SURGE)
    assert process.blocks.taken_from == ["Python", "C", "Python"]
    process.grow(1)
    assert process.blocks.taken_from == ["Python", "C", "Python", "C"]


async def test_growth_is_noted_at_each_collection() -> None:
    """Python collects garbage when there are many new objects. At the end, Python allocates again."""
    blocks = _Blocks()
    counted = 0

    def count() -> int:
        nonlocal counted
        counted += 1
        return counted * 2 * SURGE

    running = asyncio.create_task(SurgeMemory(blocks, count).run())
    await asyncio.sleep(0)
    gc.collect()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    before = counted
    gc.collect()

    assert blocks.taken_from == ["Python", "C", "Python"]
    assert counted == before


_ALLOCATE = """
import gc, sys
from milepost.server.runtime.surge_memory import SmallBlocks

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
