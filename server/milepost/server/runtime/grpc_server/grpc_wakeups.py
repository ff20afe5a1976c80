"""Process all events of gRPC's core in one pass of the event loop.

A thread of grpc.aio writes a byte to a socket for each event, such as a finished write or a message that has come. The
event loop reads one byte a pass, although it takes all events then. So, when thousands of streams are written to, the
bytes that are left wake the loop for nothing, and once there are some hundred of them the socket is full. Then the
thread waits in its write, the loop gets one event a pass, and what sessions and new calls send waits behind all
finished writes. So a pass reads all bytes, unless the one before had one event: then there is mostly one byte, as in
the replay of one reader, and to ask how many there are takes a system call.

What was read too many is written back: grpc.aio has one queue of events in a process, and stops at an event of a loop
that is closed, or has another thread's loop take them. What finds no room in the socket, since the thread was waiting
for it as well, is written later: without a byte, an event waits for others.

What waits for an event, such as the task of a call, goes on in the same pass, where nothing else waits for the loop.
asyncio would have it go on in the next one; an event of a watched job has three such steps, and a pass costs as much as
deciding a report. What was scheduled before goes first, as ever: a call may be cancelled by the event, and grpc.aio
relies on its task having begun.

Where thousands of streams end at once, all of them would go on in one pass. So each pass goes on with some of what has
happened: first with what calls wait for, such as a report that has come, then with responses that have been sent.
"""

from __future__ import annotations

import asyncio
import functools
import gc
import socket
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import Context
from typing import Any, Final, TypeAlias

from milepost.server.rpc.response_writer import WRITES, Sent

RUN_PER_PASS: Final = 200
"""Calls of what waited for events that are made in one pass of the event loop. Where thousands of streams end at once,
each takes some ten microseconds."""

SENT_AT_LEAST: Final = 50
"""Of them, those that go on because a response is sent, at least, however many others there are."""

WRITE_AGAIN_AFTER: Final = 0.01
"""Seconds until bytes that found no room are written, where no pass comes before: another thread's loop may have read
what was in the socket."""

_Call: TypeAlias = tuple[Callable[..., object], tuple[object, ...], Context | None]
"""What ``call_soon`` of an event loop gets."""

# Buffer for bytes that are discarded; larger than what the socket holds.
_IGNORED = bytearray(64 * 1024)

# As integers: combining flags of an enum takes as long as the system call.
_DONT_WAIT = int(socket.MSG_DONTWAIT)
_PEEK = int(socket.MSG_PEEK | socket.MSG_DONTWAIT)


@contextmanager
def take_all_per_pass() -> Iterator[None]:
    """Process all pending events in each pass, if grpc.aio is first used in the running event loop within the block.

    It registers its socket then, through ``add_reader``. Nothing changes if it was used in this loop before.
    """
    loop: Any = asyncio.get_running_loop()
    add_reader = loop.add_reader
    wakeups = Wakeups(loop)

    def add_draining_reader(waking: socket.socket, callback: Callable[[], None]) -> None:
        other_end = _other_end(waking, callback)
        if other_end is None:
            add_reader(waking, callback)
        else:
            add_reader(waking, wakeups.drain_and_call, waking, other_end, callback)

    loop.add_reader = add_draining_reader
    try:
        yield
    finally:
        del loop.add_reader


def _other_end(waking: socket.socket, callback: Callable[[], None]) -> socket.socket | None:
    """Return the socket that grpc.aio's thread writes to, which only the queue of events has, or None."""
    method = callback.func if isinstance(callback, functools.partial) else callback
    ends = [
        part
        for part in gc.get_referents(getattr(method, "__self__", None))
        if isinstance(part, socket.socket)
    ]
    return next((end for end in ends if end is not waking), None) if waking in ends else None


class Wakeups:
    """Runs what grpc.aio's events cause in an event loop."""

    def __init__(self, loop: Any) -> None:
        self._loop = loop
        # What the passes of the loop have not come to yet.
        self._late: deque[_Call] = deque()
        self._sent: deque[_Call] = deque()
        # Whether there may be more bytes than the one that grpc.aio reads: it read one for all events of the last pass.
        self._is_behind = True
        # Bytes that were read too many, and have not been written back yet.
        self._owed = 0
        self._writing_again: asyncio.TimerHandle | None = None
        # Made once, and not for each event.
        self._collect = self._call_soon_of_event

    def drain_and_call(
        self, waking: socket.socket, other_end: socket.socket, callback: Callable[[], None]
    ) -> None:
        """Read all bytes that wait but one, and call back, which reads that one and resolves the futures of all events.

        Then run what those futures call, which the event loop would do in its next pass, unless others wait for that.
        """
        drained = 0
        if self._is_behind:
            try:
                waiting = waking.recv_into(_IGNORED, 0, _PEEK)
                if waiting > 1:
                    drained = waking.recv_into(_IGNORED, waiting - 1, _DONT_WAIT)
            except BlockingIOError:  # the loop of another thread has read them, and takes the events
                return
        if self._owed:
            self._write_back(other_end)  # there is room now
        late, sent = self._late, self._sent
        scheduled = len(late) + len(sent)
        silent = WRITES.silent_ends
        loop = self._loop
        loop.call_soon = self._collect
        try:
            callback()
        except BaseException as error:
            # An event whose loop is closed has ended it, or the loop of another thread has read the last byte. Either
            # may leave events that the drained bytes are of.
            self._owed += drained
            self._write_back(other_end)
            if not isinstance(error, BlockingIOError):
                raise
        finally:
            # Before anything goes on: what that schedules is for the next pass, such as the rest of long work.
            del loop.call_soon
            caused = len(late) + len(sent) - scheduled
            # Nearly each event causes one call, or ends a write that causes none.
            self._is_behind = caused + WRITES.silent_ends - silent != 1
            # asyncio's own loops keep what they run next in a deque. With another loop, or with something in it, all
            # waits.
            if not getattr(loop, "_ready", True):
                if caused == 1 and not scheduled and late:
                    self._run(*late.popleft())
                else:
                    self._go_on()
            elif caused and not scheduled:
                loop.call_soon(self._go_on)

    def _call_soon_of_event(
        self, function: Callable[..., object], *arguments: object, context: Context | None = None
    ) -> None:
        """Do as ``call_soon`` of the loop, while grpc.aio resolves the futures of events."""
        (self._sent if isinstance(function, Sent) else self._late).append((function, arguments, context))

    def _write_back(self, other_end: socket.socket) -> None:
        """Write the bytes that are owed; later, where there is no room."""
        if self._writing_again is not None:
            self._writing_again.cancel()
            self._writing_again = None
        try:
            self._owed -= other_end.send(bytes(self._owed), _DONT_WAIT)
        except BlockingIOError:
            pass
        except OSError:  # it is closed, with the last use of grpc.aio
            self._owed = 0
        if self._owed:
            self._writing_again = self._loop.call_later(WRITE_AGAIN_AFTER, self._write_back, other_end)

    def _go_on(self) -> None:
        try:
            left = self._run_some(self._late, RUN_PER_PASS)
            if self._sent:
                self._run_some(self._sent, max(left, SENT_AT_LEAST))
        finally:
            if self._late or self._sent:
                self._loop.call_soon(self._go_on)

    def _run_some(self, due: deque[_Call], limit: int) -> int:
        """Make up to so many of these calls; return how many more it might have made."""
        for made in range(limit):
            if not due:
                return limit - made
            self._run(*due.popleft())
        return 0

    def _run(
        self, function: Callable[..., object], arguments: tuple[object, ...], context: Context | None
    ) -> None:
        try:
            if context is None:
                function(*arguments)
            else:
                context.run(function, *arguments)
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as error:  # noqa: BLE001  # as the event loop does; the others go on
            self._loop.call_exception_handler({"message": f"exception in {function!r}", "exception": error})
