"""Ports of loopback for servers that must be given one before they start, and keep it while they are away."""

from __future__ import annotations

import fcntl
import os
import random
import socket
import tempfile
from pathlib import Path
from typing import Final

__all__ = ["free_port", "give_back"]

_FIRST: Final = 10_000

# Where nothing says otherwise, as on Linux by default.
_EPHEMERAL: Final = 32_768

# The ports of this process: each is locked by a file that is open.
_held: dict[int, int] = {}


def free_port() -> int:
    """A port that is this process's own until it ends, or gives it back.

    It is none of those that the system gives to connections and to whoever binds to port 0, so that nobody gets it in
    the time before its server starts, or while that is restarted. Other test processes leave it alone because it is
    locked, by a file whose lock ends with the process.
    """
    directory = Path(tempfile.gettempdir()) / f"milepost-test-ports-{os.getuid()}"
    directory.mkdir(exist_ok=True)
    candidates = range(_FIRST, _first_ephemeral())
    start = random.randrange(len(candidates))
    for number in range(len(candidates)):
        port = candidates[(start + number) % len(candidates)]
        if port not in _held and _lock(directory, port):
            return port
    raise RuntimeError("there is no free port")


def give_back(port: int) -> None:
    """Lets others have a port that this process has from ``free_port``; of any other it does nothing."""
    file = _held.pop(port, None)
    if file is not None:
        os.close(file)


def _lock(directory: Path, port: int) -> bool:
    file = os.open(directory / str(port), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with socket.socket() as binding:
            binding.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do
            binding.bind(("127.0.0.1", port))
    except OSError:  # another test process has it, or somebody else
        os.close(file)
        return False
    _held[port] = file
    return True


def _first_ephemeral() -> int:
    try:
        return int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    except OSError:
        return _EPHEMERAL
