"""Who makes an HTTP request: a credential, and an address."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from starlette.types import Scope

from milepost.web.service import Caller

CallerOf: TypeAlias = Callable[[Scope], Awaitable[Caller]]
"""Finds out who makes a request. Raises ServiceError."""


def peer_of(scope: Scope) -> str:
    """The address of the client as gRPC names it; empty if unknown."""
    client = scope.get("client")
    if client is None:
        return ""
    host, port = client
    return f"ipv6:[{host}]:{port}" if ":" in host else f"ipv4:{host}:{port}"
