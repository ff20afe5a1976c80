"""Certificates and tokens are rotated while streams and a worker run over them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from milepost.client import Client, JobContext, Worker
from milepost.server.access import tokens
from milepost.v1 import Event
from tests.support.authority import Authority, ServerFiles
from tests.support.replacing import replace
from tests.support.rpc import eventually
from tests.support.server import ServerProcess


class Rotation:
    """A token file with the newest token and the one before it; the one before that is revoked."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: list[str] = []
        self.turn()
        self.use()

    def turn(self) -> None:
        """Add the next token to the file."""
        self._known = [*self._known[-1:], tokens.new_token()]
        entries = [
            f'[[token]]\nid = "{tokens.digest(token)[:8]}"\nsha256 = "{tokens.digest(token)}"\nsubject = "ci"\n'
            'owners = ["*"]\nscopes = ["submit", "read", "work"]\n'
            for token in self._known
        ]
        replace(self._path, "".join(entries).encode())

    def use(self) -> None:
        """Let clients use the newest token: once the server knows it."""
        self._current = self._known[-1]

    async def token(self) -> str:
        """The token that a client gets now."""
        return self._current


@pytest.mark.parametrize("turns", [3, pytest.param(50, marks=pytest.mark.nightly)])
async def test_rotations(tmp_path: Path, turns: int) -> None:
    """No call fails that had a right to succeed, each stream has all events, and each job ends once."""
    authority = Authority()
    files, rotation = ServerFiles(tmp_path, authority), Rotation(tmp_path / "tokens.toml")
    trusted = tmp_path / "ca.pem"
    replace(trusted, authority.pem)
    options = [*files.options, "--tokens", str(tmp_path / "tokens.toml")]
    with ServerProcess(tmp_path / "data", *options) as server:
        worker = Worker(server.address, token=rotation.token, tls_ca=trusted)

        @worker.job("step")
        async def step(job: JobContext) -> dict[str, object]:
            return job.input

        async with Client(server.address, token=rotation.token, tls_ca=trusted) as client:
            running = asyncio.create_task(worker.run())
            parent = await client.submit("parent")

            async def watched() -> list[object]:
                seen: list[object] = []
                async with client.watch_jobs(parent_job_id=parent.job_id) as watch:
                    async for item in watch:
                        if isinstance(item, Event) and item.HasField("job_ended"):
                            seen.append(item.job_ended.result["turn"])
                            if len(seen) == turns:
                                return seen
                return seen

            watching = [asyncio.create_task(watched()) for _ in range(10)]
            for turn in range(turns):
                files.renew(authority)
                rotation.turn()

                async def is_known(turn: int = turn) -> bool:
                    lines = [
                        line
                        for line in server.log_path.read_text().splitlines()
                        if "token file reloaded" in line
                    ]
                    return len(lines) > turn

                await eventually(is_known)
                rotation.use()
                job = await client.submit("step", {"turn": turn}, parent_job_id=parent.job_id)
                assert await client.result(job.job_id, timeout=30) == {"turn": turn}
            found = await asyncio.wait_for(asyncio.gather(*watching), 60)
            worker.stop()
            await running

    assert found == [list(range(turns))] * 10
