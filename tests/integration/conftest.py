"""What tests with real processes share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.forking import Forkery
from tests.support.server import ServerProcess


@pytest.fixture(scope="session")
def forkery() -> Iterator[Forkery]:
    """What servers are forked from that have to be there again soon."""
    with Forkery() as process:
        yield process


@pytest.fixture
def forked_server(tmp_path: Path, forkery: Forkery) -> Iterator[ServerProcess]:
    """A real server of the test's own that is there again soon, with an empty data directory."""
    with ServerProcess(tmp_path / "data", forkery=forkery) as process:
        yield process
