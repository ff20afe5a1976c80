"""Fixtures of tests of the command."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.executing import Exec
from tests.support.server import Server


@pytest.fixture
def at(shared_server: Server) -> Iterator[Exec]:
    """`exec` at the shared server, whose leases are long."""
    executing = Exec(shared_server.address)
    with executing.client:
        yield executing
