"""Reading the wake-ups of grpc.aio all at once.

A thread of grpc.aio writes a byte to a socket for each event, such as a finished write or a message that has come. The
event loop reads one byte a pass, although it takes all events then. So, when thousands of streams are written to, the
bytes that are left wake the loop for nothing, and once there are some hundred of them the socket is full. Then the
thread waits in its write, the loop gets one event a pass, and what sessions and new calls send waits behind all
finished writes.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

# Where bytes are read to that nobody looks at; more than the socket holds.
_IGNORED = bytearray(64 * 1024)

# As integers: combining flags of an enum takes as long as the system call.
_NOW = int(socket.MSG_DONTWAIT)
_PEEK_NOW = int(socket.MSG_PEEK | socket.MSG_DONTWAIT)


@contextmanager
def read_all_at_once() -> Iterator[None]:
    """While grpc.aio is used for the first time in the running event loop, have each pass read all bytes that wait.

    Nothing changes where a client has used it in the same loop before.
    """
    loop: Any = asyncio.get_running_loop()
    add_reader = loop.add_reader

    def add_draining_reader(waking: socket.socket, callback: Callable[[], None]) -> None:
        add_reader(waking, drain_and_call, waking, callback)

    loop.add_reader = add_draining_reader
    try:
        yield
    finally:
        del loop.add_reader


def drain_and_call(waking: socket.socket, callback: Callable[[], None]) -> None:
    """Read all bytes that wait but one, and call back, which reads that one."""
    try:
        waiting = waking.recv_into(_IGNORED, 0, _PEEK_NOW)
        if waiting > 1:
            waking.recv_into(_IGNORED, waiting - 1, _NOW)
    except BlockingIOError:  # the loop of another thread has read them
        pass
    callback()
