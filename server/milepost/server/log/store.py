"""Opening the store that a server is configured with: SQLite in a directory, or a NATS stream."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import structlog

from milepost.server.base.clock import AdjustedClock
from milepost.server.budgets.idle_caches import IdleCaches
from milepost.server.log.commit_times import CommitTimes
from milepost.server.log.event_log import EventLog
from milepost.server.log.jetstream.nats_access import NatsAccess
from milepost.server.log.log_errors import StoreFailed
from milepost.server.log.node_presence import Peers, Presence
from milepost.server.log.sqlite.log_copy import LogCopy
from milepost.server.log.sqlite.sqlite_log import SqliteEventLog
from milepost.server.log.store_files import StoreFiles

_logger = structlog.get_logger("milepost.store")


class Store(EventLog, Protocol):
    """An event log with the lifecycle that a server needs."""

    @property
    def commit_times(self) -> CommitTimes:
        """How long this node's commits took until they were durable."""

    @property
    def failed(self) -> asyncio.Future[StoreFailed]:
        """Resolves when the store has failed for good."""

    async def start(self) -> None:
        """Wait until the log can be read."""

    async def share_presence(self, here: Presence, interval: float) -> Peers:
        """Exchange worker presence with other nodes: ``here`` receives their reports, and they those of the result.

        Nodes publish renewed leases every ``interval`` seconds.
        """

    async def copy_to(self, path: Path) -> LogCopy:
        """Write a compact copy of the log, as of one moment, to the new file ``path``; a cancellation stops it.

        Raises StoreFull, StoreFailed; Unimplemented if the log is not in files.
        """


@dataclass(frozen=True)
class NatsStore:
    """Settings of a log in a NATS stream. ``replicas``: None for three in a cluster and one on a single server.

    ``synced`` asserts that the servers sync to disk before they acknowledge; NATS has no way to ask them.
    """

    access: NatsAccess
    stream: str = "milepost"
    replicas: int | None = None
    synced: bool = False


def open_store(
    directory: Path,
    files: StoreFiles,
    nats: NatsStore | None,
    on_state: Callable[[bool], None],
    idle: IdleCaches,
    clock: AdjustedClock,
) -> Store:
    """Open the store in the directory, or in NATS with a projection in the directory.

    The store calls ``on_state`` when it becomes reachable (True) or unreachable (False). It fails when one of
    ``files``, to which it adds its own, is no longer in its place. ``idle`` bounds its caches in time. NATS adjusts the
    ``clock`` to the time that all nodes go by.
    """
    if nats is None:
        return SqliteEventLog(directory, files, on_state)
    if not nats.synced:
        _logger.warning(
            "NATS servers without sync_interval: always lose up to two minutes of acknowledged writes in a power cut "
            "of most of them; --nats-sync-always asserts that they have it"
        )
    # A local import, since it needs the extra `nats`.
    from milepost.server.log.jetstream.jetstream_log import JetStreamEventLog
    from milepost.server.log.jetstream.stream import StreamNames

    return JetStreamEventLog(
        directory,
        nats.access,
        StreamNames(nats.stream),
        files=files,
        replicas=nats.replicas,
        on_state=on_state,
        idle=idle,
        clock=clock,
    )
