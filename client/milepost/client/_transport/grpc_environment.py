"""What is in the environment while gRPC is imported.

gRPC looks at it once, then. What this process starts is not to find it, so it is taken out again.
"""

from __future__ import annotations

from typing import Final

__all__ = ["DURING_IMPORT"]

# What gRPC does by itself at a fork is not made for its asyncio part, and crashes the child.
DURING_IMPORT: Final[dict[str, str]] = {"GRPC_ENABLE_FORK_SUPPORT": "0"}
"""Variables that hold unless the environment sets them otherwise."""
