"""Which distribution has a module of Milepost's that is not installed, since each distribution brings only a part."""

from __future__ import annotations

from typing import Final

__all__ = ["installation_hint"]

_PACKAGES: Final = {"milepost.server": "milepost-server", "milepost.examples": "milepost"}
_EXTRAS: Final = {"redis": "milepost-client[redis]"}


def installation_hint(module: str | None) -> str:
    """How to install ``module``: a sentence; empty if it is neither an optional part of Milepost nor of an extra."""
    for part, package in _PACKAGES.items():
        if module is not None and f"{module}.".startswith(f"{part}."):
            return f"{part} comes with another package. Install it with: pip install {package}"
    if module is not None and (extra := _EXTRAS.get(module.partition(".")[0])):
        return f"it needs what an extra brings. Install it with: pip install '{extra}'"
    return ""
