"""Fixtures of tests with principals of a token file."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.support.principals import Cast
from tests.support.server import Server
from tests.support.token_files import Tokens


@pytest.fixture
def known(tmp_path: Path) -> Tokens:
    """The tokens that the server knows."""
    found = Tokens(tmp_path / "tokens.toml")
    found.write()
    return found


@pytest.fixture
async def caller(server: Server, known: Tokens) -> AsyncIterator[Cast]:
    """Makes callers."""
    async with AsyncExitStack() as stack:
        yield Cast(server, known, stack)
