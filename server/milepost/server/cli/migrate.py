"""``milepost migrate``: copy the log of a single server, or of a node, into NATS JetStream."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from milepost.server.cli.options import duration, option
from milepost.server.cli.store_options import access_options, parse_servers, selected_store

if TYPE_CHECKING:
    from milepost.server.log.store import NatsStore


_DATABASES = ("milepost.db", "projection.db")


def _source(value: str) -> Path:
    """Parse ``sqlite://PATH``, or a path, of a database or a directory with one. Raises click.BadParameter."""
    path = Path(value.removeprefix("sqlite://"))
    if path.is_file():
        return path
    found = [path / name for name in _DATABASES if (path / name).exists()]
    if not found:
        raise click.BadParameter(f"there is no log in {str(path)!r}.")
    if len(found) > 1:
        raise click.BadParameter(
            f"{str(path)!r} has the log of a single server and a node's copy of a stream. Name the file: "
            f"{' or '.join(map(str, found))}."
        )
    return found[0]


def _target(value: str) -> tuple[str, ...]:
    urls = parse_servers(value)
    if not urls:
        raise click.BadParameter(f"{value!r} is not nats://host:4222,host:4222.")
    return urls


_EPILOG = """\b
Examples:
  milepost migrate --from sqlite:///var/lib/milepost --to nats://n1:4222,n2:4222,n3:4222
  milepost migrate --from /var/lib/milepost/projection-20261126T050000Z-5f0c1d2e.db --to nats://n1:4222

Every option is also read from the environment: --nats-stream from MILEPOST_NATS_STREAM.
"""


@click.command(context_settings={"show_default": True}, epilog=_EPILOG)
@option(
    "--from",
    "source",
    type=_source,
    metavar="URL",
    required=True,
    help="Data directory, or database, to copy from: sqlite://PATH.",
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
    "--connect-timeout",
    type=duration(),
    default="30s",
    metavar="TIME",
    help="Time to wait for NATS.",
)
@option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="warning",
    help="Minimum level of log lines on stderr.",
)
def migrate(
    source: Path, target: tuple[str, ...], connect_timeout: float, log_level: str, **nats: Any
) -> None:
    """Copy the log of a stopped server into an empty NATS JetStream stream.

    The source is the data directory of a single server or of a node, a backup, or a projection that a node has set
    aside. From a node it restores a stream that was lost.

    Events keep their sequence numbers. The epoch changes, so resuming subscribers get EPOCH_CHANGED and leases end: let
    the workers finish first. The source is not modified.

    At the end it prints one JSON line on stdout.
    """
    import asyncio

    from milepost.server.cli import log_output
    from milepost.server.log.database_lock import DatabaseInUse, DatabaseLock
    from milepost.server.log.jetstream.nats_access import ConnectionLost, StreamLost, StreamRefused
    from milepost.server.log.log_errors import StoreFailed
    from milepost.server.log.sqlite.schema import SchemaTooNew
    from milepost.server.runtime.data_directory import DataDirectory, DirectoryInUse

    log_output.configure(log_level)
    nats_store = selected_store(store=target, **nats)
    assert nats_store is not None
    try:
        with contextlib.ExitStack() as stack:
            if source.name in _DATABASES:
                stack.enter_context(contextlib.closing(DataDirectory(source.parent)))
            stack.enter_context(contextlib.closing(DatabaseLock(source)))
            asyncio.run(_migrate(source, nats_store, connect_timeout))
    except (DatabaseInUse, DirectoryInUse, SchemaTooNew, StoreFailed, StreamLost, StreamRefused) as error:
        raise click.ClickException(str(error)) from error
    except ConnectionLost as error:
        raise click.ClickException(
            f"The connection to NATS was lost: {error}. Delete the stream, and begin again."
        ) from error
    except sqlite3.Error as error:
        raise click.ClickException(f"The database in {str(source)!r} cannot be read: {error}.") from error


async def _migrate(source: Path, target: NatsStore, connect_timeout: float) -> None:
    import asyncio

    # Imported here, since they need the extra `nats`; without it `selected_store` has refused the URL.
    from milepost.server.log.jetstream.import_from_sqlite import SqliteImport
    from milepost.server.log.jetstream.nats_connection import NatsConnection
    from milepost.server.log.jetstream.stream import StreamNames, ensure_stream

    connection = NatsConnection(target.access, lambda up: None)
    names = StreamNames(target.stream)
    try:
        try:
            async with asyncio.timeout(connect_timeout):
                await connection.open()
        except TimeoutError:
            raise click.ClickException(
                f"NATS did not take the connection within {connect_timeout:g} s. See the warnings above, and what "
                "--to names; --connect-timeout waits longer."
            ) from None
        await ensure_stream(connection, names, target.replicas)
        copied = await SqliteImport(source, connection, names).run()
    finally:
        await connection.close()
    summary = {"stream": names.stream, "jobs": copied.jobs, "events": copied.events}
    sys.stdout.write(json.dumps(summary) + "\n")
