"""Which distribution has a module of Milepost's that is not installed, since each distribution brings only a part."""

from __future__ import annotations

from typing import Final

__all__ = ["installation_hint"]

_PACKAGES: Final = {"milepost.server": "milepost-server", "milepost.examples": "milepost"}


def installation_hint(module: str | None) -> str:
    """How to install ``module``: a sentence; empty if it is none of Milepost's optional parts."""
    for part, package in _PACKAGES.items():
        if module is not None and f"{module}.".startswith(f"{part}."):
            return f"{part} comes with another package. Install it with: pip install {package}"
    return ""
