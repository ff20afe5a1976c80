"""``milepost serve``."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from milepost.server.cli import listen_address
from milepost.server.cli.duration_option import span
from milepost.server.cli.store_options import store, store_options


def _option(name: str, **settings: Any) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """An option with its environment twin: ``--lease-ttl`` is MILEPOST_LEASE_TTL."""
    variable = "MILEPOST_" + name.removeprefix("--").replace("-", "_").upper()
    return click.option(name, envvar=variable, **settings)


_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)

# The exit status once the store does not work any more.
_STORE_FAILED = 1


_EPILOG = """\b
Examples:
  milepost serve --data /var/lib/milepost --keep-events 7d --keep-jobs 90d
  milepost serve --address 0.0.0.0:7070 --tls-cert server.pem --tls-key server.key

Each option is read from the environment, too: --lease-ttl from MILEPOST_LEASE_TTL.
"""


@click.command(context_settings={"show_default": True}, epilog=_EPILOG)
@_option(
    "--address",
    type=listen_address.address,
    metavar="HOST:PORT",
    default="127.0.0.1:7070",
    help="Where to listen, host:port; port 0 takes a free one.",
)
@_option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("milepost-data"),
    help="The directory that the log is kept in; made if it is not there.",
)
@store_options(_option)
@_option(
    "--lease-ttl",
    type=span(1, 3600),
    metavar="TIME",
    default="30s",
    help="How long a worker may not be heard from before it loses its jobs.",
)
@_option(
    "--tls-cert",
    type=_FILE,
    help="The server's certificate chain (PEM); without it, plain text.",
)
@_option("--tls-key", type=_FILE, help="The key of --tls-cert (PEM).")
@_option(
    "--keep-progress",
    type=span(),
    metavar="TIME",
    help="How long after a job's end all of its progress is kept, such as 1d; then the newest of each stage is.",
)
@_option(
    "--keep-events",
    type=span(),
    metavar="TIME",
    help="How long after a job's end its events are kept, such as 7d.",
)
@_option(
    "--keep-jobs",
    type=span(),
    metavar="TIME",
    help="How long after its end a job is kept at all, such as 90d.",
)
@_option(
    "--max-events",
    type=click.IntRange(min=100),
    help="How many of its newest events are kept of each job, about, even while it runs.",
)
@_option(
    "--sweep-interval",
    type=span(0.01),
    metavar="TIME",
    default="60s",
    help="How often to look for what need not be kept any more.",
)
@_option(
    "--tail-memory",
    type=click.IntRange(min=1),
    default=256,
    help="How much of the logs that are being watched is kept in memory, in MiB.",
)
@_option("--max-watches", type=click.IntRange(min=1), default=50_000, help="How many watches may be open.")
@_option(
    "--max-watches-per-caller",
    type=click.IntRange(min=1),
    default=20_000,
    help="How many watches may be open from one host.",
)
@_option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="info",
    help="What the server says of itself, on stderr.",
)
def serve(
    address: str,
    data: Path,
    lease_ttl: float,
    tls_cert: Path | None,
    tls_key: Path | None,
    keep_progress: float | None,
    keep_events: float | None,
    keep_jobs: float | None,
    max_events: int | None,
    sweep_interval: float,
    tail_memory: int,
    max_watches: int,
    max_watches_per_caller: int,
    log_level: str,
    **nats: Any,
) -> None:
    """Run the server, alone or as one of many nodes.

    Alone it keeps its log in a database in the data directory; nodes share one in NATS JetStream.

    When it is ready it prints one JSON line on stdout with its address and its epoch. SIGTERM or Ctrl-C stops it in
    order: what is being committed is committed, and subscribers and workers are told to come back.

    What is not told otherwise is kept for as long as the data directory lasts.
    """
    # The module is loaded for help and for shell completion, too; what it takes to serve is not needed there.
    from milepost.server.cli import log_output
    from milepost.server.cli.server_process import run
    from milepost.server.followers.retention import RetentionPolicy
    from milepost.server.log.event_log import StoreFailed
    from milepost.server.log.jetstream.nats_access import StreamRefused
    from milepost.server.log.sqlite.schema import SchemaTooNew
    from milepost.server.runtime import failpoints
    from milepost.server.runtime.data_directory import DirectoryInUse
    from milepost.server.runtime.server import Settings

    if (tls_cert is None) != (tls_key is None):
        raise click.UsageError("--tls-cert and --tls-key go together.")
    if tls_cert is not None and tls_key is not None:
        listen_address.check_pair(tls_cert, tls_key)
    log_output.configure(log_level)
    try:
        failpoints.arm(os.environ.get(failpoints.VARIABLE, ""))
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    settings = Settings(
        address=address,
        data=data,
        lease_ttl=lease_ttl,
        tls_certificate=tls_cert,
        tls_key=tls_key,
        keep=RetentionPolicy(keep_progress, keep_events, keep_jobs, max_events or 0),
        sweep_interval=sweep_interval,
        tail_memory=tail_memory << 20,
        max_watches=max_watches,
        max_watches_per_caller=max_watches_per_caller,
        nats=store(**nats),
    )
    try:
        run(settings)
    except StoreFailed as error:
        # Nothing is wrong with how it was started, so that its supervisor is to start it again.
        click.echo(f"Error: {error}", err=True)
        click.get_current_context().exit(_STORE_FAILED)
    except (DirectoryInUse, SchemaTooNew, StreamRefused) as error:
        raise click.ClickException(str(error)) from error
    except OSError as error:
        if error.filename is None:
            raise click.ClickException(str(error)) from error
        raise click.ClickException(
            f"The data directory {str(data)!r} cannot be used: {error.strerror}. Name another one with --data."
        ) from error
    except sqlite3.Error as error:
        raise click.ClickException(f"The database in {str(data)!r} cannot be opened: {error}.") from error
