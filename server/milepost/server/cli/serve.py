"""``milepost serve``: run the server."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from milepost.server.access.credentials.credential_settings import CredentialSettings
from milepost.server.access.limits.principal_limits import Limits
from milepost.server.cli.credential_options import credential_options
from milepost.server.cli.http_options import http_options
from milepost.server.cli.limit_options import limit_options
from milepost.server.cli.listen_options import is_loopback, parse_address
from milepost.server.cli.options import duration, option
from milepost.server.cli.store_options import selected_store, store_options
from milepost.server.cli.tls_options import tls_options
from milepost.server.http.http_settings import HttpSettings
from milepost.server.runtime.tls.tls_files import TlsFileError, TlsFiles

# Exit status after the store has failed for good.
_STORE_FAILED = 1


_EPILOG = """\b
Examples:
  milepost serve --data /var/lib/milepost --keep-events 7d --keep-jobs 90d
  milepost serve --address 0.0.0.0:7070 --tokens tokens.toml --tls-cert server.pem --tls-key server.key

Every option is also read from the environment: --lease-ttl from MILEPOST_LEASE_TTL.
"""


@click.command(context_settings={"show_default": True}, epilog=_EPILOG)
@option(
    "--address",
    type=parse_address,
    metavar="HOST:PORT",
    default="127.0.0.1:7070",
    help="Address to listen on; port 0 picks a free one.",
)
@http_options
@option(
    "--health-address",
    type=parse_address,
    metavar="HOST:PORT",
    help="Address for health checks in plain text, and nothing else, besides those on --address. Default: none.",
)
@option(
    "--metrics",
    type=parse_address,
    metavar="HOST:PORT",
    help="Address of /metrics for Prometheus, in plain text and without credentials. Default: none.",
)
@option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("milepost-data"),
    help="Data directory of the log; created if missing.",
)
@store_options(option)
@option(
    "--lease-ttl",
    type=duration(1, 3600),
    metavar="TIME",
    default="30s",
    help="Lease duration: a worker silent for longer loses its jobs.",
)
@tls_options
@credential_options
@option(
    "--keep-progress",
    type=duration(),
    metavar="TIME",
    help="Retention of an ended job's progress events, such as 1d; after it only the newest of each stage stays.",
)
@option(
    "--keep-events",
    type=duration(),
    metavar="TIME",
    help="Retention of an ended job's events, such as 7d.",
)
@option(
    "--keep-jobs",
    type=duration(),
    metavar="TIME",
    help="Retention of an ended job, such as 90d.",
)
@option(
    "--max-events",
    type=click.IntRange(min=100),
    help="Approximate maximum of events per job, even while it runs; the oldest are removed first.",
)
@option(
    "--sweep-interval",
    type=duration(0.01),
    metavar="TIME",
    default="60s",
    help="Interval between retention sweeps.",
)
@option(
    "--tail-memory",
    type=click.IntRange(min=1),
    default=128,
    help="Memory for the recent events of watched jobs, in MiB.",
)
@option(
    "--queue-memory",
    type=click.IntRange(min=1),
    default=48,
    help="Memory for jobs that have not ended, in MiB: about 90,000 that wait for a worker.",
)
@option(
    "--request-memory",
    type=click.IntRange(min=16),
    default=64,
    help="Memory for requests at work, in MiB; one caller has half of it.",
)
@option(
    "--response-memory",
    type=click.IntRange(min=16),
    default=64,
    help="Memory for responses that clients have not read yet, in MiB; one caller has half of it.",
)
@option("--max-watches", type=click.IntRange(min=1), default=50_000, help="Maximum number of open watches.")
@option(
    "--max-watches-per-caller",
    type=click.IntRange(min=1),
    default=20_000,
    help="Maximum number of open watches per caller: a principal or, without credentials, a client host.",
)
@limit_options
@option(
    "--loop-warning",
    type=duration(0.001),
    metavar="TIME",
    default="20ms",
    help="Log what blocks the event loop for longer than this; it serves nobody meanwhile.",
)
@option(
    "--audit-log",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="File for a JSON line of each decision that changes or refuses something. Default: the log, where credentials "
    "are configured.",
)
@option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="info",
    help="Minimum level of log lines on stderr.",
)
def serve(
    address: str,
    http: HttpSettings | None,
    health_address: str | None,
    metrics: str | None,
    data: Path,
    lease_ttl: float,
    tls: TlsFiles | None,
    credentials: CredentialSettings,
    allow_anonymous: bool,
    keep_progress: float | None,
    keep_events: float | None,
    keep_jobs: float | None,
    max_events: int | None,
    sweep_interval: float,
    tail_memory: int,
    queue_memory: int,
    request_memory: int,
    response_memory: int,
    max_watches: int,
    max_watches_per_caller: int,
    limits: Limits,
    loop_warning: float,
    audit_log: Path | None,
    log_level: str,
    **nats: Any,
) -> None:
    """Run the server, standalone or as one node of many.

    A standalone server keeps its log in an SQLite database in the data directory; nodes share one in NATS JetStream.

    When ready it prints one JSON line with its address and epoch on stdout. SIGTERM or Ctrl-C drains it: pending
    commits complete, and subscribers and workers are asked to reconnect.

    Without the --keep-… options nothing is ever removed.
    """
    # Imported here, since the module is also loaded for help and shell completion.
    from milepost.server.cli.lean_structlog import import_without_rich

    import_without_rich()
    from milepost.server import failpoints
    from milepost.server.cli import log_output
    from milepost.server.cli.server_process import run
    from milepost.server.followers.retention import RetentionPolicy
    from milepost.server.runtime.server import Settings

    _check_exposure(address, http, tls, credentials, allow_anonymous=allow_anonymous)
    log_output.configure(log_level)
    try:
        failpoints.arm(os.environ.get(failpoints.VARIABLE, ""))
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    settings = Settings(
        address=address,
        http=http,
        health_address=health_address or "",
        metrics_address=metrics or "",
        data=data,
        lease_ttl=lease_ttl,
        tls=tls,
        credentials=credentials,
        audit_log=audit_log,
        keep=RetentionPolicy(keep_progress, keep_events, keep_jobs, max_events or 0),
        sweep_interval=sweep_interval,
        tail_memory=tail_memory << 20,
        queue_memory=queue_memory << 20,
        request_memory=request_memory << 20,
        response_memory=response_memory << 20,
        max_watches=max_watches,
        max_watches_per_caller=max_watches_per_caller,
        limits=limits,
        loop_warning=loop_warning,
        nats=selected_store(**nats),
    )
    with _as_command_errors(data, credentials):
        run(settings)


def _check_exposure(
    address: str,
    http: HttpSettings | None,
    tls: TlsFiles | None,
    credentials: CredentialSettings,
    *,
    allow_anonymous: bool,
) -> None:
    """Raise UsageError for options that let everyone do everything, unless they allow that explicitly."""
    addresses = {"--address": address, **({"--http": http.address} if http is not None else {})}
    if credentials.is_empty and not allow_anonymous:
        for name, each in addresses.items():
            if not is_loopback(each, name):
                raise click.UsageError(
                    f"{each!r} can be reached from other machines, and no credentials are configured. Set --tokens "
                    "or --jwt-issuer, or allow everyone to do everything with --allow-anonymous."
                )
    if tls is not None and tls.client_ca is not None and credentials.is_empty and not allow_anonymous:
        raise click.UsageError(
            "With --tls-client-ca alone everyone who has a certificate may do everything. Say with --tokens who may do "
            "what, or allow that with --allow-anonymous."
        )
    if http is not None and "*" in http.allowed_origins and credentials.is_empty:
        raise click.UsageError(
            "With --http-allow-origin '*' and no credentials any page may do everything. Set --tokens or "
            "--jwt-issuer, or name the origins."
        )


@contextmanager
def _as_command_errors(data: Path, credentials: CredentialSettings) -> Iterator[None]:
    """Turn the errors that end a server into errors of the command, which say what to do."""
    from milepost.server.access.credentials.token_file import TokenFileError
    from milepost.server.log.database_lock import DatabaseInUse
    from milepost.server.log.jetstream.nats_access import StreamRefused
    from milepost.server.log.log_errors import StoreFailed
    from milepost.server.log.sqlite.schema import SchemaTooNew
    from milepost.server.runtime.data_directory import DirectoryInUse

    try:
        yield
    except StoreFailed as error:
        # The command line is right: its supervisor should start it again.
        click.echo(f"Error: {error}", err=True)
        click.get_current_context().exit(_STORE_FAILED)
    except TlsFileError as error:
        raise click.ClickException(f"{error}.") from error
    except TokenFileError as error:
        raise click.ClickException(
            f"The token file {str(credentials.tokens)!r} cannot be used: {error}. `milepost token create` makes one."
        ) from error
    except (DatabaseInUse, DirectoryInUse, SchemaTooNew, StreamRefused) as error:
        raise click.ClickException(str(error)) from error
    except OSError as error:
        if error.filename is None:
            raise click.ClickException(str(error)) from error
        raise click.ClickException(
            f"The data directory {str(data)!r} cannot be used: {error.strerror}. Name another one with --data."
        ) from error
    except sqlite3.Error as error:
        raise click.ClickException(f"The database in {str(data)!r} cannot be opened: {error}.") from error
