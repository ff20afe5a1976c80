"""The NATS servers of the tests: they start under load, and none outlives its test."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import nats
from tests.support.nats import NatsCluster, NatsServer
from tests.support.ports import free_port, give_back, is_closed
from tests.support.rpc import eventually

ROOT = Path(__file__).parents[3]

_STARTS = """
import sys, time
from pathlib import Path
from tests.support.nats import NatsServer
server = NatsServer(Path(sys.argv[1])).start()
server.ready()
print(server.monitor, flush=True)
time.sleep(600)
"""

_TAKES = "from tests.support.ports import free_port; print(*(free_port() for _ in range(200)))"


async def gone(port: int) -> None:
    """Wait until the port is closed."""

    async def nobody_listens() -> bool:
        return is_closed(port)

    await eventually(nobody_listens)


def killed_once_it_has_started_one(directory: Path) -> int:
    """The port of a server whose test process was killed."""
    command = [sys.executable, "-c", _STARTS, str(directory)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        assert not is_closed(port)
        process.send_signal(signal.SIGKILL)
    return port


async def test_a_server_does_not_outlive_the_process_that_started_it(tmp_path: Path) -> None:
    """Not even if that is killed within its ``with``."""
    await gone(killed_once_it_has_started_one(tmp_path))


@pytest.mark.parametrize("make", [NatsServer, lambda directory: NatsCluster(*[directory] * 3)])
async def test_servers_that_do_not_come_up_are_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Callable[[Path], NatsServer | NatsCluster]
) -> None:
    """The error has the reason, and no process is left."""
    monkeypatch.setattr(nats, "_START_TIMEOUT", 0.0)
    # However fast it is, it does not become healthy in time.
    monkeypatch.setattr(NatsServer, "_is_healthy", lambda server, path: False)
    made = make(tmp_path)
    with pytest.raises(RuntimeError, match="did not start"), made:
        pass
    for server in made.servers if isinstance(made, NatsCluster) else [made]:
        await gone(server.port)


def test_no_two_processes_are_given_the_same_port() -> None:
    """Nor an ephemeral port: it stays free for its server."""
    others = [
        subprocess.Popen(
            [sys.executable, "-c", f"{_TAKES}; input()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        for _ in range(2)
    ]
    own = [free_port() for _ in range(200)]
    taken = [*own]
    for other in others:
        assert other.stdout is not None
        taken += map(int, other.stdout.readline().split())
    for other in others:
        other.communicate("\n")
    for port in own:
        give_back(port)
    assert len(set(taken)) == 600
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        assert max(taken) < bound.getsockname()[1]
