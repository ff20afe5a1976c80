"""A drop-in replacement for tqdm, whose bars also report to the current job.

    from milepost.client.tqdm import tqdm, trange

In a job a bar is a stage, named after its description. It appears where tqdm would show it on a terminal, or in the
file given to it. Outside a job it is an ordinary bar of tqdm. Without tqdm installed, a bar counts and shows nothing.

The modules `auto`, `asyncio`, `notebook`, `rich`, `contrib` and `contrib.concurrent` replace those of tqdm.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from milepost.client.tqdm.std import tqdm, trange

__all__ = ["tqdm", "trange"]

if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        """Other names of tqdm, such as its warnings."""
        if not name.startswith("__"):
            try:
                return getattr(importlib.import_module("tqdm"), name)
            except (ImportError, AttributeError):
                pass
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
