"""Change a token file: comments and order stay, and readers see the old file or the new one."""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
import tempfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import click
import tomlkit
from tomlkit.items import AoT, Table

from milepost.server.access.credentials import token_file
from milepost.server.access.credentials.token_file import TokenFileError


class TokenWriter:
    """A token file that is read on entry, and written on exit if it was changed, under a lock among writers."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._changed = False

    def __enter__(self) -> Self:
        """Read the file. Raises click.ClickException."""
        try:
            self._directory = os.open(self._path.parent, os.O_RDONLY)
            fcntl.flock(self._directory, fcntl.LOCK_EX)
            text = self._path.read_text() if self._path.exists() else ""
            token_file.parse(text)
        except OSError as error:
            raise click.ClickException(f"{str(self._path)!r} cannot be used: {error.strerror}.") from error
        except TokenFileError as error:
            raise click.ClickException(f"{str(self._path)!r} is not a token file: {error}.") from error
        self._document = tomlkit.parse(text)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self._changed and kind is None:
                self._write()
        except OSError as failure:
            raise click.ClickException(
                f"{str(self._path)!r} cannot be written, and is as it was: {failure.strerror}."
            ) from failure
        finally:
            os.close(self._directory)

    def add(self, name: str, entry: Mapping[str, Any]) -> None:
        """Add a ``token`` or a ``certificate``. Raises click.ClickException for a value that the file cannot have."""
        table = self._table(name)
        if table is None:
            table = self._document[name] = tomlkit.aot()
        table.append(tomlkit.item(dict(entry)))
        try:
            token_file.parse(tomlkit.dumps(self._document))
        except TokenFileError as error:
            raise click.ClickException(f"The {name} cannot be added: {error}.") from error
        self._changed = True

    def revoke(self, credential_id: str) -> bool:
        """Mark a token or certificate as revoked; return whether there is one with this id."""
        found = [entry for entry in self._entries() if entry["id"] == credential_id]
        for entry in found:
            entry["revoked"] = True
            self._changed = True
        return bool(found)

    def entries(self) -> list[dict[str, Any]]:
        """All entries, without digests, each with its state: ``active``, ``expired``, ``revoked``."""
        now = datetime.now(UTC).timestamp() * 10**9
        states = {}
        for entry in token_file.parse(tomlkit.dumps(self._document)).values():
            expire_time = entry.principal.expire_time
            expired = expire_time is not None and expire_time <= now
            states[entry.principal.credential_id] = (
                "revoked" if entry.revoked else "expired" if expired else "active"
            )
        return [
            {
                **{key: _plain(value) for key, value in entry.unwrap().items() if key != "sha256"},
                "state": states[entry["id"]],
            }
            for entry in self._entries()
        ]

    def _entries(self) -> Iterator[Table]:
        for name in token_file.TABLES:
            yield from self._table(name) or ()

    def _table(self, name: str) -> AoT | None:
        table = self._document.get(name)
        return table if isinstance(table, AoT) else None

    def _write(self) -> None:
        descriptor, name = tempfile.mkstemp(dir=self._path.parent, prefix=f".{self._path.name}.")  # mode 0600
        temporary = Path(name)
        try:
            with os.fdopen(descriptor, "w") as file:
                file.write(tomlkit.dumps(self._document))
                file.flush()
                self._keep_permissions(file.fileno())
                os.fsync(file.fileno())
            temporary.replace(self._path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise

    def _keep_permissions(self, descriptor: int) -> None:
        """Let who could read the earlier file read this one: the server may run as another user."""
        with contextlib.suppress(FileNotFoundError):
            earlier = self._path.stat()
            for owner, group in ((-1, earlier.st_gid), (earlier.st_uid, -1)):
                with contextlib.suppress(PermissionError):
                    os.fchown(descriptor, owner, group)
            os.fchmod(descriptor, stat.S_IMODE(earlier.st_mode))


def _plain(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value
