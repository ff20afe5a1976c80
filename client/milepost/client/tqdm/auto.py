"""Replacement for `tqdm.auto`: notebook bars within a notebook, otherwise terminal bars."""

from __future__ import annotations

from typing import Any

from milepost.client.tqdm.std import tqdm as _tqdm
from milepost.client.tqdm.variants import variant

__all__ = ["tqdm", "trange"]

try:
    tqdm: type[_tqdm[Any]] = variant("tqdm.auto", "tqdm")
except ImportError:
    tqdm = _tqdm


def trange(*args: int, **options: Any) -> _tqdm[int]:
    """``tqdm(range(...), ...)``."""
    return tqdm(range(*args), **options)
