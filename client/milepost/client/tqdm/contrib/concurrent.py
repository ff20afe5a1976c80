"""Replacement for `tqdm.contrib.concurrent`: `map` in a pool, with a bar."""

from __future__ import annotations

from typing import Any

from tqdm.contrib import concurrent

from milepost.client.tqdm.auto import tqdm

__all__ = ["process_map", "thread_map"]


def thread_map(function: Any, *iterables: Any, **options: Any) -> list[Any]:
    """``list(map(function, *iterables))`` in threads. The options are tqdm's, and those of its `thread_map`."""
    return list(concurrent.thread_map(function, *iterables, **{"tqdm_class": tqdm} | options))


def process_map(function: Any, *iterables: Any, **options: Any) -> list[Any]:
    """``list(map(function, *iterables))`` in processes. The options are tqdm's, and those of its `process_map`."""
    return list(concurrent.process_map(function, *iterables, **{"tqdm_class": tqdm} | options))
