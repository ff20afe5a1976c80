"""Fixtures of the archive job's tests."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def open_path() -> Iterator[Path]:
    """A temporary directory that other users may read, unlike pytest's own."""
    with tempfile.TemporaryDirectory() as temporary:
        path = Path(temporary).resolve()
        path.chmod(0o755)
        yield path
        for directory, names, _ in os.walk(path):
            for name in names:
                (Path(directory) / name).chmod(0o755)  # so that it can be removed
