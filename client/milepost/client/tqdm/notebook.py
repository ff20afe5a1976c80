"""Replacement for `tqdm.notebook`: bars for notebooks; needs ipywidgets."""

from __future__ import annotations

from typing import Any

from milepost.client.tqdm.std import tqdm as _tqdm
from milepost.client.tqdm.variants import variant

__all__ = ["tnrange", "tqdm", "tqdm_notebook", "trange"]

tqdm_notebook: type[_tqdm[Any]] = variant("tqdm.notebook", "tqdm_notebook")
tqdm: type[_tqdm[Any]] = tqdm_notebook


def tnrange(*args: int, **options: Any) -> _tqdm[int]:
    """``tqdm(range(...), ...)``."""
    return tqdm_notebook(range(*args), **options)


trange = tnrange
