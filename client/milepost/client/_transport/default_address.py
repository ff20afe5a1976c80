"""Default address of a server; apart, so that the command's help needs no gRPC."""

from __future__ import annotations

from typing import Final

__all__ = ["DEFAULT_ADDRESS"]

DEFAULT_ADDRESS: Final = "127.0.0.1:7070"
