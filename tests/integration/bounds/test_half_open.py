"""Connections that are opened and never used."""

from __future__ import annotations

import asyncio
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from milepost.client import Client
from tests.support.server import ServerProcess

_ALLOWED = 256


@contextmanager
def open_files(limit: int) -> Iterator[None]:
    """Let processes that are started now have so many open files at first."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_half_open_connections_keep_nobody_out(tmp_path: Path) -> None:
    """The server does not stay within the few open files that systems start processes with."""
    server = ServerProcess(tmp_path / "data")
    with open_files(_ALLOWED):
        server.begin()
    try:
        server.ready()
        # Silent connections end after 20 s, so that in the end a call gets through within any limit.
        soft, _ = resource.prlimit(server.pid, resource.RLIMIT_NOFILE)
        assert soft > 2 * _ALLOWED
        host, _, port = server.address.rpartition(":")
        opened = [await asyncio.open_connection(host, int(port)) for _ in range(2 * _ALLOWED)]
        async with Client(server.address, timeout=120) as client:
            assert (await client.whoami()).subject == "anonymous"
        for _, writer in opened:
            writer.close()
    finally:
        server.kill()
