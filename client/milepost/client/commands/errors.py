"""Errors as people and programs see them: a line on stderr, and an exit status."""

from __future__ import annotations

import click

from milepost.client import errors
from milepost.client.commands.status import Status, of_error
from milepost.client.rendering import as_json, text
from milepost.client.rendering.link import reason
from milepost.contract.reasons import reason_name
from milepost.v1 import ErrorReason

__all__ = ["Refusal", "explain", "show_usage_error"]

_LENGTH = 1000


class Refusal(Exception):
    """An error on its way out of a command."""

    def __init__(self, error: errors.MilepostError, *, json: bool) -> None:
        super().__init__(explain(error))
        self.error = error
        self.status = of_error(error)
        self._json = json

    def show(self) -> None:
        """Writes it to stderr as a line: text, or a JSON object."""
        click.echo(as_json.line(self._object()) if self._json else f"Error: {self}", err=True)

    def _object(self) -> dict[str, as_json.Json]:
        told: dict[str, as_json.Json] = {"status": int(self.status), "message": str(self)}
        if isinstance(self.error, errors.ServiceError):
            if self.error.reason != ErrorReason.ERROR_REASON_UNSPECIFIED:
                told["reason"] = reason_name(self.error.reason)
            told["metadata"] = dict(self.error.metadata)
        return {"error": told}


def show_usage_error(error: click.ClickException) -> None:
    """Writes to stderr what is wrong with a command line: as text, or as JSON where that was asked for before it."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    message = error.format_message()
    if context is not None and context.params.get("output") == "json":
        click.echo(as_json.line({"error": {"status": int(Status.USAGE), "message": message}}), err=True)
    else:
        hint = f" Try '{context.command_path} --help'." if context is not None else ""
        click.echo(f"Error: {message}{hint}", err=True)


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
