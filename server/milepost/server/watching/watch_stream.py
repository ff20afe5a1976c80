"""What all watches have in common: a cursor that reads, waits and reads again.

Replay and live are one loop (rule 5): take the ticket for the next wake-up, read what there is after the cursor, and
only where there is nothing wait for the ticket. Whatever becomes durable after the read ends the wait, so nothing can
fall between.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from google.protobuf.duration_pb2 import Duration

from milepost.contract import limits
from milepost.server.rpc.refusal import Refusal
from milepost.server.runtime.timestamps import SECOND, nanoseconds
from milepost.server.watching.signals import Signal, Waiter
from milepost.v1 import ErrorReason

Send: TypeAlias = Callable[[bytes], Awaitable[None]]
"""Sends a serialised response; returns when there is room for the next one."""

# How long a cursor ahead of the head may wait for the log to get there, in seconds (rule 4).
AHEAD_WAIT = 2.0

# How often a stream with LATEST delivery shows progress at the most where its interval is not given, in seconds.
_PACE = 0.1


class Pulse:
    """When a stream wakes up: for what is new, for its status, and with LATEST not too often."""

    def __init__(self, signal: Signal, interval: Duration | None, *, latest: bool) -> None:
        seconds = limits.STATUS_INTERVAL if interval is None else nanoseconds(interval) / SECOND
        self._waiter = Waiter(signal, seconds)
        self.pace = 0.0
        """For how long to wait after something was sent, in seconds; 0 but for LATEST."""
        if latest:
            self.pace = _PACE if interval is None else max(_PACE, seconds / 10)

    def wait(self, ticket: int) -> Awaitable[bool]:
        """Whether there is something new since the ticket; False when a status is due."""
        return self._waiter.wait(ticket)

    def sent(self) -> None:
        """Something was sent."""
        self._waiter.busy()

    def close(self) -> None:
        """Waits no more."""
        self._waiter.close()


def changed_epoch(requested: str, epoch: str) -> Refusal:
    """A cursor of another epoch (rule 4)."""
    return Refusal(
        ErrorReason.ERROR_REASON_EPOCH_CHANGED,
        f"The cursor is of epoch {requested!r}; the store, restored or replaced since, has epoch {epoch!r}. "
        "Start again from 0 or from a snapshot.",
        metadata={"requested": requested, "epoch": epoch},
    )


def trimmed(what: str, requested: int, first: int, head: int) -> Refusal:
    """A cursor after which events are missing (rule 3)."""
    return Refusal(
        ErrorReason.ERROR_REASON_SEQUENCE_TRIMMED,
        f"{what} cannot be continued from {requested}: what is kept begins with {first}. Start from a snapshot.",
        metadata={"requested": requested, "first": first, "head": head},
    )


def thinned(what: str) -> Refusal:
    """Progress was left out of the log under way, which only the opening of a stream can tell."""
    return Refusal(
        ErrorReason.ERROR_REASON_STORE_UNAVAILABLE,
        f"{what} was thinned while its log was read. Resume where you were.",
        retry_delay=0.1,
    )


def ahead(what: str, requested: int, first: int, head: int) -> Refusal:
    """A cursor that the log has not reached, and did not in a moment (rule 4)."""
    return Refusal(
        ErrorReason.ERROR_REASON_SEQUENCE_AHEAD,
        f"{what} cannot be continued from {requested}, which is ahead of its head, {head}. "
        "Check which job and which server the cursor is of.",
        metadata={"requested": requested, "first": first, "head": head},
    )
