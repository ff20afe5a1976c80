"""`milepost logs`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from milepost.client._cli.commands import completion
from milepost.client._cli.commands.base_command import command
from milepost.client._cli.commands.options import ServerOptions, option, output_option, server_options
from milepost.client._cli.commands.parameter_types import stage_id
from milepost.client._cli.standard_streams import write_stderr, write_stdout

if TYPE_CHECKING:
    from milepost.v1 import Event

__all__ = ["logs"]

_SEVERITIES: Final = ("debug", "info", "warning", "error")


@command(examples=("milepost logs J", "milepost logs J --follow --severity warning"))
@click.argument("job_id", shell_complete=completion.job_ids)
@option("--follow", "-f", is_flag=True, help="Wait for further lines until the job ends.")
@option(
    "--stage",
    "stages",
    envvar="MILEPOST_LOGS_STAGE",
    type=stage_id,
    multiple=True,
    metavar="ID",
    help="Only lines of this stage; repeat for several.",
)
@option(
    "--severity",
    type=click.Choice(_SEVERITIES),
    default="debug",
    help="Minimum severity.",
)
@output_option
@server_options
def logs(
    server: ServerOptions, job_id: str, follow: bool, stages: tuple[str, ...], severity: str, output: str
) -> None:
    """Show the log of a job.

    Each line has the time, the stage and the text. With --output json each line is the event as a JSON object.
    """
    from milepost.client._cli.commands.async_runner import run
    from milepost.client._cli.rendering.job_view import JsonView, PlainView
    from milepost.client._cli.rendering.message_json import message_line
    from milepost.fold import Fold
    from milepost.v1 import Severity

    minimum = Severity.Value(f"SEVERITY_{severity.upper()}")

    def is_selected(event: Event) -> bool:
        line = event.log_written
        is_severe = (line.severity or Severity.SEVERITY_INFO) >= minimum
        return event.HasField("log_written") and is_severe and (not stages or line.stage_id in stages)

    notices = JsonView(write_stdout, write_stderr) if output == "json" else PlainView(write_stderr)

    async def main() -> None:
        async with server.client() as client:
            job = await client.get(job_id)
            watching = client.watch(
                job_id,
                after=max(job.first_sequence - 1, 0),
                payloads=["log_written"],
                follow=follow,
                on_state=notices.write_connection,
            )
            async with watching as watch:
                view, fold = PlainView(write_stdout), Fold(job.proto)
                async for event in watch:
                    if not is_selected(event):
                        continue
                    if output == "json":
                        write_stdout(message_line(event))
                    else:
                        view.write_event(event, fold)

    run(main())
