"""Loopback ports for servers that need a fixed port, which they keep across restarts."""

from __future__ import annotations

import fcntl
import os
import random
import socket
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

__all__ = ["free_port", "give_back", "is_closed"]

_FIRST: Final = 10_000

# First ephemeral port where the system does not say: Linux's default.
_EPHEMERAL: Final = 32_768

# The ports of this process, each with the open file that locks it.
_held: dict[int, int] = {}


def free_port() -> int:
    """Reserve a port for this process until it ends, or gives the port back.

    It is below the ephemeral ports, so that no connection gets it before its server starts, or while that restarts. A
    file lock, which ends with the process, keeps other test processes from it.
    """
    directory = Path(tempfile.gettempdir()) / f"milepost-test-ports-{os.getuid()}"
    directory.mkdir(exist_ok=True)
    candidates = range(_FIRST, _first_ephemeral())
    start = random.randrange(len(candidates))
    for number in range(len(candidates)):
        port = candidates[(start + number) % len(candidates)]
        if port not in _held and _lock(directory, port):
            return port
    raise RuntimeError("no free port was found")


def give_back(port: int) -> None:
    """Release a port from ``free_port``; ignore any other."""
    file = _held.pop(port, None)
    if file is not None:
        os.close(file)


def is_closed(port: int) -> bool:
    """Whether nobody listens at the port."""
    with suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
        return False
    return True


def _lock(directory: Path, port: int) -> bool:
    file = os.open(directory / str(port), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with socket.socket() as binding:
            binding.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do
            binding.bind(("127.0.0.1", port))
    except OSError:  # in use
        os.close(file)
        return False
    _held[port] = file
    return True


def _first_ephemeral() -> int:
    try:
        return int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    except OSError:
        return _EPHEMERAL
