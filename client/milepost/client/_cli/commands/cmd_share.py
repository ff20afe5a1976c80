"""`milepost share`."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

import click

from milepost.client._cli.commands import completion
from milepost.client._cli.commands.base_command import command
from milepost.client._cli.commands.options import ServerOptions, option, output_option, server_options
from milepost.client._cli.commands.parameter_types import seconds
from milepost.client._cli.standard_streams import write_stdout

if TYPE_CHECKING:
    from milepost.v1 import ShareJobResponse

__all__ = ["share"]


@command(
    examples=(
        "milepost share J --for 1h",
        "milepost share J --link https://jobs.example.com",
        "MILEPOST_TOKEN=$(milepost share J --cancel) milepost watch J",
        "milepost share J --revoke",
    )
)
@click.argument("job_id", shell_complete=completion.job_ids)
@option(
    "--for",
    "ttl",
    type=seconds,
    metavar="TIME",
    envvar="MILEPOST_SHARE_FOR",
    help="Lifetime of the token, at most 7d.",
    show_default="15m",
)
@option("--cancel", is_flag=True, help="The token may also cancel the job.")
@option(
    "--link",
    metavar="URL",
    envvar="MILEPOST_SHARE_LINK",
    help="Address of the pages, as `milepost serve` prints it: print a link to the job's page there, for a browser, "
    "instead of the token.",
)
@option("--revoke", is_flag=True, help="Make no token: revoke all that were made for the job so far.")
@output_option
@server_options
def share(
    server: ServerOptions,
    job_id: str,
    ttl: float | None,
    cancel: bool,
    link: str | None,
    revoke: bool,
    output: str,
) -> None:
    """Make a token with which somebody else can follow a job.

    It is for the job and its children, and for nothing else. Prints the token alone, or with --link a link; as JSON
    both, and when the token expires.
    """
    if revoke and (cancel or ttl is not None):
        raise click.UsageError("--revoke makes no token: it takes neither --for nor --cancel.")
    if link is not None and (not link.startswith(("http://", "https://")) or "?" in link or "#" in link):
        raise click.UsageError(
            f"--link takes the address of the pages, such as http://127.0.0.1:7080; not {link!r}."
        )
    from milepost.client._cli.commands.async_runner import run
    from milepost.client._cli.rendering import text
    from milepost.client._cli.rendering.message_json import message_line
    from milepost.client._cli.rendering.principal_text import is_anonymous

    async def make() -> tuple[ShareJobResponse, bool] | None:
        async with server.client() as client:
            if revoke:
                await client.revoke_shares(job_id)
                return None
            is_open = output != "json" and is_anonymous(await client.whoami())
            return await client.share(job_id, ttl=ttl, cancel=cancel), is_open

    shared = run(make())
    if shared is None:
        click.echo(
            f"Revoked the shares of {text.one_line(job_id)}. Open streams end within seconds.", err=True
        )
        return
    made, is_open = shared
    page = link and f"{link.rstrip('/')}/jobs/{quote(job_id, safe='')}#token={text.one_line(made.token)}"
    if output == "json":
        write_stdout(message_line(made, **({"link": page} if page else {})))
        return
    if is_open:
        click.echo(
            "Warning: this server takes no credentials, so the token restricts nobody: whoever reaches the server may "
            "do everything, with a token or without.",
            err=True,
        )
    click.echo(f"Valid until {text.date(made.expire_time)}.", err=True)
    write_stdout(page or text.one_line(made.token))
