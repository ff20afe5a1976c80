"""`milepost whoami`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from milepost.client._cli.commands.base_command import command
from milepost.client._cli.commands.options import ServerOptions, output_option, server_options
from milepost.client._cli.standard_streams import write_stdout

if TYPE_CHECKING:
    from milepost.v1 import WhoAmIResponse

__all__ = ["whoami"]


@command(examples=("milepost whoami", "milepost whoami --output json | jq .scopes"))
@output_option
@server_options
def whoami(server: ServerOptions, output: str) -> None:
    """Show who the server takes you for, and what you may do.

    It shows the principal of your credential, which takes no scope: use it to see whether a credential works.
    """
    from milepost.client._cli.commands.async_runner import run
    from milepost.client._cli.commands.printing import print_lines
    from milepost.client._cli.rendering.message_json import message_line
    from milepost.client._cli.rendering.principal_text import VALUE_COLUMN, principal_lines

    async def ask() -> WhoAmIResponse:
        async with server.client() as client:
            return await client.whoami()

    found = run(ask())
    if output == "json":
        write_stdout(message_line(found))
    else:
        print_lines(principal_lines(found), indent=VALUE_COLUMN)
