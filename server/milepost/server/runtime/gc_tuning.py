"""How often Python looks for garbage that refers to itself.

As it comes, it does so every 700 new objects, and now and then through all that there are: with a thousand streams
open that is a quarter of the time that it takes to send an event to all of them (docs/performance.md). What the server
makes is freed without that, but for what gRPC's calls leave behind, so it may look more rarely. What is there once the
server has started stays until it ends, and is not looked at again.
"""

from __future__ import annotations

import gc

# Of new objects; of looks at the young; of looks at those that survived one.
_THRESHOLDS = 10_000, 20, 100


def settle() -> None:
    """To be called once, when the server has started."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
