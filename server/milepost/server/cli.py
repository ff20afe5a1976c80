"""``milepost serve``."""

from __future__ import annotations

import asyncio
import json
import signal
import sqlite3
import sys
from pathlib import Path

import click

from milepost.server import logs
from milepost.server.directory import DirectoryInUse
from milepost.server.log.event_log import StoreFailed
from milepost.server.log.schema import SchemaTooNew
from milepost.server.serving import Server, Settings


@click.command(context_settings={"show_default": True, "auto_envvar_prefix": "MILEPOST"})
@click.option(
    "--address",
    default="127.0.0.1:7070",
    envvar="MILEPOST_ADDRESS",
    show_envvar=True,
    help="Where to listen, host:port; port 0 takes a free one.",
)
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("milepost-data"),
    envvar="MILEPOST_DATA",
    show_envvar=True,
    help="The directory that the log is kept in; made if it is not there.",
)
@click.option(
    "--lease-ttl",
    type=click.FloatRange(min=1, max=3600),
    default=30.0,
    envvar="MILEPOST_LEASE_TTL",
    show_envvar=True,
    help="How long a worker may not be heard from before it loses its jobs, in seconds.",
)
@click.option(
    "--tls-cert",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    envvar="MILEPOST_TLS_CERT",
    show_envvar=True,
    help="The server's certificate chain (PEM). Without it the server speaks plain text.",
)
@click.option(
    "--tls-key",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    envvar="MILEPOST_TLS_KEY",
    show_envvar=True,
    help="The key of --tls-cert (PEM).",
)
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="info",
    envvar="MILEPOST_LOG_LEVEL",
    show_envvar=True,
    help="What the server says of itself, on stderr.",
)
def serve(
    address: str, data: Path, lease_ttl: float, tls_cert: Path | None, tls_key: Path | None, log_level: str
) -> None:
    """Run the server, with its log in an embedded database.

    When it is ready it prints one JSON line on stdout with its address and its epoch. SIGTERM or Ctrl-C stops it in
    order: what is being committed is committed, and subscribers and workers are told to come back.
    """
    if (tls_cert is None) != (tls_key is None):
        raise click.UsageError("--tls-cert and --tls-key go together.")
    logs.configure(log_level)
    settings = Settings(address, data, lease_ttl, tls_cert, tls_key)
    try:
        asyncio.run(_serve(settings))
    except (DirectoryInUse, SchemaTooNew, StoreFailed, OSError) as error:
        raise click.ClickException(str(error)) from error
    except sqlite3.Error as error:
        raise click.ClickException(f"The database in {str(data)!r} cannot be opened: {error}.") from error


async def _serve(settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    server = Server(settings)
    try:
        await server.start()
        sys.stdout.write(json.dumps({"address": server.address, "epoch": server.epoch}) + "\n")
        sys.stdout.flush()
        server.failed.add_done_callback(lambda _: stop.set())
        await stop.wait()
        if server.failed.done():
            raise server.failed.result()
    finally:
        await server.stop()
