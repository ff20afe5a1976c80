"""Where a server is unless something else is said."""

from __future__ import annotations

from typing import Final

__all__ = ["DEFAULT_ADDRESS"]

DEFAULT_ADDRESS: Final = "127.0.0.1:7070"
