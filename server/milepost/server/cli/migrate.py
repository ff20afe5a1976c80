"""``milepost migrate``: copy the log of a single server into NATS JetStream."""

from __future__ import annotations

import json
import sqlite3
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from milepost.server.cli.options import option
from milepost.server.cli.store_options import access_options, parse_servers, selected_store

if TYPE_CHECKING:
    from milepost.server.log.store import NatsStore


def _source(value: str) -> Path:
    """Parse ``sqlite://DIR``, or a directory. Raises click.BadParameter."""
    path = Path(value.removeprefix("sqlite://"))
    if not (path / "milepost.db").exists():
        raise click.BadParameter(f"there is no log in {str(path)!r}.")
    return path


def _target(value: str) -> tuple[str, ...]:
    urls = parse_servers(value)
    if not urls:
        raise click.BadParameter(f"{value!r} is not nats://host:4222,host:4222.")
    return urls


_EPILOG = """\b
Examples:
  milepost migrate --from sqlite:///var/lib/milepost --to nats://n1:4222,n2:4222,n3:4222

Every option is also read from the environment: --nats-stream from MILEPOST_NATS_STREAM.
"""


@click.command(context_settings={"show_default": True}, epilog=_EPILOG)
@option(
    "--from",
    "source",
    type=_source,
    metavar="URL",
    required=True,
    help="Data directory to copy from: sqlite://DIR.",
)
@option(
    "--to",
    "target",
    type=_target,
    metavar="URL",
    required=True,
    help="NATS servers to copy to: nats://host:4222,host:4222.",
)
@access_options(option)
@option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="warning",
    help="Minimum level of log lines on stderr.",
)
def migrate(source: Path, target: tuple[str, ...], log_level: str, **nats: Any) -> None:
    """Copy the log of a stopped server into an empty NATS JetStream stream.

    Events keep their sequence numbers. The epoch changes, so resuming subscribers get EPOCH_CHANGED and leases end: let
    the workers finish first. The source is not modified.

    At the end it prints one JSON line on stdout.
    """
    import asyncio

    from milepost.server.cli import log_output
    from milepost.server.log.event_log import StoreFailed
    from milepost.server.log.jetstream.nats_access import ConnectionLost, StreamRefused
    from milepost.server.log.sqlite.schema import SchemaTooNew
    from milepost.server.runtime.data_directory import DataDirectory, DirectoryInUse

    log_output.configure(log_level)
    nats_store = selected_store(store=target, **nats)
    assert nats_store is not None
    try:
        directory = DataDirectory(source)
        try:
            asyncio.run(_migrate(source, nats_store))
        finally:
            directory.close()
    except (DirectoryInUse, SchemaTooNew, StoreFailed, StreamRefused) as error:
        raise click.ClickException(str(error)) from error
    except ConnectionLost as error:
        raise click.ClickException(
            f"The connection to NATS was lost: {error}. Delete the stream, and begin again."
        ) from error
    except sqlite3.Error as error:
        raise click.ClickException(f"The database in {str(source)!r} cannot be read: {error}.") from error


async def _migrate(source: Path, target: NatsStore) -> None:
    # Imported here, since they need the extra `nats`; without it `selected_store` has refused the URL.
    from milepost.server.log.jetstream.import_from_sqlite import SqliteImport
    from milepost.server.log.jetstream.nats_connection import NatsConnection
    from milepost.server.log.jetstream.stream import StreamNames, ensure_stream

    connection = NatsConnection(target.access, lambda up: None)
    names = StreamNames(target.stream)
    await connection.open()
    try:
        await ensure_stream(connection, names, target.replicas)
        copied = await SqliteImport(source / "milepost.db", connection, names).run()
    finally:
        await connection.close()
    summary = {"stream": names.stream, "jobs": copied.jobs, "events": copied.events}
    sys.stdout.write(json.dumps(summary) + "\n")
