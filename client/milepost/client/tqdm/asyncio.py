"""Replacement for `tqdm.asyncio`: bars for ``async for``, and for awaiting many awaitables."""

from __future__ import annotations

from typing import Any

from milepost.client.tqdm.std import tqdm as _tqdm
from milepost.client.tqdm.variants import variant

__all__ = ["tarange", "tqdm", "tqdm_asyncio", "trange"]

tqdm_asyncio: type[_tqdm[Any]] = variant("tqdm.asyncio", "tqdm_asyncio")
tqdm: type[_tqdm[Any]] = tqdm_asyncio


def tarange(*args: int, **options: Any) -> _tqdm[int]:
    """``tqdm(range(...), ...)``."""
    return tqdm_asyncio(range(*args), **options)


trange = tarange
