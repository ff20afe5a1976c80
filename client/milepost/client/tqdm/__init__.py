"""A drop-in for tqdm: its bars, which report to the job at hand as well.

    from milepost.client.tqdm import tqdm, trange

In a job a bar is a stage, named after its description. It is shown where tqdm would show it on a terminal, or in the
file that it is given. Where there is no job, it is a bar of tqdm and nothing else. Where tqdm is not installed, a bar
counts and shows nothing.

The modules `auto`, `asyncio`, `notebook`, `rich`, `contrib` and `contrib.concurrent` are in place of those of tqdm.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from milepost.client.tqdm.std import tqdm, trange

__all__ = ["tqdm", "trange"]

if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        """What else tqdm has, such as its warnings."""
        if not name.startswith("__"):
            try:
                return getattr(importlib.import_module("tqdm"), name)
            except (ImportError, AttributeError):
                pass
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
