"""The command `milepost`."""

from __future__ import annotations

import os
import pkgutil
import sys
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Final

import click
from click.exceptions import Exit
from click.shell_completion import CompletionItem

from milepost.client._cli import standard_streams
from milepost.client._cli.commands.exit_status import MEANINGS, CommandError, ExitStatus, show_usage_error
from milepost.client._cli.commands.help_layout import HelpContext, use_layout
from milepost.client._cli.standard_streams import OutputFailed, ReaderGone, write_stderr
from milepost.client._transport.grpc_environment import DURING_IMPORT

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

__all__ = ["main", "milepost", "run"]

_ENTRY_POINT_GROUP: Final = "milepost.commands"
"""Entry points of commands in other distributions, such as `serve`."""
_COMMANDS: Final = {
    "worker": ("cmd_worker:worker", "Run the Worker called NAME in MODULE."),
    "submit": ("cmd_submit:submit", "Submit a job of KIND and print its id."),
    "watch": ("cmd_watch:watch", "Follow jobs until they end and exit with their status."),
    "get": ("cmd_get:get", "Show the current state of a job."),
    "list": ("cmd_list:list_jobs", "List jobs, newest first."),
    "workers": ("cmd_workers:workers", "List connected workers."),
    "history": (
        "cmd_history:history",
        "Show how long jobs of KIND take, and how good estimates of that are.",
    ),
    "diff": ("cmd_diff:diff", "Compare two runs, or two groups of runs, and exit with 1 if they differ."),
    "logs": ("cmd_logs:logs", "Show the log of a job."),
    "cancel": ("cmd_cancel:cancel", "Request cancellation of a job and its children."),
    "delete": ("cmd_delete:delete", "Delete ended jobs and their logs."),
    "share": ("cmd_share:share", "Make a token with which somebody else can follow a job."),
    "whoami": ("cmd_whoami:whoami", "Show who the server takes you for, and what you may do."),
    "context": ("cmd_context:context", "Manage contexts: servers and the credentials for them."),
    "backup": ("cmd_backup:backup", "Copy the server's log to FILE, while the server runs."),
    "bridge": ("cmd_bridge:bridge", "Connect jobs with channels that an application has already."),
    "exec": ("cmd_exec:execute", "Run COMMAND as a job and exit with its exit status."),
    "demo": ("cmd_demo:demo", "Demonstrate a watch that resumes after a lost connection."),
}
"""Location and summary of each command, so that the overview need not load them all."""
_OTHER_PACKAGES: Final = {
    "migrate": (
        "milepost-server[nats]",
        "Copy the log of a stopped server into an empty NATS JetStream stream.",
    ),
    "serve": ("milepost-server", "Run the server, standalone or as one node of many."),
    "token": ("milepost-server", "Create, list and revoke access tokens."),
}
"""Package and summary of the commands that other distributions provide."""

_HELP_ASKED: Final = getattr(click.exceptions, "NoArgsIsHelpError", ())
"""What a group of commands raises that is called without one; its message is the help. Click before 8.2 prints that."""

_ENVIRONMENT: Final = (
    "Every option can also be set in the environment: --owner of submit as MILEPOST_SUBMIT_OWNER; options that "
    "commands share, such as --address, without the command's name: MILEPOST_ADDRESS."
)
_COMPLETION: Final = """\b
eval "$(_MILEPOST_COMPLETE=bash_source milepost)"
"""


class _Group(click.Group):
    """Commands of other distributions, then those of the client. Each is loaded on use."""

    context_class = HelpContext

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*sorted(found.name for found in _plugins()), *_COMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        loaded: object = None
        if cmd_name in _COMMANDS:
            loaded = pkgutil.resolve_name(f"milepost.client._cli.commands.{_COMMANDS[cmd_name][0]}")
        else:
            for found in _plugins():
                if found.name == cmd_name:
                    loaded = _load(found)
        if loaded is None and cmd_name in _OTHER_PACKAGES:
            return _missing_command(cmd_name)
        if not isinstance(loaded, click.Command):
            return None
        use_layout(loaded)
        return loaded

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            raise click.UsageError(
                f"There is no option {error.option_name!r} before a command. Options of a command stand after it, "
                "as in `milepost list --address HOST:PORT`.",
                ctx,
            ) from error

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if not name.startswith("-") and not ctx.resilient_parsing and self.get_command(ctx, name) is None:
            ctx.fail(f"There is no command {name!r}.{_did_you_mean(name, self.list_commands(ctx))}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(self._overview(ctx)))

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write_paragraph()
        formatter.write_text(_ENVIRONMENT)
        with formatter.section("Exit status"):
            formatter.write_dl([(f"{status:>3}", meaning) for status, meaning in MEANINGS.items()])
        with formatter.section("Shell completion (bash; zsh, fish likewise)"):
            formatter.write_text(_COMPLETION)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        commands = [
            CompletionItem(name, help=summary)
            for name, summary in self._overview(ctx)
            if name.startswith(incomplete)
        ]
        return [*commands, *click.Command.shell_complete(self, ctx, incomplete)]

    def _overview(self, ctx: click.Context) -> Iterator[tuple[str, str]]:
        for name in self.list_commands(ctx):
            if name in _COMMANDS:
                yield name, _COMMANDS[name][1]
            elif name in _OTHER_PACKAGES:
                yield name, _OTHER_PACKAGES[name][1]
            elif (command := self.get_command(ctx, name)) is not None:
                yield name, command.get_short_help_str()


@click.group(
    cls=_Group,
    context_settings={
        "auto_envvar_prefix": "MILEPOST",
        "help_option_names": ["-h", "--help"],
        "max_content_width": 100,
        "show_default": True,
    },
    invoke_without_command=True,
)
@click.version_option(package_name="milepost-client", prog_name="milepost", message="%(prog)s %(version)s")
@click.pass_context
def milepost(context: click.Context) -> None:
    """Submit long-running jobs, follow their progress and run workers.

    Results go to stdout, progress and errors to stderr. With --output json both are JSON objects, one per line: jobs or
    events on stdout; errors, warnings, connection changes and why a job is still queued on stderr.
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help(), err=True)
        raise Exit(ExitStatus.USAGE)


def main() -> None:
    """Run the command line of this process and exit."""
    standard_streams.prepare()
    if not os.environ.get("MILEPOST_DEBUG"):
        # The command reports errors itself.
        DURING_IMPORT["GRPC_VERBOSITY"] = "NONE"
    with _ReportDefects():
        sys.exit(run())


def run(arguments: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit status."""
    try:
        return _run(arguments)
    except ReaderGone:
        return ExitStatus.READER_GONE
    except OutputFailed as error:
        write_stderr(f"Error: {error}")
        return ExitStatus.OUTPUT_FAILED


def _run(arguments: Sequence[str] | None) -> int:
    try:
        status = milepost.main(arguments, prog_name="milepost", standalone_mode=False)
    except CommandError as as_command_error:
        as_command_error.show()
        return as_command_error.status
    except click.Abort:
        return ExitStatus.INTERRUPTED
    except _HELP_ASKED as error:
        write_stderr(error.format_message())
        return ExitStatus.USAGE
    except click.ClickException as error:
        show_usage_error(error)
        return ExitStatus.USAGE
    return status if isinstance(status, int) else ExitStatus.SUCCEEDED


class _ReportDefects:
    """Report an unexpected exception in one line; MILEPOST_DEBUG keeps the traceback."""

    def __enter__(self) -> None:
        """Enter the block whose exceptions are reported."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if not isinstance(error, Exception) or os.environ.get("MILEPOST_DEBUG"):
            return
        if type(error).__name__ == "VersionError":  # protobuf's, whose import would slow down every command
            cause = str(error).partition(". ")[0]
            write_stderr(
                f"Error: The installed packages do not go together: {cause}. Install them again in one command, so "
                "that versions are chosen that do."
            )
            sys.exit(ExitStatus.USAGE)
        summary = f"{type(error).__name__}: {error}".splitlines()[0]
        write_stderr(f"Error: A defect in Milepost: {summary} (MILEPOST_DEBUG=1 shows where.)")
        sys.exit(ExitStatus.DEFECT)


def _load(plug_in: EntryPoint) -> object:
    """Load a command or, if that fails, make one that reports the failure, so that the others still work."""
    try:
        return plug_in.load()
    except ImportError as error:
        from milepost.contract.sentence import sentence

        return _failing_command(plug_in.name, sentence(f"{plug_in.value} cannot be loaded: {error}"))


def _missing_command(name: str) -> click.Command:
    """Make a stand-in for a command that is not installed; with any arguments it names the package to install."""
    return _failing_command(
        name,
        f"`milepost {name}` comes with another package. Install it with: pip install '{_OTHER_PACKAGES[name][0]}'",
    )


def _failing_command(name: str, message: str) -> click.Command:
    """Make a command that fails with ``message``, whatever its arguments."""

    def fail(arguments: tuple[str, ...]) -> None:
        raise click.ClickException(message)

    return click.Command(
        name,
        callback=fail,
        params=[click.Argument(["arguments"], nargs=-1, type=click.UNPROCESSED)],
        context_settings={"ignore_unknown_options": True},
        help=message,
    )


def _did_you_mean(name: str, names: Sequence[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, names, n=3, cutoff=0.5)
    return f" Did you mean {' or '.join(near)}?" if near else ""


def _plugins() -> Sequence[EntryPoint]:
    import importlib.metadata

    return tuple(importlib.metadata.entry_points(group=_ENTRY_POINT_GROUP))
