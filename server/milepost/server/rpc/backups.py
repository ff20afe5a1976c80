"""Backups: a copy of the log in the data directory, sent to the caller while it reads.

One at a time, since each takes as much of the disk as the log itself. The file is unlinked before it is sent, so that
it does not outlive the server, however that ends.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import BinaryIO

import structlog

from milepost.contract import limits
from milepost.server.base.refusal import Refusal, draining
from milepost.server.log.sqlite.log_copy import LogCopy
from milepost.server.log.store import Store
from milepost.v1 import BackupHeader, BackUpResponse, ErrorReason

_logger = structlog.get_logger("milepost.backup")

_Send = Callable[[BackUpResponse], Awaitable[None]]


class Backups:
    """Makes backups of ``store``, each with a file in ``directory`` while it is made."""

    def __init__(self, store: Store, directory: Path) -> None:
        self._store = store
        self._path = directory / "backup.partial"
        self._path.unlink(missing_ok=True)  # a killed server may have left its file
        self._running = False
        self._copying: asyncio.Task[LogCopy] | None = None
        self._closing = False

    async def send(self, send: _Send) -> None:
        """Make a copy and send it. Raises LIMIT_REACHED, STORE_FULL, DRAINING; Unimplemented."""
        if self._running:
            raise Refusal(
                ErrorReason.ERROR_REASON_LIMIT_REACHED,
                "Another backup is under way; the server makes one at a time. Try again when it has finished.",
                metadata={"limit": "backups"},
                retry_delay=5.0,
            )
        self._running = True
        try:
            file, copy = await self._copy()
            with file:
                await self._send_file(file, copy, send)
        finally:
            self._running = False

    def close(self) -> None:
        """End the backup under way, before its next part: the server stops."""
        self._closing = True
        if self._copying is not None:
            self._copying.cancel()

    async def _copy(self) -> tuple[BinaryIO, LogCopy]:
        """Make a copy in a file, and unlink the file."""
        self._copying = asyncio.create_task(self._store.copy_to(self._path))
        try:
            copy = await self._copying
            file = self._path.open("rb")
        except asyncio.CancelledError:
            if self._closing:
                raise draining() from None
            raise
        finally:
            self._copying = None
            self._path.unlink(missing_ok=True)
        _logger.info("backup made", bytes=copy.size, position=copy.position)
        return file, copy

    async def _send_file(self, file: BinaryIO, copy: LogCopy, send: _Send) -> None:
        header = BackupHeader(size_bytes=copy.size, epoch=self._store.epoch, last_position=copy.position)
        deadline = _Deadline()
        await _send_before(deadline.after(0), send, BackUpResponse(header=header))
        digest = hashlib.sha256()
        while data := await asyncio.to_thread(file.read, limits.BACKUP_CHUNK):
            if self._closing:
                raise draining()
            digest.update(data)
            await _send_before(deadline.after(file.tell()), send, BackUpResponse(data=data))
        await _send_before(deadline.after(copy.size), send, BackUpResponse(sha256=digest.digest()))


class _Deadline:
    """The deadline for the caller of a backup to read the next part, by the loop's time."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()

    def after(self, sent: int) -> float:
        """Return the time at which so many bytes have to be read: a caller may neither stall nor be slow for ever."""
        slow = self._began + sent / limits.BACKUP_RATE_MIN
        return min(self._loop.time(), slow) + limits.BACKUP_STALL


async def _send_before(deadline: float, send: _Send, response: BackUpResponse) -> None:
    try:
        async with asyncio.timeout_at(deadline):
            await send(response)
    except TimeoutError:
        raise Refusal(
            ErrorReason.ERROR_REASON_LIMIT_REACHED,
            f"Nobody has read the backup for {limits.BACKUP_STALL:g} s, or it was read at less than "
            f"{limits.BACKUP_RATE_MIN // limits.KIB} KiB/s; others may wait for theirs. Start it again.",
            metadata={"limit": "backup stall"},
            retry_delay=5.0,
        ) from None
