"""Refusals of cursors: a stream cannot start, or continue, there."""

from __future__ import annotations

from milepost.server.base.refusal import Refusal
from milepost.server.log.event_log import EventLog
from milepost.server.messages.job_epoch import is_of_store
from milepost.v1 import ErrorReason


def changed_epoch(requested: str, epoch: str, store_epoch: str) -> Refusal:
    """The cursor belongs to another epoch (rule 4) than ``epoch``, which is the store's or that of a job in it."""
    if is_of_store(requested, store_epoch):
        why = f"The cursor is of an earlier job with this id, of epoch {requested!r}; the present one has {epoch!r}."
    else:
        why = f"The cursor is of epoch {requested!r}; the store, restored or replaced since, has epoch {epoch!r}."
    return Refusal(
        ErrorReason.ERROR_REASON_EPOCH_CHANGED,
        f"{why} Start again from 0 or from a snapshot.",
        metadata={"requested": requested, "epoch": epoch},
    )


def trimmed(what: str, requested: int, first: int, head: int) -> Refusal:
    """Events after the cursor were dropped from the log (rule 3)."""
    return Refusal(
        ErrorReason.ERROR_REASON_SEQUENCE_TRIMMED,
        f"{what} cannot be continued from {requested}: the log begins at {first} now. Start from a snapshot.",
        metadata={"requested": requested, "first": first, "head": head},
    )


def replaced() -> Refusal:
    """A read found a later job with the id, of which this node's listeners learn next; the stream starts over then."""
    return Refusal(
        ErrorReason.ERROR_REASON_STORE_UNAVAILABLE,
        "The job was deleted, and its id used again, while its log was read. Resume where you were.",
        retry_delay=0.1,
    )


def thinned(what: str) -> Refusal:
    """Retention left progress out of the log during the stream; only `opened` can say so, so the stream restarts."""
    return Refusal(
        ErrorReason.ERROR_REASON_STORE_UNAVAILABLE,
        f"{what} was thinned while its log was read. Resume where you were.",
        retry_delay=0.1,
    )


def ahead(log: EventLog, what: str, requested: int, first: int, head: int) -> Refusal:
    """The log did not reach the cursor within a moment (rule 4). Of a node that is cut off, that says nothing."""
    if log.is_shared and not log.up:
        return Refusal(
            ErrorReason.ERROR_REASON_STORE_UNAVAILABLE,
            f"{what} cannot be continued from {requested} at this node, which is cut off from its store and has "
            f"read it up to {head}. Try again.",
            retry_delay=1.0,
        )
    return Refusal(
        ErrorReason.ERROR_REASON_SEQUENCE_AHEAD,
        f"{what} cannot be continued from {requested}, which is ahead of its head, {head}. "
        "Check which job and which server the cursor is of.",
        metadata={"requested": requested, "first": first, "head": head},
    )
