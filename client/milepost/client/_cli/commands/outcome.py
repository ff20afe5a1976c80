"""How a job or an error ends a command: exit status and message."""

from __future__ import annotations

from typing import Final

from milepost.client import errors
from milepost.client._cli.commands.exit_status import CommandError, ExitStatus
from milepost.client._cli.rendering import text
from milepost.client._cli.rendering.json_line import Json
from milepost.client._cli.rendering.status_text import error_cause
from milepost.client._transport.error_mapping import (
    ENDED_AT_ONCE,
    NO_GRPC,
    NO_TLS,
    OTHER_NAME,
    UNREADABLE_PEM,
    UNTRUSTED_CERTIFICATE,
)
from milepost.client._transport.fork_safety import grpc
from milepost.contract.reasons import reason_name
from milepost.v1 import ErrorReason, Job, JobState

__all__ = ["CommandFailed", "TimedOut", "as_command_error", "explain", "of_error", "of_job"]


class CommandFailed(errors.MilepostError):
    """A command failed, without an error of the server."""

    status = ExitStatus.FAILED


class TimedOut(CommandFailed):
    """The time limit of the command has passed."""

    status = ExitStatus.TIMED_OUT


_STATES: Final[dict[JobState.ValueType, ExitStatus]] = {
    JobState.JOB_STATE_FAILED: ExitStatus.FAILED,
    JobState.JOB_STATE_CANCELLED: ExitStatus.CANCELLED,
    JobState.JOB_STATE_LOST: ExitStatus.LOST,
}

# Failure codes for jobs that exceeded a time limit.
_TIMEOUT_CODES: Final = frozenset({"TIMEOUT", "ATTEMPT_TIMEOUT", "START_DEADLINE"})

_DEFECTS: Final = frozenset(
    {grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN, grpc.StatusCode.DATA_LOSS, grpc.StatusCode.ABORTED}
)

# The first match counts. Other errors of the service are rejected requests.
_ERRORS: Final[tuple[tuple[type[errors.MilepostError], ExitStatus], ...]] = (
    (errors.JobNotFound, ExitStatus.NOT_FOUND),
    (errors.Unreachable, ExitStatus.UNREACHABLE),
    (errors.StoreUnavailable, ExitStatus.UNREACHABLE),
    (errors.StoreFull, ExitStatus.UNREACHABLE),
    (errors.LimitReached, ExitStatus.UNREACHABLE),
    (errors.Draining, ExitStatus.UNREACHABLE),
    (errors.InsecureToken, ExitStatus.USAGE),
    (errors.TokenUnavailable, ExitStatus.USAGE),
    (errors.ProtocolError, ExitStatus.DEFECT),
)


def of_job(job: Job) -> ExitStatus:
    """Exit status after following ``job``; SUCCEEDED if it has not ended."""
    if job.state == JobState.JOB_STATE_FAILED and job.failure.code in _TIMEOUT_CODES:
        return ExitStatus.TIMED_OUT
    return _STATES.get(job.state, ExitStatus.SUCCEEDED)


def of_error(error: errors.MilepostError) -> ExitStatus:
    """Exit status for ``error``."""
    if isinstance(error, CommandFailed):
        return error.status
    if isinstance(error, errors.JobError):
        return of_job(error.job.proto)
    for kind, status in _ERRORS:
        if isinstance(error, kind):
            return status
    refused = isinstance(error, errors.ServiceError) and error.code not in _DEFECTS
    return ExitStatus.USAGE if refused else ExitStatus.DEFECT


_MESSAGE_LIMIT = 1000


def as_command_error(error: errors.MilepostError, *, json: bool, context: str = "") -> CommandError:
    """Convert an error of the SDK to the error that ends the command; `context` names the server in it."""
    fields: dict[str, Json] = {}
    if isinstance(error, errors.ServiceError):
        if error.reason != ErrorReason.ERROR_REASON_UNSPECIFIED:
            fields["reason"] = reason_name(error.reason)
        fields["metadata"] = dict(error.metadata)
    where = f" The server is that of the context {context!r}." if context else ""
    return CommandError(f"{explain(error)}{where}", of_error(error), json=json, fields=fields)


def explain(error: errors.MilepostError) -> str:
    """Explain an error in one line: what happened, which value, what to do."""
    message = text.one_line(str(error), _MESSAGE_LIMIT)
    match error:
        case errors.InvalidField() | errors.TooLarge() if error.violations:
            fields = "; ".join(f"{field}: {description}" for field, description in error.violations)
            return text.one_line(fields, _MESSAGE_LIMIT)
        case errors.StreamsBlocked():
            return message
        case errors.Unreachable():
            cause = error_cause(message) if ": " in message else "no answer"
            hint = _UNREACHABLE_HINTS.get(
                cause, "Is `milepost serve` running there? --address names another one."
            )
            return f"The server at {error.address} cannot be reached ({cause}). {hint}"
        case errors.InsecureToken():
            return (
                f"The token would travel to {error.address} in plain text, for anybody on the way to read. Encrypt the "
                "connection with --tls or --tls-ca, or allow that with --allow-plaintext-token."
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
                f"The store or the job was replaced: --epoch {error.requested} is not its epoch, "
                f"which is {error.epoch}. Start again without --after and --epoch."
            )
    hint = next((hint for kind, hint in _HINTS if isinstance(error, kind)), "")
    return f"{message} {hint}".rstrip()


_UNREACHABLE_HINTS: Final = {
    NO_TLS: "Leave out --tls and the options of certificates, or have it serve with --tls-cert.",
    OTHER_NAME: "Give --address the name that the certificate is for.",
    UNTRUSTED_CERTIFICATE: "--tls-ca names the certificate of its authority.",
    UNREADABLE_PEM: "Look at the files of --tls-ca, --tls-client-cert and --tls-client-key.",
    ENDED_AT_ONCE: (
        "Give --tls, and --tls-ca for an authority of its own; for a client certificate --tls-client-cert and "
        "--tls-client-key."
    ),
    NO_GRPC: "It may be the address of its pages: --address takes the other one that `milepost serve` prints.",
}

_HINTS: tuple[tuple[type[errors.MilepostError], str], ...] = (
    (errors.Unauthenticated, "Give a token with MILEPOST_TOKEN, --token-file or a context."),
    (errors.Draining, "Try again shortly."),
    (errors.StoreUnavailable, "Try again shortly."),
)
