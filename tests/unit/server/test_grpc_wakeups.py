"""The bytes with which grpc.aio wakes the event loop."""

from __future__ import annotations

import socket
import subprocess
import sys

from milepost.server.runtime.grpc_wakeups import drain_and_call

# In a process of its own, since grpc.aio is initialised once in a process.
_REGISTERED = """
import asyncio
from milepost.server.runtime.server import Server, Settings

class Loop(asyncio.SelectorEventLoop):
    def add_reader(self, fd, callback, *args):
        print(callback.__name__, *(type(argument).__name__ for argument in args))
        super().add_reader(fd, callback, *args)

async def main():
    server = Server(Settings("127.0.0.1:0", None))
    await server.start()
    await server.stop()

with asyncio.Runner(loop_factory=Loop) as runner:
    runner.run(main())
"""


def test_all_bytes_are_read_in_one_pass() -> None:
    """However many bytes wait, one call reads all of them, of which the callback reads one."""
    reading, writing = socket.socketpair()
    left: list[int] = []

    def read_one() -> None:
        reading.recv(1)
        writing.send(b"-")  # so that the next line does not wait where nothing is left
        left.append(len(reading.recv(1000)) - 1)

    with reading, writing:
        for count in (1, 2, 200):
            writing.send(b"1" * count)
            drain_and_call(reading, read_one)
    assert left == [0, 0, 0]


def test_the_server_reads_all_wakeups_of_grpc_at_once() -> None:
    """It wraps the reader that grpc.aio adds to the event loop."""
    done = subprocess.run(
        [sys.executable, "-c", _REGISTERED], capture_output=True, text=True, timeout=60, check=True
    )
    assert [line for line in done.stdout.splitlines() if line.startswith("drain_and_call socket ")]
