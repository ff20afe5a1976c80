"""`milepost delete`."""

from __future__ import annotations

import click

from milepost.client._cli.commands import completion
from milepost.client._cli.commands.base_command import command
from milepost.client._cli.commands.options import ServerOptions, output_option, server_options
from milepost.client._cli.rendering.json_line import dump_json
from milepost.client._cli.standard_streams import write_stdout

__all__ = ["delete"]


@command(
    examples=(
        "milepost delete J",
        "milepost list --state failed --output json | jq -r .jobId | xargs milepost delete",
    )
)
@click.argument(
    "job_ids", metavar="JOB_ID ...", nargs=-1, required=True, shell_complete=completion.ended_job_ids
)
@output_option
@server_options
def delete(server: ServerOptions, job_ids: tuple[str, ...], output: str) -> None:
    """Delete ended jobs and their logs.

    Artifacts stay where they are. Prints each job once it is deleted, and stops at the first that cannot be deleted,
    such as one that is still running.
    """
    from milepost.client._cli.commands.async_runner import run

    async def main() -> None:
        async with server.client() as client:
            for job_id in job_ids:
                await client.delete(job_id)
                write_stdout(
                    dump_json({"deleted": {"jobId": job_id}}) if output == "json" else f"{job_id} deleted"
                )

    run(main())
