"""Names of the processes that run tasks, from which others on the same machine tell whether one is alive."""

from __future__ import annotations

import hashlib
import os
import socket
from pathlib import Path
from typing import Final

__all__ = ["instance_of", "is_dead", "own_worker_id", "worker_id_of"]

_NAMESPACE_LINK: Final = Path("/proc/self/ns/pid")
_HOST_LENGTH: Final = 80


def worker_id_of(pid: int) -> str:
    """The worker_id of a process of this machine, as ``host/4026531836/6149``.

    The number in the middle is that of the process ids' namespace: of two containers that are called alike, each sees
    only its own processes.
    """
    return f"{_machine()}/{pid}"


def own_worker_id() -> str:
    """The worker_id of this process."""
    return worker_id_of(os.getpid())


def is_dead(worker_id: str) -> bool:
    """Whether this names a process of this machine that has ended. False if that cannot be known from here."""
    machine, _, pid = worker_id.rpartition("/")
    if machine != _machine() or not pid.isdecimal():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return _is_zombie(pid)


def instance_of(secret: str, worker_id: str) -> str:
    """The instance of a claim by this process for the task with this secret.

    Whoever knows both may take the job over at once, which is only right once that process is dead.
    """
    return hashlib.sha256(f"{secret}\n{worker_id}".encode()).hexdigest()


def _machine() -> str:
    try:
        namespace = _NAMESPACE_LINK.readlink().name.strip("pid:[]")
    except OSError:  # not on Linux
        namespace = "-"
    return f"{socket.gethostname()[:_HOST_LENGTH]}/{namespace}"


def _is_zombie(pid: str) -> bool:
    try:
        status = Path("/proc", pid, "stat").read_text()
    except OSError:
        return False
    return status.rpartition(")")[2].split()[:1] == ["Z"]
