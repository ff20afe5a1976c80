"""The principal of the call that the running task serves."""

from __future__ import annotations

from contextvars import ContextVar

from milepost.server.access.principal import Principal

_PRINCIPAL: ContextVar[Principal] = ContextVar("principal")


def set_principal(principal: Principal) -> None:
    """Set the principal of this task's call: once, when the call is authenticated."""
    _PRINCIPAL.set(principal)


def current_principal() -> Principal:
    """The principal of this task's call. Raises LookupError where none was set, so that nothing is allowed."""
    return _PRINCIPAL.get()
