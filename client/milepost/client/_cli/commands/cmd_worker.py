"""`milepost worker`."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Mapping
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from milepost.client._cli.commands import completion
from milepost.client._cli.commands.base_command import command
from milepost.client._cli.commands.options import (
    checked_address,
    connection_options,
    log_level_option,
    option,
    spool_option,
    unusable_file,
)
from milepost.client._cli.commands.other_packages import installation_hint
from milepost.client._cli.commands.parameter_types import seconds
from milepost.client._cli.commands.server_settings import server_settings
from milepost.client._cli.commands.worker_environment import export_settings, restored_settings
from milepost.client._taken_names import taken_name

if TYPE_CHECKING:
    from milepost.client import Worker

__all__ = ["worker"]


@command(
    examples=(
        "milepost worker milepost.examples.archive:worker",
        "milepost worker jobs:worker --concurrency 4 --spool spool",
    )
)
@click.argument("target", metavar="MODULE:NAME", shell_complete=completion.modules)
@option(
    "--concurrency",
    "-c",
    type=click.IntRange(1, 10_000),
    metavar="N",
    help="Maximum number of jobs to run at once.",
)
@option("--worker-id", metavar="ID", help="Id of this worker, shown with its jobs.")
@option(
    "--drain-timeout",
    type=seconds,
    metavar="TIME",
    help="Time for running jobs to finish when the worker stops.",
)
@option(
    "--flush-timeout",
    type=seconds,
    metavar="TIME",
    help="Time to deliver the last reports of a finished job before they go to the spool.",
)
@spool_option("Directory for undelivered reports; the next worker with this spool sends them.")
@log_level_option("info")
@connection_options
@click.pass_context
@restored_settings()
def worker(
    context: click.Context,
    /,
    target: str,
    concurrency: int | None,
    worker_id: str | None,
    drain_timeout: float | None,
    flush_timeout: float | None,
    spool: Path | None,
    log_level: str,
    **connection: Any,
) -> None:
    """Run the Worker called NAME in MODULE.

    MODULE is imported from the working directory first. Options override what the Worker was constructed with, and so
    does a context; the current one does not, if the Worker names another address. Clients that its handlers make have
    the same server by default. SIGTERM or Ctrl-C drains it: running jobs may finish within --drain-timeout, the rest
    are returned to the queue.
    """
    from milepost.client._cli.commands import log_setup

    log_setup.configure(log_level)
    # The current context holds unless the code names another server, so it waits for the import. Everything else holds
    # in any case, and is there for clients that the module makes when it is imported.
    given = server_settings(context, connection, code_address="")
    _pass_on(given)
    found = _find(target)
    if "address" not in given:
        given = server_settings(context, connection, code_address=found._settings.address_of_code)
        _pass_on(given)
    found._settings.override(
        **given,
        worker_id=worker_id,
        max_concurrency=concurrency,
        drain_timeout=drain_timeout,
        flush_timeout=flush_timeout,
        spool=spool,
    )
    try:
        found.main()
    except OSError as error:
        raise unusable_file(error, found._settings.spool) from error


def _pass_on(settings: Mapping[str, Any]) -> None:
    """Let the clients of the worker's module have the same server."""
    if "address" in settings:
        checked_address(settings["address"])
    export_settings(settings)


def _find(target: str) -> Worker:
    """Import the worker ``MODULE:NAME``."""
    from milepost.client import Worker
    from milepost.client._cli.rendering import text

    module_name, colon, name = target.partition(":")
    if not colon or not module_name or not name:
        raise _bad_target(f"{target!r} is not of the form MODULE:NAME.")
    sys.path.insert(0, str(Path.cwd()))
    try:
        found = attrgetter(name)(importlib.import_module(module_name))
    except Exception as error:
        if os.environ.get("MILEPOST_DEBUG"):
            raise
        if isinstance(error, ImportError) and (hint := installation_hint(error.name)):
            raise _bad_target(f"{target} cannot be imported: {hint}") from error
        if taken := taken_name(module_name):
            raise _bad_target(f"{target} cannot be imported: {taken}.") from error
        message = text.one_line(f"{type(error).__name__}: {error}", 500)
        if "/" in module_name or module_name.endswith(".py"):
            message = f"give the module, as in package.module:{name}, and not its file"
        raise _bad_target(
            f"{target} cannot be imported: {message} (MILEPOST_DEBUG=1 shows where.)"
        ) from error
    if not isinstance(found, Worker):
        taken = taken_name(module_name)
        raise _bad_target(
            f"{target} is not a Worker, but of type {type(found).__name__}{taken and f': {taken}'}."
        )
    if not found.kinds:
        raise _bad_target(f"{target} has no handlers: decorate some with @{name}.job(kind).")
    return found


def _bad_target(message: str) -> click.BadParameter:
    return click.BadParameter(message, param_hint="'MODULE:NAME'")
