"""Errors of the SDK as people and programs see them."""

from __future__ import annotations

from milepost.client import errors
from milepost.client._cli.commands.command_error import Refusal
from milepost.client._cli.commands.exit_status_of import of_error
from milepost.client._cli.rendering import text
from milepost.client._cli.rendering.connection_text import reason
from milepost.client._cli.rendering.json_line import Json
from milepost.contract.reasons import reason_name
from milepost.v1 import ErrorReason

__all__ = ["explain", "refusal"]

_LENGTH = 1000


def refusal(error: errors.MilepostError, *, json: bool) -> Refusal:
    """The error as what ends a command."""
    more: dict[str, Json] = {}
    if isinstance(error, errors.ServiceError):
        if error.reason != ErrorReason.ERROR_REASON_UNSPECIFIED:
            more["reason"] = reason_name(error.reason)
        more["metadata"] = dict(error.metadata)
    return Refusal(explain(error), of_error(error), json=json, more=more)


def explain(error: errors.MilepostError) -> str:
    """One line: what is wrong, with which value, and what to do."""
    message = text.clip(text.clean(str(error)), _LENGTH)
    match error:
        case errors.InvalidField() | errors.TooLarge() if error.violations:
            fields = "; ".join(f"{field}: {description}" for field, description in error.violations)
            return text.clip(text.clean(fields), _LENGTH)
        case errors.StreamsBlocked():
            return message
        case errors.Unreachable():
            why = reason(message) if ": " in message else "no answer"
            return (
                f"The server at {error.address} cannot be reached ({why}). "
                "Is `milepost serve` running there? --address names another one."
            )
        case errors.SequenceTrimmed():
            return (
                f"The events after {error.requested} are not kept any more, the oldest is {error.first}: "
                f"continue with --after {max(error.first - 1, 0)}."
            )
        case errors.SequenceAhead():
            return f"There is no event {error.requested} yet: the newest one is {error.head}."
        case errors.EpochChanged():
            return (
                f"The store was replaced: --epoch {error.requested} is not its epoch, which is {error.epoch}. "
                "Start again without --after and --epoch."
            )
    hint = next((hint for kind, hint in _HINTS if isinstance(error, kind)), "")
    return f"{message} {hint}".rstrip()


_HINTS: tuple[tuple[type[errors.MilepostError], str], ...] = (
    (errors.Unauthenticated, "Give a token with MILEPOST_TOKEN or --token."),
    (errors.Draining, "Try again shortly."),
    (errors.StoreUnavailable, "Try again shortly."),
)
