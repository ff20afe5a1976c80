"""Garbage collector tuning.

By default CPython collects the young generation every 700 allocations, and now and then all objects: with a thousand
open streams that takes a quarter of the time of sending an event to all of them (docs/performance.md). Almost all
objects of the server are freed by reference counting, except for what gRPC's calls leave behind, so the collector may
run less often. Objects that exist once the server has started live until it ends, and are never scanned again.

But what calls leave behind may hold megabytes each, such as the request of one that was refused. A server that became
idle allocates too little to make the collector run, and would keep that for hours. So garbage is also collected from
time to time, as long as there are few objects.
"""

from __future__ import annotations

import gc
import sys
from typing import Final

# Allocations per young collection; young per middle; middle per full collection.
_THRESHOLDS = 10_000, 20, 100

FEW_OBJECTS: Final = 30_000
"""Objects in the old generation up to which all are scanned from time to time: some milliseconds."""

FEW_BLOCKS: Final = 500_000
"""Small blocks of memory beyond which there are more objects in any case: counting those takes long, too. A server that
has just started has 200,000."""

_OLD: Final = 2


def apply() -> None:
    """Tune the collector. Call it once, after the server has started."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)


def collect() -> None:
    """Collect garbage unless there are many objects, whose scan would hold up everybody."""
    if sys.getallocatedblocks() <= FEW_BLOCKS and len(gc.get_objects(_OLD)) <= FEW_OBJECTS:
        gc.collect()
