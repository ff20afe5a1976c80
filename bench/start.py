"""Start: how long it takes from the command to the ready line, with a store of many jobs."""

from __future__ import annotations

import time
from functools import partial

from bench import stores
from bench.figures import OURS, Figure, Round, Settings, rounds
from bench.processes import milepost
from bench.stores import EVENTS, Store

__all__ = ["measure"]


def measure(settings: Settings) -> list[Figure]:
    """Beside the same with a store of few jobs."""
    found = stores.largest(settings)
    what = f"start, {found[OURS].name} of {EVENTS} events"
    return rounds(what, {name: partial(_play, store) for name, store in found.items()}, settings)


def _play(store: Store) -> Round:
    begun = time.perf_counter()
    with milepost(store.path):
        return {"to the ready line, s": time.perf_counter() - begun}
