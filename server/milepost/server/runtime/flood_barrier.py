"""A barrier against hosts that flood: they get no further connection, and lose those that they flood with.

gRPC's core accepts each connection by itself, asks nobody, and lets nobody close one. So the kernel drops what such a
host sends to the listening socket (a classic BPF program, ``SO_ATTACH_FILTER`` in socket(7), which needs no privilege):
the host asks again for its connection a second later, then after two more, and so on, as TCP does. And a connection is
shut down by its peer's address, for which the files of the process are looked through.

That address is known once the event loop has got to a call of the connection, which may be a second after the flood
began, while gRPC's threads keep the processors busy with it. So the connections of the host that bring as much as a
flood, or that have brought so much which is still unread, are shut down with it. Other connections of the host go on.

gRPC would still parse what it has not read of a connection that is shut down, and take a call from each header in it.
So that is discarded.

Connections that say nothing cost memory for good: gRPC keeps a record of each that was open at once, and these lie
between what else the connections have, a page for each. So of a host only some may be silent, and the others are shut
down. They are looked for when the open files have become more.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import fcntl
import mmap
import os
import socket
import stat
import struct
import sys
import termios
import time
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Final
from urllib.parse import unquote

import structlog

from milepost.server.background_tasks import Tasks
from milepost.server.base.fault_log import FaultLog

_logger = structlog.get_logger("milepost.server")

FILTERED_HOSTS: Final = 128
"""Hosts that a filter can have, so that it stays well below the kernel's 4,096 instructions."""

SURGE: Final = 72 << 10
"""Bytes that a connection of a host that floods brings between two looks, or has brought and nobody has read yet, if it
is one of the flood. More than 65,571, which is the first window of HTTP/2 with the heads of its frames: a client that
has filled that goes on."""

SURGE_TIME: Final = 0.05
"""Seconds from a look at what connections bring to the next; a look takes some milliseconds itself, more under load."""

LOOKS: Final = 20
"""Looks at the connections of hosts that flood, after the first one. They end once all of these go on for one look, or
after so many, since connections may come and go all the time. Each further call of a flood begins them again."""

SILENT_CONNECTIONS: Final = 250
"""Connections of a host that may be silent; further ones are shut down."""

SILENT_INTERVAL: Final = 0.25
"""Seconds between two looks at the number of open files. Who is silent in two looks is silent."""

_SPOKEN: Final = 33
"""Bytes that a client sends as soon as it is connected: the preface of HTTP/2, and the head of the settings. The first
message of TLS is longer."""

# For bytes that are discarded. The kernel writes none of them there (MSG_TRUNC in tcp(7)), so that it has no pages.
_IGNORED: Final = mmap.mmap(-1, 16 << 20)

_OPEN_FILES: Final = Path("/proc/self/fd")

_Address = IPv4Address | IPv6Address

_Peer = tuple[_Address, int]
"""The address and the port of a connection's other end."""

# Where struct tcp_info has the bytes that were received (tcpi_bytes_received in linux/tcp.h, since Linux 4.1).
_BYTES_RECEIVED: Final = slice(128, 136)

_SO_ATTACH_FILTER: Final = 26
_SO_DETACH_FILTER: Final = 27

# Instructions of the kernel's filters (linux/bpf_common.h): load a byte or a word, keep some bits, compare, return.
_LOAD_BYTE, _LOAD_WORD, _AND, _JUMP_IF_EQUAL, _RETURN = 0x30, 0x20, 0x54, 0x15, 0x06

# Where the header of the IP packet begins (SKF_NET_OFF), where it has its version, and the source by the version.
_PACKET: Final = -0x100000 & 0xFFFFFFFF
_VERSION_BITS: Final = 0xF0
_SOURCE: Final = {4: 12, 6: 8}

_DROP, _PASS = 0, 0xFFFFFFFF


class FloodBarrier:
    """The barrier of the sockets that listen on a port: ``attach`` it once they do, ``detach`` it before they close.

    Hosts and peers are as gRPC names them; Unix sockets have no barrier, nor has a system that is not Linux.
    """

    def __init__(self, tasks: Tasks) -> None:
        self._tasks = tasks
        self._port = 0
        self._listening: Sequence[int] = ()
        self._filtered: set[int] = set()
        self._leaving: set[_Peer] = set()
        self._is_searching = False
        self._not_closed = FaultLog(_logger, "connections of a flood not closed")
        self._not_filtered = FaultLog(_logger, "connections are not filtered")

    def attach(self, port: int) -> None:
        """Find the sockets that listen on the port."""
        self._port = port
        if sys.platform == "linux":
            self._listening = [number for number, found in _tcp_sockets() if _listens(found, port)]

    def detach(self) -> None:
        """Forget the sockets, before they are closed."""
        self._listening = ()
        self._filtered.clear()

    def hang_up(self, peer: str) -> None:
        """Shut down the connection of this peer, soon, and those of its host that surge; see ``SURGE``."""
        host, _, port = peer.rpartition(":")
        if self._listening and (address := _address_of(host)) is not None:
            self._leaving.add((address, int(port)))
            if not self._is_searching:
                self._is_searching = True
                self._tasks.start(self._hang_up())

    async def _hang_up(self) -> None:
        try:
            while self._leaving:
                leaving, self._leaving = self._leaving, set()
                await asyncio.to_thread(_shut_down_flood, self._port, leaving)
        except OSError as error:  # the flood has taken all files that the process may have open
            self._not_closed.note(str(error), error=str(error))
        finally:
            self._is_searching = False

    async def bound_silent(self) -> None:
        """Shut down connections of hosts that have more than ``SILENT_CONNECTIONS`` silent ones, until cancelled."""
        silent: Collection[_Peer] = ()
        others = 0
        failed = False
        while True:
            await asyncio.sleep(SILENT_INTERVAL)
            try:
                files = _open_files() if self._listening else 0
                if files <= others + SILENT_CONNECTIONS:
                    silent, others = (), min(files, others)
                    continue
                silent = await asyncio.to_thread(_shut_down_silent, self._port, silent)
                others, failed = max(files - len(silent), 0), False
            # Such as that the process has as many files as it may. It looks again, until one is free.
            except Exception as error:  # noqa: BLE001
                if not failed:
                    _logger.warning("silent connections not closed", error=str(error))
                failed = True

    def refuse(self, hosts: Iterable[str]) -> bool:
        """Take no further connection from these hosts; from all others again. Return whether that is so now."""
        addresses = [address for host in hosts if (address := _address_of(host)) is not None][:FILTERED_HOSTS]
        done = True
        for number in self._listening:
            try:
                self._filter(number, addresses)
            except OSError as error:  # sandboxes that emulate the kernel lack it
                self._not_filtered.note(str(error), error=str(error))
                done = False
        return done

    def _filter(self, number: int, addresses: Sequence[_Address]) -> None:
        # The file itself: the process may have no room for a copy, since a flood takes all files.
        listening = socket.socket(fileno=number)
        try:
            if addresses:
                _attach_filter(listening, addresses)
                self._filtered.add(number)
            elif number in self._filtered:
                listening.setsockopt(socket.SOL_SOCKET, _SO_DETACH_FILTER, 0)
                self._filtered.remove(number)
        finally:
            listening.detach()


def _tcp_sockets() -> Iterator[tuple[int, socket.socket]]:
    """This process's sockets of TCP, as copies that are closed after their turn, and the numbers of their files.

    Files other than sockets are not copied: to close a copy of the database would drop SQLite's locks on it, which are
    POSIX's. Another process would take the database for its own then, and delete the write-ahead log.
    """
    for file in list(Path("/proc/self/fd").iterdir()):
        number = int(file.name)
        with contextlib.suppress(OSError):  # another thread has closed it
            if not stat.S_ISSOCK(os.fstat(number).st_mode):
                continue
            # If the number has become another file's in between, this fails, and leaves the copy open as it must.
            with socket.socket(fileno=os.dup(number)) as found:
                if found.family in (socket.AF_INET, socket.AF_INET6) and found.type == socket.SOCK_STREAM:
                    yield number, found


def _listens(found: socket.socket, port: int) -> bool:
    is_listening = found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    return bool(is_listening) and found.getsockname()[1] == port


def _shut_down_flood(port: int, peers: Collection[_Peer]) -> None:
    """Shut down the connections of these peers to the port, and those of their hosts that surge; see ``LOOKS``."""
    others = _shut_down(port, peers, {})
    before: dict[_Peer, int] = {}
    for _ in range(LOOKS):
        if others.keys() == before.keys():
            return
        time.sleep(SURGE_TIME)
        before = others
        others = _shut_down(port, peers, before)


def _shut_down(port: int, peers: Collection[_Peer], before: Mapping[_Peer, int]) -> dict[_Peer, int]:
    """Shut down the peers' connections, and those of their hosts with ``SURGE`` that is unread or new since before.

    Returns what the others of these hosts have received.
    """
    hosts = {address for address, _ in peers}
    others = {}
    for _, found in _tcp_sockets():
        with contextlib.suppress(OSError):  # a listening socket, or a connection that has just ended
            host, remote_port, *_ = found.getpeername()
            peer = (_address(host), remote_port)
            if peer[0] not in hosts or found.getsockname()[1] != port:
                continue
            received = _received(found)
            if peer in peers or received - before.get(peer, received) >= SURGE or _unread(found) >= SURGE:
                _end(found)
            else:
                others[peer] = received
    return others


def _end(connection: socket.socket) -> None:
    """Discard what nobody has read of the connection, and shut it down. Raises OSError if the peer has reset it.

    In one call of the system each, so that core reads none of it in between; and again what came before the end.
    """
    with contextlib.suppress(BlockingIOError):
        _discard(connection)
    connection.shutdown(socket.SHUT_RDWR)
    _discard(connection)


def _discard(connection: socket.socket) -> None:
    """Discard what is unread. Raises BlockingIOError if there is nothing, and the connection has not ended."""
    connection.recv_into(_IGNORED, 0, socket.MSG_DONTWAIT | socket.MSG_TRUNC)


def _open_files() -> int:
    """Files that the process has open; Linux counts them by itself since 6.2."""
    return _OPEN_FILES.stat().st_size or sum(1 for _ in _OPEN_FILES.iterdir())


def _shut_down_silent(port: int, before: Collection[_Peer]) -> Collection[_Peer]:
    """Shut down those that are silent now and were before, beyond the bound; return the others that are silent now."""
    silent = set()
    count: Counter[_Address] = Counter()
    for _, found in _tcp_sockets():
        with contextlib.suppress(OSError):  # a listening socket, or a connection that has just ended
            host, remote_port, *_ = found.getpeername()
            if found.getsockname()[1] != port or _received(found) >= _SPOKEN:
                continue
            peer = (_address(host), remote_port)
            count[peer[0]] += 1
            if peer in before and count[peer[0]] > SILENT_CONNECTIONS:
                found.shutdown(socket.SHUT_RDWR)
            else:
                silent.add(peer)
    return silent


def _received(connection: socket.socket) -> int:
    """Bytes that the connection has brought."""
    info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _BYTES_RECEIVED.stop)
    return int.from_bytes(info[_BYTES_RECEIVED], sys.byteorder)


def _unread(connection: socket.socket) -> int:
    """Bytes that the connection has brought and nobody has read yet."""
    answer = fcntl.ioctl(connection, termios.FIONREAD, bytes(4))
    return int.from_bytes(answer, sys.byteorder)


def _address_of(host: str) -> _Address | None:
    """The address in ``ipv4:127.0.0.1`` or ``ipv6:%5B::1%5D``; None if there is none, as of Unix sockets."""
    scheme, _, text = unquote(host).partition(":")
    return _address(text.strip("[]")) if scheme in ("ipv4", "ipv6") else None


def _address(host: str) -> _Address:
    address = ip_address(host.partition("%")[0])
    return getattr(address, "ipv4_mapped", None) or address


def _attach_filter(listening: socket.socket, hosts: Sequence[_Address]) -> None:
    """Attach the filter, in the place of the one before."""
    code = b"".join(struct.pack("=HBBI", *instruction) for instruction in filter_code(hosts))
    buffer = ctypes.create_string_buffer(code, len(code))
    program = struct.pack("@HP", len(code) // 8, ctypes.addressof(buffer))
    listening.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, program)


def filter_code(hosts: Iterable[_Address]) -> list[tuple[int, int, int, int]]:
    """The program: each instruction, what to skip if a comparison holds and if it does not, and the operand."""
    code = []
    for host in hosts:
        comparisons = [(_LOAD_BYTE, 0, _VERSION_BITS, host.version << 4)]
        for place, (word,) in enumerate(struct.iter_unpack(">I", host.packed)):
            comparisons.append((_LOAD_WORD, _SOURCE[host.version] + 4 * place, 0xFFFFFFFF, word))
        rest = 3 * len(comparisons)
        for load, offset, mask, value in comparisons:
            rest -= 3
            code += [
                (load, 0, 0, _PACKET + offset),
                (_AND, 0, 0, mask),
                (_JUMP_IF_EQUAL, 0, rest + 1, value),
            ]
        code.append((_RETURN, 0, 0, _DROP))
    return [*code, (_RETURN, 0, 0, _PASS)]
