"""The event log in one directory: a SQLite database, written by one thread and read by a few."""

from __future__ import annotations

import asyncio
import secrets
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import TypeVar

import structlog

from milepost.server.base.listeners import Listeners
from milepost.server.log.commit_times import CommitTimes
from milepost.server.log.database_lock import DatabaseLock
from milepost.server.log.deliveries import Deliveries, entry_steps
from milepost.server.log.event_log import Commit, Entry
from milepost.server.log.log_errors import StoreDisplaced, StoreFailed
from milepost.server.log.node_presence import ContactPeriod, NoPeers, Peers, Presence
from milepost.server.log.sqlite import statements
from milepost.server.log.sqlite.append import Append
from milepost.server.log.sqlite.epoch_mark import EpochMark
from milepost.server.log.sqlite.log_copy import LogCopy, copy_log
from milepost.server.log.sqlite.pruning import Delete, RevokeShares, Thin, Trim
from milepost.server.log.sqlite.reader import Reader
from milepost.server.log.sqlite.reader_pool import ReaderPool
from milepost.server.log.sqlite.schema import migrate
from milepost.server.log.sqlite.transaction import Write
from milepost.server.log.sqlite.wal_reserve import WalReserve
from milepost.server.log.sqlite.wal_upkeep import WalUpkeep
from milepost.server.log.sqlite.writer import Outcome, Writer
from milepost.server.log.store_files import StoreFiles, connect, create, wal_truncated
from milepost.server.scheduling.prompt_future import PromptFuture

_logger = structlog.get_logger("milepost.store")

# Longest time in milliseconds to wait for readers when a displaced database is left.
_LAST_CHECKPOINT_WAIT = 1000


_Argument = TypeVar("_Argument")


class SqliteEventLog(ReaderPool):
    """An ``EventLog`` in ``directory``, bound to the running event loop.

    It adds its files to ``files``, and fails when one of those is no longer in its place. It calls ``on_state`` when
    another process has locked the database (False), so that writes are refused, and when that is over (True).

    Raises DatabaseInUse, SchemaTooNew, or sqlite3.Error if the database cannot be opened.
    """

    is_shared = False

    def __init__(
        self,
        directory: Path,
        files: StoreFiles | None = None,
        on_state: Callable[[bool], None] = lambda up: None,
    ) -> None:
        self._path = directory / "milepost.db"
        self._files = StoreFiles() if files is None else files
        self._on_state = on_state
        create(self._path)
        self._lock = DatabaseLock(self._path)
        try:
            connection = self._open()
            migrate(connection)
            self._mark = EpochMark(directory / "epoch.json", self._path)
            position: int = connection.execute(statements.LAST_POSITION).fetchone()[0]
            self._epoch = self._mark.resolve_epoch(_meta(connection, "epoch"), position)
            connection.execute(statements.SET_META, ("epoch", self._epoch))
            secret = _meta(connection, "lease_secret") or secrets.token_hex(32)
            connection.execute(statements.SET_META, ("lease_secret", secret))
            self._files.watch_database(self._path)
        except BaseException:
            self._lock.close()
            raise
        self._lease_secret = bytes.fromhex(secret)
        self._mark.renew(position, now=True)
        self._written = self._position = position

        super().__init__(self._open_reader)
        self._loop = asyncio.get_running_loop()
        self._waiting: dict[int, PromptFuture[None]] = {}
        self._deliveries = Deliveries(
            lambda outcome: entry_steps(outcome.entry), self._resolve, lambda outcome: outcome.is_part
        )
        self._listeners: Listeners[Sequence[Entry]] = Listeners()
        self._closed = False
        self._locked = False
        self._refused_at = float("-inf")
        self._failed: asyncio.Future[StoreFailed] = self._loop.create_future()
        self._connection = connection
        self.commit_times = CommitTimes()
        self._writer = Writer(
            connection,
            position,
            self._files,
            WalUpkeep(connection, self._path, self._connect),
            WalReserve(self._path),
            self.commit_times,
            verify=self._require_durable,
            deliver=self._deliver,
            written=self._record_position,
            refused=lambda locked: self._call(self._on_refused, locked),
            unlocked=lambda: self._call(self._set_locked, False),
            failed=self._on_failed,
        )

    @property
    def epoch(self) -> str:
        """See ``EventLog``."""
        return self._epoch

    @property
    def failed(self) -> asyncio.Future[StoreFailed]:
        """See ``Store``."""
        return self._failed

    @property
    def lease_secret(self) -> bytes:
        """See ``EventLog``."""
        return self._lease_secret

    @property
    def up(self) -> bool:
        """See ``EventLog``."""
        return not self._locked and not self._failed.done()

    @property
    def position(self) -> int:
        """See ``EventLog``."""
        return self._position

    async def start(self) -> None:
        """See ``Store``: readable as soon as it is open."""

    async def share_presence(self, here: Presence, interval: float) -> Peers:
        """See ``Store``: there is no other node."""
        return _WritableContact(lambda: self._loop.time() - self._refused_at)

    async def copy_to(self, path: Path) -> LogCopy:
        """See ``Store``."""
        return await copy_log(self._connect, path)

    async def catch_up(self, job_id: str) -> None:
        """See ``EventLog``: no other node appends."""

    def add_listener(self, listener: Callable[[Sequence[Entry]], None]) -> None:
        """See ``EventLog``."""
        self._listeners.add(listener)

    # Writing.

    def append(self, commit: Commit) -> PromptFuture[None]:
        """See ``EventLog``."""
        return self._write(Append(commit))

    def thin(self, job_id: str, submitted: int | None = None) -> asyncio.Future[None]:
        """See ``EventLog``."""
        return self._write(Thin(job_id, submitted))

    def trim(self, job_id: str, first_sequence: int, submitted: int | None = None) -> asyncio.Future[None]:
        """See ``EventLog``."""
        return self._write(Trim(job_id, first_sequence, submitted))

    def delete(self, job_id: str, submitted: int | None = None) -> asyncio.Future[None]:
        """See ``EventLog``."""
        return self._write(Delete(job_id, submitted))

    def revoke_shares(self, job_id: str, submitted: int | None = None) -> asyncio.Future[None]:
        """See ``EventLog``."""
        return self._write(RevokeShares(job_id, submitted))

    async def close(self) -> None:
        """See ``EventLog``."""
        self._closed = True
        await asyncio.to_thread(self._writer.close)
        await asyncio.sleep(0)  # lets the writer's last outcomes come first
        self._deliveries.flush()
        self.close_readers()
        self._mark.renew(self._written, now=True)
        self._mark.close()
        self._lock.close()

    def _write(self, write: Write) -> PromptFuture[None]:
        future: PromptFuture[None] = PromptFuture(loop=self._loop)
        if self._closed:
            future.set_exception(StoreFailed("the store is closed"))
            return future
        self._waiting[id(write)] = future
        self._writer.put(write)
        return future

    def _require_durable(self, position: int) -> None:
        """On the writer's thread: raise StoreDisplaced unless a new connection reads this as the last position."""
        try:
            with closing(self._connect()) as fresh:
                (found,) = fresh.execute(statements.LAST_POSITION).fetchone()
        except sqlite3.Error as error:
            raise wal_truncated(self._path) from error
        if found != position:
            raise wal_truncated(self._path)

    def _record_position(self, position: int) -> None:
        """On the writer's thread."""
        self._written = position
        self._mark.renew(position)

    def _on_failed(self, error: StoreFailed) -> None:
        """On the writer's thread."""
        if isinstance(error, StoreDisplaced) and error.path == self._path:
            self._checkpoint_wal()
        self._call(self._fail, error)

    def _on_refused(self, locked: bool) -> None:
        self._refused_at = self._loop.time()
        if locked:
            self._set_locked(True)

    def _set_locked(self, locked: bool) -> None:
        if locked != self._locked:
            self._locked = locked
            self._on_state(not locked)

    def _fail(self, error: StoreFailed) -> None:
        if not self._failed.done():
            self._failed.set_result(error)

    def _checkpoint_wal(self) -> None:
        """Move committed pages from the write-ahead log into the database, wherever that is now.

        The write-ahead log may still be at the old path, where SQLite would apply it to the database that replaced
        this one.
        """
        try:
            self._connection.execute(statements.set_busy_timeout(_LAST_CHECKPOINT_WAIT))
            self._connection.execute(statements.CHECKPOINT_WAL)
        except sqlite3.Error as error:
            _logger.warning("WAL checkpoint failed", error=str(error))

    def _deliver(self, outcomes: Sequence[Outcome]) -> None:
        """On the writer's thread."""
        self._call(self._deliveries.put, outcomes)

    def _call(self, function: Callable[[_Argument], None], argument: _Argument) -> None:
        """Call the function on the event loop's thread."""
        self._loop.call_soon_threadsafe(function, argument)

    def _resolve(self, outcomes: Sequence[Outcome]) -> None:
        entries = [outcome.entry for outcome in outcomes if outcome.entry is not None]
        if entries:
            self._position = entries[-1].position
            self._listeners.notify(entries)
        for write, _, error in outcomes:
            future = self._waiting.pop(id(write))
            if future.cancelled():
                continue
            if error is None:
                future.set_result(None)
            else:
                future.set_exception(error)

    def _open_reader(self) -> Reader:
        return Reader(self._connect(), self._epoch)

    def _connect(self) -> sqlite3.Connection:
        return self._files.opening(self._open)

    def _open(self) -> sqlite3.Connection:
        return connect(self._path, statements.PRAGMAS)


class _WritableContact(NoPeers):
    """Contact of a store that may refuse writes for a while. ``since`` returns the seconds since it last did.

    A worker that was refused comes back after a backoff, so its silence proves nothing (rule 14).
    """

    def __init__(self, since: Callable[[], float]) -> None:
        self._since = since

    def contact(self) -> ContactPeriod:
        """See ``Peers``."""
        return ContactPeriod(self._since(), 0.0)


def _meta(connection: sqlite3.Connection, name: str) -> str | None:
    row = connection.execute(statements.GET_META, (name,)).fetchone()
    return None if row is None else str(row[0])
