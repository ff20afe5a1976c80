"""Files that decide who gets in, and that anybody on the machine may change."""

from __future__ import annotations

import stat
from pathlib import Path

import structlog

_logger = structlog.get_logger("milepost.access")


class WritableFile:
    """A file whose permissions are looked at again and again: the log has one warning each time they become too wide.

    The group may write: many systems give each user a group of its own.
    """

    def __init__(self, path: Path) -> None:
        """Look at nothing yet."""
        self._path = path
        self._was_open = False

    def check(self) -> None:
        """Warn where everybody may write to the file. Never raises."""
        try:
            is_open = bool(self._path.stat().st_mode & stat.S_IWOTH)
        except OSError:
            return
        if is_open and not self._was_open:
            _logger.warning(
                "everybody on this machine may change a file of credentials, and so let anybody in; run: chmod o-w",
                path=str(self._path),
            )
        self._was_open = is_open
