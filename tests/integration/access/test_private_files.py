"""Only the owner can read a server's files, whatever the umask and the former permissions."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.nats import NatsServer
from tests.support.rpc import connect
from tests.support.server import ServerProcess

OURS = {"lock", "milepost.db", "milepost.db-wal", "milepost.db-shm", "epoch.json"}
NODES = {"lock", "projection.db", "projection.db-wal", "projection.db-shm"}

Start = Callable[[Path], ServerProcess]


@pytest.fixture(params=["sqlite", "jetstream"])
def kept(request: pytest.FixtureRequest) -> set[str]:
    """The files of a server with either store."""
    return OURS if request.param == "sqlite" else NODES


@pytest.fixture
def start(kept: set[str], request: pytest.FixtureRequest) -> Iterator[Start]:
    """Start servers under the umask 0."""
    options: tuple[str, ...] = ()
    if kept is NODES:
        nats: NatsServer = request.getfixturevalue("nats_server")
        options = ("--store", nats.url, "--nats-stream", "private-files")
    with ExitStack() as stack:
        yield lambda data: stack.enter_context(ServerProcess(data, *options, umask=0))


def modes(directory: Path) -> dict[str, str]:
    """The permissions of a directory, as ".", and of everything in it."""
    return {
        str(path.relative_to(directory)): oct(stat.S_IMODE(path.stat().st_mode))
        for path in (directory, *directory.rglob("*"))
    }


def private(names: set[str]) -> dict[str, str]:
    """The expected permissions."""
    return {".": "0o700", **dict.fromkeys(names, "0o600")}


async def use(server: ServerProcess) -> None:
    """Make the server write."""
    async with connect(server.address) as rpc:
        await rpc.submit()


async def test_a_new_directory(tmp_path: Path, kept: set[str], start: Start) -> None:
    """Its files are created with these permissions."""
    data = tmp_path / "data"
    await use(start(data))

    assert modes(data) == private(kept)


async def test_an_open_directory_is_made_private(tmp_path: Path, kept: set[str], start: Start) -> None:
    """A directory of an earlier version is closed when it is opened. Files of others stay unchanged."""
    data = tmp_path / "data"
    server = start(data)
    await use(server)
    server.kill()
    (data / "notes").touch()
    for path in data.iterdir():
        path.chmod(0o666)
    data.chmod(0o777)
    await use(start(data))

    assert modes(data) == {**private(kept), "notes": "0o666"}
