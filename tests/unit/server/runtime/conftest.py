"""Fixtures of tests of a server's process."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest


@pytest.fixture
def collected_on_request() -> Iterator[None]:
    """Python collects garbage only where the test says so: by itself it may do so at any line."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
