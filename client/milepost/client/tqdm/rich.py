"""Replacement for `tqdm.rich`: bars that rich draws."""

from __future__ import annotations

from typing import Any

from milepost.client.tqdm.std import tqdm as _tqdm
from milepost.client.tqdm.variants import variant

__all__ = ["tqdm", "tqdm_rich", "trange", "trrange"]


class _HiddenWithoutTerminal:
    """Disables rich when there is no terminal: rich does not write to the bar's file."""

    def _hide(self, given: dict[str, Any]) -> None:
        given["options"] = {"disable": True} | given.get("options", {})


tqdm_rich: type[_tqdm[Any]] = variant("tqdm.rich", "tqdm_rich", _HiddenWithoutTerminal)
tqdm: type[_tqdm[Any]] = tqdm_rich


def trrange(*args: int, **options: Any) -> _tqdm[int]:
    """``tqdm(range(...), ...)``."""
    return tqdm_rich(range(*args), **options)


trange = trrange
