"""`milepost history`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from milepost.client._cli.commands import completion
from milepost.client._cli.commands.base_command import command
from milepost.client._cli.commands.options import ServerOptions, option, output_option, server_options
from milepost.client._cli.standard_streams import write_stderr, write_stdout

if TYPE_CHECKING:
    from milepost.v1 import GetHistoryResponse

__all__ = ["history"]


@command(
    examples=(
        "milepost history archive",
        "milepost history archive --owner ann --output json | jq '.runs // 0'",
    )
)
@click.argument("kind", shell_complete=completion.kinds)
@option("--owner", default="", metavar="NAME", help="Owner of the jobs. Default: none, or your only one.")
@output_option
@server_options
def history(server: ServerOptions, kind: str, owner: str, output: str) -> None:
    """Show how long jobs of KIND take, and how good estimates of that are.

    It covers the latest 32 runs that succeeded: their durations without the time in the queue, and their stages with
    their shares of the whole. Each run is also estimated in hindsight, from the runs before it: by which share of the
    run the estimate was off, and how many runs ended within their upper bound.
    """
    from milepost.client._cli.commands.async_runner import run
    from milepost.client._cli.commands.printing import print_lines
    from milepost.client._cli.rendering.history_text import VALUE_COLUMN, history_lines
    from milepost.client._cli.rendering.message_json import message_line

    async def ask() -> GetHistoryResponse:
        async with server.client() as client:
            return await client.history(kind, owner)

    found = run(ask())
    if output == "json":
        write_stdout(message_line(found))
    else:
        print_lines(history_lines(kind, found), indent=VALUE_COLUMN)
        if not found.runs and not owner:
            write_stderr("Each owner has a history of its own: --owner NAME shows it.")
