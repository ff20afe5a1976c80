"""`milepost list`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from milepost.client._cli.commands import completion
from milepost.client._cli.commands.base_command import command
from milepost.client._cli.commands.options import ServerOptions, option, output_option, server_options
from milepost.client._cli.commands.parameter_types import pair, unique_keys
from milepost.client._cli.rendering.json_line import dump_json
from milepost.client._cli.standard_streams import write_stderr, write_stdout
from milepost.contract.limits import PAGE_SIZE_MAX

if TYPE_CHECKING:
    from milepost.v1 import Job

__all__ = ["list_jobs"]

_STATES: Final = ("queued", "running", "cancelling", "succeeded", "failed", "cancelled", "lost")
_EXAMPLES: Final = (
    "milepost list --state running --state queued",
    "milepost list --kind archive --label team=photos --limit 0 --output json",
)


@command("list", examples=_EXAMPLES)
@option("--owner", default="", metavar="NAME", help="Only jobs of this owner.")
@option(
    "--kind",
    "-k",
    "kinds",
    envvar="MILEPOST_LIST_KIND",
    multiple=True,
    metavar="KIND",
    shell_complete=completion.kinds,
    help="Only jobs of this kind; repeat for several.",
)
@option(
    "--state",
    "-s",
    "states",
    envvar="MILEPOST_LIST_STATE",
    type=click.Choice(_STATES, case_sensitive=False),
    multiple=True,
    help="Only jobs in this state; repeat for several.",
)
@option(
    "--label",
    "-l",
    "labels",
    envvar="MILEPOST_LIST_LABEL",
    type=pair,
    callback=unique_keys,
    metavar="KEY=VALUE",
    multiple=True,
    help="Only jobs with this label; repeat to require several.",
)
@option(
    "--parent",
    default="",
    metavar="JOB_ID",
    shell_complete=completion.job_ids,
    help="Only children of this job.",
)
@option("--oldest-first", is_flag=True, help="Sort by submit time, oldest first.")
@option(
    "--limit", type=click.IntRange(min=0), default=100, metavar="N", help="Maximum number of jobs; 0: all."
)
@output_option
@server_options
def list_jobs(
    server: ServerOptions,
    owner: str,
    kinds: tuple[str, ...],
    states: tuple[str, ...],
    labels: dict[str, str],
    parent: str,
    oldest_first: bool,
    limit: int,
    output: str,
) -> None:
    """List jobs, newest first.

    With --output json each job is one JSON object per line. A note on stderr says if there are more than --limit.
    """
    from milepost.client._cli.commands.async_runner import run
    from milepost.client._cli.commands.printing import print_jobs
    from milepost.client._cli.rendering.message_json import message_line
    from milepost.v1 import JobState

    shown: list[Job] = []

    async def main() -> None:
        async with server.client() as client:
            count = 0
            async for job in client.list(
                owner=owner,
                kinds=kinds,
                labels=labels,
                parent_job_id=parent,
                states=[JobState.Value(f"JOB_STATE_{state.upper()}") for state in states],
                order_by="submit_time" if oldest_first else "",
                page_size=min(limit + 1, PAGE_SIZE_MAX) if limit else PAGE_SIZE_MAX,
            ):
                if limit and count == limit:
                    write_stderr(_truncation_note(limit, output))
                    break
                count += 1
                if output == "json":
                    write_stdout(message_line(job.proto))
                else:
                    shown.append(job.proto)

    run(main())
    if output != "json":
        print_jobs(shown, output)


def _truncation_note(limit: int, output: str) -> str:
    if output == "json":
        return dump_json({"truncated": {"limit": limit}})
    shown = "this one" if limit == 1 else f"these {limit:,}"
    return f"There are more jobs than {shown}; --limit 0 shows all."
