"""The files of an open store."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from milepost.server.log.log_errors import StoreDisplaced
from milepost.server.log.store_files import StoreFiles


def test_files_that_go_while_a_connection_is_opened_are_the_reason(tmp_path: Path) -> None:
    """SQLite says only that there was an error of the disk."""
    path = tmp_path / "milepost.db"
    path.touch()
    files = StoreFiles()
    files.watch(path)

    def connect() -> sqlite3.Connection:
        path.unlink()
        raise sqlite3.OperationalError("disk I/O error")

    with pytest.raises(StoreDisplaced, match="is gone"):
        files.opening(connect)
