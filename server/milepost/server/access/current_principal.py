"""Who makes the call that the running task serves, and under which key its load is counted."""

from __future__ import annotations

from contextvars import ContextVar

from milepost.server.access.principal import ANONYMOUS, Principal
from milepost.server.scheduling.callers import host_of, set_served_caller

_PRINCIPAL: ContextVar[Principal] = ContextVar("principal")
_PEER: ContextVar[str] = ContextVar("peer", default="")


def caller_of(principal: Principal, peer: str) -> str:
    """The key under which the load of the principal is counted when it calls from ``peer``, as gRPC names it.

    It is the subject of the principal's credential: principals behind one proxy do not pay for each other, and one
    principal is one caller on however many hosts. Those without a credential are told apart by their hosts.
    """
    return host_of(peer) if principal is ANONYMOUS else f"principal:{principal.subject}"


def set_principal(principal: Principal, peer: str = "") -> None:
    """Set the principal of this task's call, and its address: once, when the call is authenticated."""
    _PRINCIPAL.set(principal)
    _PEER.set(peer)
    set_served_caller(caller_of(principal, peer))


def current_peer() -> str:
    """The address of this task's caller, as gRPC names it; empty if unknown."""
    return _PEER.get()


def current_caller() -> str:
    """The key of this task's caller. Raises LookupError where no principal was set."""
    return caller_of(_PRINCIPAL.get(), _PEER.get())


def current_principal() -> Principal:
    """The principal of this task's call. Raises LookupError where none was set, so that nothing is allowed."""
    return _PRINCIPAL.get()
