"""Replacement for `tqdm.contrib`: `enumerate`, `zip` and `map` with a bar."""

from __future__ import annotations

from typing import Any

from tqdm import contrib

from milepost.client.tqdm.auto import tqdm

__all__ = ["tenumerate", "tmap", "tzip"]


def tenumerate(iterable: Any, start: int = 0, total: float | None = None, **options: Any) -> Any:
    """``enumerate(tqdm(iterable))``, also for arrays of numpy."""
    return contrib.tenumerate(iterable, start, total, **{"tqdm_class": tqdm} | options)


def tzip(iterable: Any, *others: Any, **options: Any) -> Any:
    """``zip(tqdm(iterable), *others)``."""
    return contrib.tzip(iterable, *others, **{"tqdm_class": tqdm} | options)


def tmap(function: Any, *iterables: Any, **options: Any) -> Any:
    """``map(function, tqdm(iterable), …)``."""
    return contrib.tmap(function, *iterables, **{"tqdm_class": tqdm} | options)
