"""Exit statuses, and the error that ends a command with one."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import Final

import click
from click.core import ParameterSource

from milepost.client._cli.rendering.json_line import Json, dump_json
from milepost.client._cli.standard_streams import write_stderr

__all__ = ["MEANINGS", "CommandError", "ExitStatus", "show_usage_error"]


class ExitStatus(IntEnum):
    """Exit status of a command. A command that follows a job to its end exits with the job's status."""

    SUCCEEDED = 0
    FAILED = 1
    USAGE = 2
    CANCELLED = 3
    NOT_FOUND = 4
    UNREACHABLE = 5
    LOST = 6
    DEFECT = 70
    OUTPUT_FAILED = 74
    TIMED_OUT = 124
    INTERRUPTED = 130
    READER_GONE = 141
    TERMINATED = 143


MEANINGS: Final = {
    ExitStatus.SUCCEEDED: "the command succeeded, or the job that it followed",
    ExitStatus.FAILED: "the job failed; for milepost diff: the runs differ; for milepost serve: the store failed",
    ExitStatus.USAGE: "invalid arguments, or the server rejected the request",
    ExitStatus.CANCELLED: "the job was cancelled",
    ExitStatus.NOT_FOUND: "there is no such job",
    ExitStatus.UNREACHABLE: "the server is unreachable or temporarily unavailable",
    ExitStatus.LOST: "the job is lost: its worker is gone and no attempt is left",
    ExitStatus.DEFECT: "a defect in Milepost",
    ExitStatus.OUTPUT_FAILED: "the output cannot be written, for example because the disk is full",
    ExitStatus.TIMED_OUT: "the job or the command timed out",
    ExitStatus.INTERRUPTED: "interrupted by Ctrl-C; the job continues",
    ExitStatus.READER_GONE: "the reader of the output pipe is gone",
    ExitStatus.TERMINATED: "terminated by a signal; the job continues",
}


class CommandError(Exception):
    """An error that ends a command: a message of one line, an exit status, and further fields for JSON output."""

    def __init__(
        self, message: str, status: ExitStatus, *, json: bool, fields: Mapping[str, Json] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self._json = json
        self._fields = fields or {}

    def show(self) -> None:
        """Write it to stderr as one line: text, or a JSON object."""
        if self._json:
            write_stderr(
                dump_json({"error": {"status": int(self.status), "message": str(self), **self._fields}})
            )
        else:
            write_stderr(f"Error: {self}")


def show_usage_error(error: click.ClickException) -> None:
    """Write a usage error to stderr: as text, or as JSON if ``--output json`` was parsed before the error."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    message = f"{error.format_message()}{_variable_note(error)}"
    if context is not None and context.params.get("output") == "json":
        write_stderr(dump_json({"error": {"status": int(ExitStatus.USAGE), "message": message}}))
    else:
        hint = f" Try '{context.command_path} --help'." if context is not None else ""
        write_stderr(f"Error: {message}{hint}")


def _variable_note(error: click.ClickException) -> str:
    """The variable of the environment that a wrong value is from; empty if it is from the command line."""
    if not isinstance(error, click.BadParameter) or error.ctx is None or error.param is None:
        return ""
    name = error.param.name or ""
    if error.ctx.get_parameter_source(name) is not ParameterSource.ENVIRONMENT:
        return ""
    variable = error.param.envvar or f"{error.ctx.auto_envvar_prefix}_{name}".upper()
    return f" It is from the environment: {variable}."
