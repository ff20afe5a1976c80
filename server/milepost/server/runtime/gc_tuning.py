"""Garbage collector tuning.

By default CPython collects the young generation every 700 allocations, and now and then all objects: with a thousand
open streams that takes a quarter of the time of sending an event to all of them (docs/performance.md). Almost all
objects of the server are freed by reference counting, except for what gRPC's calls leave behind, so the collector may
run less often. Objects that exist once the server has started live until it ends, and are never scanned again.
"""

from __future__ import annotations

import gc

# Allocations per young collection; young per middle; middle per full collection.
_THRESHOLDS = 10_000, 20, 100


def apply() -> None:
    """Tune the collector. Call it once, after the server has started."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
