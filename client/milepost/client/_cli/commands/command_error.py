"""An error on its way out of a command: a line on stderr, and an exit status."""

from __future__ import annotations

from collections.abc import Mapping

import click

from milepost.client._cli.commands.exit_status import Status
from milepost.client._cli.rendering.json_line import Json, line
from milepost.client._cli.standard_streams import remark

__all__ = ["Refusal", "show_usage_error"]


class Refusal(Exception):
    """What is wrong in one line, the status to exit with, and where programs read it, what else they get."""

    def __init__(
        self, message: str, status: Status, *, json: bool, more: Mapping[str, Json] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self._json = json
        self._more = more or {}

    def show(self) -> None:
        """Writes it to stderr as a line: text, or a JSON object."""
        if self._json:
            remark(line({"error": {"status": int(self.status), "message": str(self), **self._more}}))
        else:
            remark(f"Error: {self}")


def show_usage_error(error: click.ClickException) -> None:
    """Writes to stderr what is wrong with a command line: as text, or as JSON where that was asked for before it."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    message = error.format_message()
    if context is not None and context.params.get("output") == "json":
        remark(line({"error": {"status": int(Status.USAGE), "message": message}}))
    else:
        hint = f" Try '{context.command_path} --help'." if context is not None else ""
        remark(f"Error: {message}{hint}")
