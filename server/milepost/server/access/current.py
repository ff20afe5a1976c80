"""Who makes the call that the running task serves."""

from __future__ import annotations

from contextvars import ContextVar

from milepost.server.access.principal import Principal

_PRINCIPAL: ContextVar[Principal] = ContextVar("principal")
_PEER: ContextVar[str] = ContextVar("peer", default="")


def set_principal(principal: Principal, peer: str = "") -> None:
    """Set the principal of this task's call, and its address: once, when the call is authenticated."""
    _PRINCIPAL.set(principal)
    _PEER.set(peer)


def current_peer() -> str:
    """The address of this task's caller, as gRPC names it; empty if unknown."""
    return _PEER.get()


def current_principal() -> Principal:
    """The principal of this task's call. Raises LookupError where none was set, so that nothing is allowed."""
    return _PRINCIPAL.get()
