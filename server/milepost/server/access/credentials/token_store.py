"""The credentials in force: those of the token file, which is read again when it changes."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import structlog

from milepost.server.access.credentials import token_file
from milepost.server.access.credentials.token_file import TokenEntry, TokenFileError
from milepost.server.access.credentials.writable_files import WritableFile
from milepost.server.base.file_versions import FileVersion, file_version

_logger = structlog.get_logger("milepost.access")


SETTLE_TIME: Final = 0.1
"""Seconds for which a changed file has to stay as it is before it is read: the beginning of one that is being written
in place is a valid file, which may lack an expiry, the kinds, or that a token is revoked."""

CHECK_LIMIT: Final = 3
"""How often a file that keeps changing is looked at before it is read as it is, lest what it revokes stay in force."""


class TokenStore:
    """Looks tokens and certificates up by key, and by the id of their credential."""

    def __init__(self, path: Path) -> None:
        """Read the file. Raises TokenFileError."""
        self._path = path
        self._permissions = WritableFile(path)
        self._permissions.check()
        self._version = file_version(self._path)
        self._looks = 0
        self._entries = self._read()
        self._by_id = _by_id(self._entries)

    def by_key(self, key: str) -> TokenEntry | None:
        """The entry of the token or certificate with this key; see ``token_file``."""
        return self._entries.get(key)

    def by_id(self, credential_id: str) -> TokenEntry | None:
        """The entry of this credential."""
        return self._by_id.get(credential_id)

    def refresh(self) -> bool:
        """Read the file again if it has changed, and is complete; return whether other tokens are in force now.

        A file that cannot be read or parsed leaves the tokens as they were, and says so in the log, once for each
        version of the file. It takes ``SETTLE_TIME`` where the file has changed, so call it in a thread.
        """
        self._permissions.check()
        version = file_version(self._path)
        if version == self._version or not self._is_settled(version):
            return False
        self._version = version
        try:
            entries = self._read()
        except TokenFileError as error:
            _logger.error("token file not reloaded; the earlier tokens stay in force", error=str(error))
            return False
        self._entries, self._by_id = entries, _by_id(entries)
        _logger.info("token file reloaded", entries=len(entries))
        return True

    def _is_settled(self, version: FileVersion) -> bool:
        time.sleep(SETTLE_TIME)
        self._looks += 1
        if file_version(self._path) != version and self._looks < CHECK_LIMIT:
            return False
        self._looks = 0
        return True

    def _read(self) -> Mapping[str, TokenEntry]:
        try:
            return token_file.parse(self._path.read_text(encoding="utf-8"))
        except OSError as error:
            raise TokenFileError(f"it cannot be read: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise TokenFileError("it is not UTF-8") from error


def _by_id(entries: Mapping[str, TokenEntry]) -> Mapping[str, TokenEntry]:
    return {entry.principal.credential_id: entry for entry in entries.values()}
