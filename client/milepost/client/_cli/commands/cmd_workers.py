"""`milepost workers`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from milepost.client._cli.commands import completion
from milepost.client._cli.commands.base_command import command
from milepost.client._cli.commands.options import ServerOptions, option, output_option, server_options
from milepost.client._cli.standard_streams import write_stderr, write_stdout

if TYPE_CHECKING:
    from milepost.v1 import ConnectedWorker

__all__ = ["workers"]


@command(examples=("milepost workers", "milepost workers --kind archive --output json | jq .workerId"))
@option(
    "--kind",
    "-k",
    default="",
    metavar="KIND",
    shell_complete=completion.kinds,
    help="Only workers that take jobs of this kind.",
)
@output_option
@server_options
def workers(server: ServerOptions, kind: str, output: str) -> None:
    """List connected workers.

    JOBS is running jobs of the maximum concurrency; HEARD is when the server last heard from the worker. With several
    nodes, NODE is the one the worker is connected to. With --output json each worker is one JSON object per line.
    """
    from milepost.client._cli.commands.async_runner import run
    from milepost.client._cli.commands.printing import print_workers
    from milepost.client._cli.rendering.message_json import message_line

    async def connected() -> list[ConnectedWorker]:
        async with server.client() as client:
            return [worker async for worker in client.workers(kind=kind)]

    found = run(connected())
    if output == "json":
        for worker in found:
            write_stdout(message_line(worker))
    elif found:
        print_workers(found, output)
    else:
        write_stderr(f"No worker takes jobs of kind {kind!r}." if kind else "No worker is connected.")
