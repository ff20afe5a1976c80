"""The command `milepost`."""

from __future__ import annotations

import importlib.metadata
import io
import os
import pkgutil
import sys
from collections.abc import Sequence
from types import TracebackType
from typing import Final

import click
from click.exceptions import Exit

from milepost.client.commands.errors import Refusal, show_usage_error
from milepost.client.commands.status import MEANINGS, Status

__all__ = ["main", "milepost", "run"]

_PLUG_INS: Final = "milepost.commands"
"""The entry points that bring the commands of other members, such as `serve`."""
_COMMANDS: Final = {
    "worker": "milepost.client.commands.worker:worker",
    "submit": "milepost.client.commands.submit:submit",
    "watch": "milepost.client.commands.watch:watch",
    "get": "milepost.client.commands.get:get",
    "list": "milepost.client.commands.list:list_jobs",
    "cancel": "milepost.client.commands.cancel:cancel",
    "exec": "milepost.client.commands.exec:execute",
    "demo": "milepost.client.commands.demo:demo",
}

# The commands of other distributions, and what brings them.
_ELSEWHERE: Final = {"serve": "milepost-server", "migrate": "milepost-server[nats]"}

_STATUSES = "\n".join(f"  {int(status):>3}  {meaning}" for status, meaning in MEANINGS.items())
_EPILOG = f"""\b
Exit status:
{_STATUSES}

\b
Shell completion, for bash (zsh and fish likewise):
  eval "$(_MILEPOST_COMPLETE=bash_source milepost)"
"""


class _Group(click.Group):
    """The commands of the client, and before them those that are plugged in. Each is loaded when it is needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*sorted(found.name for found in _plugged_in()), *_COMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        loaded: object = None
        if cmd_name in _COMMANDS:
            loaded = pkgutil.resolve_name(_COMMANDS[cmd_name])
        else:
            for found in _plugged_in():
                if found.name == cmd_name:
                    loaded = _load(found)
        if loaded is None and cmd_name in _ELSEWHERE:
            return _absent(cmd_name)
        return loaded if isinstance(loaded, click.Command) else None


@click.group(
    cls=_Group,
    context_settings={
        "auto_envvar_prefix": "MILEPOST",
        "help_option_names": ["-h", "--help"],
        "max_content_width": 100,
        "show_default": True,
    },
    epilog=_EPILOG,
    invoke_without_command=True,
)
@click.version_option(package_name="milepost-client", prog_name="milepost", message="%(prog)s %(version)s")
@click.pass_context
def milepost(context: click.Context) -> None:
    """Submit long-running jobs, follow their progress, and do their work.

    Results go to stdout, progress and errors to stderr. With --output json both are JSON objects, one a line: jobs or
    events on stdout, errors and changes of the connection on stderr.
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help(), err=True)
        raise Exit(Status.USAGE)


def main() -> None:
    """Runs the command line of this process, and exits."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a character that a terminal lacks is no reason to fail
    with _Defects():
        sys.exit(run())


def run(arguments: Sequence[str] | None = None) -> int:
    """Runs a command line, and returns its exit status."""
    try:
        status = milepost.main(arguments, prog_name="milepost", standalone_mode=False)
    except Refusal as refusal:
        refusal.show()
        return refusal.status
    except click.Abort:
        return Status.INTERRUPTED
    except click.ClickException as error:
        show_usage_error(error)
        return Status.USAGE
    return status if isinstance(status, int) else Status.SUCCEEDED


class _Defects:
    """Says of an error that nobody expected just what it is; with MILEPOST_DEBUG set, also where."""

    def __enter__(self) -> None:
        """Nothing has gone wrong yet."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if not isinstance(error, Exception) or os.environ.get("MILEPOST_DEBUG"):
            return
        said = f"{type(error).__name__}: {error}".splitlines()[0]
        click.echo(f"Error: A defect in Milepost: {said} (MILEPOST_DEBUG=1 shows where.)", err=True)
        sys.exit(Status.DEFECT)


def _load(plug_in: importlib.metadata.EntryPoint) -> object:
    """What is plugged in or, if that is broken, a command that says so: the others are to work all the same."""
    try:
        return plug_in.load()
    except ImportError as error:
        said = f"{plug_in.value} cannot be loaded: {error}."

        def say() -> None:
            raise click.ClickException(said)

        return click.Command(plug_in.name, callback=say, help=said)


def _absent(name: str) -> click.Command:
    """In place of a command whose distribution is not installed: it says which one that is, whatever it is given."""
    said = f"`milepost {name}` comes with another package. Install it with: pip install '{_ELSEWHERE[name]}'"

    def say(arguments: tuple[str, ...]) -> None:
        raise click.ClickException(said)

    return click.Command(
        name,
        callback=say,
        params=[click.Argument(["arguments"], nargs=-1, type=click.UNPROCESSED)],
        context_settings={"ignore_unknown_options": True},
        help=said,
    )


def _plugged_in() -> Sequence[importlib.metadata.EntryPoint]:
    return tuple(importlib.metadata.entry_points(group=_PLUG_INS))
