"""A server whose tokens are replaced, and clients of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from milepost.client import Client
from tests.support.forking import Forkery
from tests.support.rotating import Rotation
from tests.support.server import Server, ServerProcess
from tests.support.token_files import Tokens


@pytest.fixture
def root(known: Tokens) -> str:
    """A token that stays."""
    return known.add("root", ["*"], "admin")


@pytest.fixture
def server(tmp_path: Path, forkery: Forkery, known: Tokens, root: str) -> Iterator[Server]:
    """A server with a token file."""
    with ServerProcess(tmp_path / "data", "--tokens", str(known.path), forkery=forkery) as started:
        yield started


@pytest.fixture
async def observer(server: Server, root: str) -> AsyncIterator[Client]:
    """A client whose token stays."""
    async with Client(server.address, token=root) as client:
        yield client


@pytest.fixture
def rotation(known: Tokens, server: Server) -> Rotation:
    """The token of the client under test, made before the server reads the file again."""
    return Rotation(known, "client")
