"""Which store a server keeps its log in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import structlog

from milepost.server.log.event_log import EventLog, StoreFailed
from milepost.server.log.jetstream.nats_access import NatsAccess
from milepost.server.log.node_presence import Peers, Presence
from milepost.server.log.sqlite.sqlite_log import SqliteEventLog
from milepost.server.log.store_files import StoreFiles

_log = structlog.get_logger("milepost.store")


class Store(EventLog, Protocol):
    """A log as a server has it."""

    @property
    def failed(self) -> asyncio.Future[StoreFailed]:
        """Done once the store can never work again."""

    async def start(self) -> None:
        """Returns once the log can be read."""

    async def share_presence(self, here: Presence, interval: float) -> Peers:
        """Lets nodes tell each other of workers: ``here`` is told what others say, and they what is returned is told.

        Of which jobs the workers were heard from is said every ``interval`` seconds.
        """


@dataclass(frozen=True)
class NatsStore:
    """A log in a stream. ``replicas`` is how many servers keep it; None for three in a cluster, and one alone.

    ``synced`` says that the servers write through to the disk before they acknowledge, which cannot be asked of them.
    """

    access: NatsAccess
    stream: str = "milepost"
    replicas: int | None = None
    synced: bool = False


def open_store(
    directory: Path, files: StoreFiles, nats: NatsStore | None, on_state: Callable[[bool], None]
) -> Store:
    """The store in the directory, or in NATS with a projection there; ``on_state`` is told whether it is there.

    It fails when one of ``files``, or of those that it adds to them, is no longer in its place.
    """
    if nats is None:
        return SqliteEventLog(directory, files)
    if not nats.synced:
        _log.warning(
            "NATS servers without sync_interval: always lose what they acknowledged in up to the last two minutes "
            "when the power goes for most of them at once; --nats-sync-always says that they have it"
        )
    # Imported here, since it needs the extra `nats`.
    from milepost.server.log.jetstream.jetstream_log import JetStreamEventLog
    from milepost.server.log.jetstream.stream import StreamNames

    return JetStreamEventLog(
        directory,
        nats.access,
        StreamNames(nats.stream),
        files=files,
        replicas=nats.replicas,
        on_state=on_state,
    )
