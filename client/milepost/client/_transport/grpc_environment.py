"""Environment variables that are set while gRPC is imported.

gRPC reads them once, on import. They are removed afterwards, so that child processes do not inherit them.
"""

from __future__ import annotations

from typing import Final

__all__ = ["DURING_IMPORT"]

# gRPC's own fork support does not work with its asyncio API, and crashes the child.
DURING_IMPORT: Final[dict[str, str]] = {"GRPC_ENABLE_FORK_SUPPORT": "0"}
"""Defaults: a variable in the environment takes precedence."""
