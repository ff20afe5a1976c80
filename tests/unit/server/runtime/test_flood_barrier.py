"""The barrier against hosts that flood: it keeps out them alone."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import os
import resource
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from milepost.server.background_tasks import Tasks
from milepost.server.runtime import flood_barrier
from milepost.server.runtime.flood_barrier import FILTERED_HOSTS, SURGE, FloodBarrier, filter_code
from tests.support.rpc import eventually

_SYN_SENT = 2
_KERNEL_INSTRUCTIONS = 4096


@pytest.fixture
async def barrier() -> AsyncIterator[FloodBarrier]:
    """One at no socket yet."""
    tasks = Tasks()
    yield FloodBarrier(tasks)
    await tasks.close()


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
async def test_hosts_are_refused_connections_and_let_in_again(
    barrier: FloodBarrier, family: socket.AddressFamily
) -> None:
    """Others get theirs meanwhile, also where the socket takes both kinds of addresses."""
    with ExitStack() as sockets, socket.socket(family) as listening:
        listening.bind(("", 0))
        listening.listen()
        port = listening.getsockname()[1]
        barrier.attach(port)

        def connect(host: str) -> int:
            """The state that TCP is in when the system has begun to connect from this host; loopback is at once."""
            connecting = sockets.enter_context(socket.socket())
            connecting.setblocking(False)
            connecting.bind((host, 0))
            connecting.connect_ex(("127.0.0.1", port))
            return connecting.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]

        assert connect("127.0.0.2") != _SYN_SENT
        barrier.refuse(["ipv4:127.0.0.3", "unix", "ipv6:%5Bfe80::1%25eth0%5D", "ipv4:127.0.0.2"])
        assert [connect(f"127.0.0.{n}") == _SYN_SENT for n in (1, 2, 3, 4)] == [False, True, True, False]
        barrier.refuse([])
        assert connect("127.0.0.2") != _SYN_SENT


async def test_hosts_of_ipv6_are_refused(barrier: FloodBarrier) -> None:
    """By the whole of their address."""
    with socket.socket(socket.AF_INET6) as listening, socket.socket(socket.AF_INET6) as connecting:
        listening.bind(("::1", 0))
        listening.listen()
        barrier.attach(listening.getsockname()[1])
        barrier.refuse(["ipv6:%5B::1%5D"])
        connecting.setblocking(False)
        connecting.connect_ex(listening.getsockname())
        assert connecting.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == _SYN_SENT


@pytest.fixture
def no_free_file() -> Callable[[], contextlib.AbstractContextManager[None]]:
    """Lets the process open no further file within a block."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)

    @contextlib.contextmanager
    def without() -> Iterator[None]:
        resource.setrlimit(resource.RLIMIT_NOFILE, (1, limits[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)

    return without


async def test_hosts_are_refused_and_let_in_without_a_free_file(
    barrier: FloodBarrier, no_free_file: Callable[[], contextlib.AbstractContextManager[None]]
) -> None:
    """A flood takes all that the process may have open: then it is kept out, and nobody is for good."""
    with ExitStack() as sockets, socket.create_server(("127.0.0.1", 0)) as listening:
        barrier.attach(listening.getsockname()[1])
        states = []
        for hosts in (["ipv4:127.0.0.1"], []):
            connecting = sockets.enter_context(socket.socket())
            connecting.setblocking(False)
            with no_free_file():
                with pytest.raises(OSError, match="Too many open files"):
                    os.dup(listening.fileno())
                assert barrier.refuse(hosts)
            connecting.connect_ex(listening.getsockname())
            states.append(connecting.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == _SYN_SENT)
        assert states == [True, False]


async def test_a_socket_that_takes_no_filter(barrier: FloodBarrier, monkeypatch: pytest.MonkeyPatch) -> None:
    """The others of the port get theirs, and lose them; the log has it once."""
    with (
        socket.create_server(("127.0.0.1", 0), reuse_port=True) as first,
        socket.create_server(first.getsockname(), reuse_port=True) as second,
    ):
        barrier.attach(first.getsockname()[1])
        attach, attached = flood_barrier._attach_filter, list[int]()

        def fail_first(listening: socket.socket, hosts: Sequence[IPv4Address | IPv6Address]) -> None:
            if listening.fileno() == first.fileno():
                raise OSError(errno.ENOMEM, "Cannot allocate memory")
            attach(listening, hosts)
            attached.append(listening.fileno())

        monkeypatch.setattr(flood_barrier, "_attach_filter", fail_first)
        with capture_logs() as lines:
            outcomes = [barrier.refuse(["ipv4:127.0.0.2"]), barrier.refuse([])]
        with pytest.raises(FileNotFoundError):  # the kernel has no filter of it any more
            second.setsockopt(socket.SOL_SOCKET, flood_barrier._SO_DETACH_FILTER, 0)

        assert (outcomes, attached) == ([False, True], [second.fileno()])
    assert [line["event"] for line in lines] == ["connections are not filtered"]


async def test_a_connection_is_hung_up_by_its_peer(barrier: FloodBarrier) -> None:
    """Another one of the same host goes on."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        barrier.attach(listening.getsockname()[1])
        with (
            socket.create_connection(listening.getsockname()) as first,
            socket.create_connection(listening.getsockname()) as second,
            listening.accept()[0],
            listening.accept()[0] as kept,
        ):
            barrier.hang_up(f"ipv4:127.0.0.1:{first.getsockname()[1]}")
            assert await asyncio.to_thread(first.recv, 1) == b""
            kept.send(b"x")
            assert second.recv(1) == b"x"


async def test_connections_that_bring_as_much_as_a_flood_are_hung_up_with_it(
    barrier: FloodBarrier, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The event loop may get to a call of theirs much later. One that brings little goes on."""
    monkeypatch.setattr(flood_barrier, "SURGE", 1)
    monkeypatch.setattr(flood_barrier, "_unread", lambda _: 0)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        barrier.attach(listening.getsockname()[1])
        with (
            socket.create_connection(listening.getsockname()) as named,
            socket.create_connection(listening.getsockname()) as flooding,
            socket.create_connection(listening.getsockname()) as quiet,
            listening.accept()[0],
            listening.accept()[0] as flooded,
            listening.accept()[0] as kept,
        ):

            def flood() -> None:
                with contextlib.suppress(OSError):
                    while True:
                        flooding.send(b"x")
                        flooded.recv(4096)

            hung_up = asyncio.create_task(asyncio.to_thread(flood))
            while not hung_up.done():  # again where the flood had no time between two looks at it
                barrier.hang_up(f"ipv4:127.0.0.1:{named.getsockname()[1]}")
                await asyncio.sleep(0)
            kept.send(b"x")
            assert quiet.recv(1) == b"x"


async def test_a_connection_with_much_that_nobody_has_read_is_hung_up_with_the_flood(
    barrier: FloodBarrier, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its headers wait while gRPC parses those of others; the server discards them. One with little goes on."""
    surge = 4096  # as much as every system's buffers take
    monkeypatch.setattr(flood_barrier, "SURGE", surge)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        barrier.attach(listening.getsockname()[1])
        with (
            socket.create_connection(listening.getsockname()) as named,
            socket.create_connection(listening.getsockname()) as flooding,
            socket.create_connection(listening.getsockname()) as other,
            listening.accept()[0],
            listening.accept()[0] as flooded,
            listening.accept()[0] as kept,
        ):

            async def unread(flood: int, rest: int) -> bool:
                return (flood_barrier._unread(flooded), flood_barrier._unread(kept)) == (flood, rest)

            flooding.sendall(bytes(surge))
            other.sendall(bytes(surge - 1))
            await eventually(partial(unread, surge, surge - 1))
            barrier.hang_up(f"ipv4:127.0.0.1:{named.getsockname()[1]}")
            assert await asyncio.to_thread(flooding.recv, 1) == b""
            await eventually(partial(unread, 0, surge - 1))
            kept.send(b"x")
            assert other.recv(1) == b"x"


def test_a_full_window_is_no_flood() -> None:
    """A client that has filled the first window of HTTP/2 keeps its connection beside a flood of its host.

    The window has 65,535 bytes (RFC 9113, 6.9.2), in frames of 16,384 bytes with heads of 9 (4.1, 4.2).
    """
    frames = -(-65_535 // 16_384)
    assert 65_535 + 9 * frames < SURGE


async def test_silent_connections_of_a_host_are_bounded(
    barrier: FloodBarrier, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that have spoken go on, and others of another host."""
    monkeypatch.setattr(flood_barrier, "SILENT_CONNECTIONS", 2)
    monkeypatch.setattr(flood_barrier, "SILENT_INTERVAL", 0.01)
    with ExitStack() as stack, socket.create_server(("127.0.0.1", 0)) as listening:
        barrier.attach(listening.getsockname()[1])

        def connect(host: str) -> tuple[socket.socket, socket.socket]:
            client = stack.enter_context(socket.create_connection(listening.getsockname(), 30, (host, 0)))
            return client, stack.enter_context(listening.accept()[0])

        spoken, heard = connect("127.0.0.1")
        spoken.send(bytes(flood_barrier._SPOKEN))
        elsewhere, served = connect("127.0.0.2")
        silent = [connect("127.0.0.1") for _ in range(6)]
        looking = asyncio.create_task(barrier.bound_silent())
        ended = [await asyncio.to_thread(client.recv, 1) for client, _ in silent[2:]]
        for kept in (heard, served, *(ours for _, ours in silent[:2])):
            kept.send(b"x")
        still = [client.recv(1) for client in (spoken, elsewhere, *(client for client, _ in silent[:2]))]
        looking.cancel()

        assert (ended, still) == ([b""] * 4, [b"x"] * 4)


async def test_silent_connections_that_take_all_files(
    barrier: FloodBarrier, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To look at them takes a file: the server looks again until one is free, and says once that they go on."""
    monkeypatch.setattr(flood_barrier, "SILENT_CONNECTIONS", 0)
    monkeypatch.setattr(flood_barrier, "SILENT_INTERVAL", 0.0)
    outcomes: list[OSError | None] = [OSError(errno.EMFILE, "Too many open files")] * 2 + [None]
    looked = asyncio.Event()
    loop = asyncio.get_running_loop()

    def shut_down(_port: int, _before: object) -> set[object]:
        if outcomes and (error := outcomes.pop(0)) is not None:
            raise error
        loop.call_soon_threadsafe(looked.set)
        return set()

    monkeypatch.setattr(flood_barrier, "_shut_down_silent", shut_down)
    with socket.create_server(("127.0.0.1", 0)) as listening, capture_logs() as logged:
        barrier.attach(listening.getsockname()[1])
        looking = asyncio.create_task(barrier.bound_silent())
        await asyncio.wait_for(looked.wait(), 120)
        looking.cancel()
    assert [line["event"] for line in logged] == ["silent connections not closed"]


def test_who_begins_to_speak_is_not_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client may need a moment for its first bytes: a connection is silent if it was so a while before, too."""
    monkeypatch.setattr(flood_barrier, "SILENT_CONNECTIONS", 0)
    with (
        socket.create_server(("127.0.0.1", 0)) as listening,
        socket.create_connection(listening.getsockname(), 30) as client,
        listening.accept()[0] as accepted,
    ):
        port = listening.getsockname()[1]
        silent = flood_barrier._shut_down_silent(port, ())
        assert silent == {(ip_address("127.0.0.1"), client.getsockname()[1])}
        client.send(bytes(flood_barrier._SPOKEN))
        accepted.recv(1)
        assert flood_barrier._shut_down_silent(port, silent) == set()
        accepted.send(b"x")
        assert client.recv(1) == b"x"


async def test_a_search_ends_though_connections_come_and_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """As those of a proxy do: peers of other hosts wait for it, and so does the end of the process."""
    monkeypatch.setattr(flood_barrier, "SURGE_TIME", 0.0)
    looks = 0
    gone = ExitStack()
    with gone, socket.create_server(("127.0.0.1", 0)) as listening:
        address = listening.getsockname()
        find = flood_barrier._tcp_sockets

        def find_another() -> Iterable[tuple[int, socket.socket]]:
            nonlocal looks
            looks += 1
            assert looks <= 2 * 20
            gone.close()
            gone.enter_context(socket.create_connection(address))
            gone.enter_context(listening.accept()[0])
            return find()

        monkeypatch.setattr(flood_barrier, "_tcp_sockets", find_another)
        flood_barrier._shut_down_flood(address[1], {(ip_address("127.0.0.1"), 1)})
    assert looks == 1 + flood_barrier.LOOKS


async def test_connections_are_hung_up_after_a_search_has_failed(
    barrier: FloodBarrier, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As while the flood has taken all files that the process may have open."""
    failed = asyncio.Event()
    loop = asyncio.get_running_loop()

    def no_files() -> Iterable[tuple[int, socket.socket]]:
        loop.call_soon_threadsafe(failed.set)
        raise OSError(errno.EMFILE, "Too many open files")

    with socket.create_server(("127.0.0.1", 0)) as listening:
        barrier.attach(listening.getsockname()[1])
        with socket.create_connection(listening.getsockname()) as client, listening.accept()[0]:
            peer = f"ipv4:127.0.0.1:{client.getsockname()[1]}"
            with monkeypatch.context() as patches, capture_logs() as lines:
                patches.setattr(flood_barrier, "_tcp_sockets", no_files)
                barrier.hang_up(peer)
                await failed.wait()

                async def is_logged() -> bool:
                    return bool(lines)

                await eventually(is_logged)
            assert [line["event"] for line in lines] == ["connections of a flood not closed"]
            barrier.hang_up(peer)
            assert await asyncio.to_thread(client.recv, 1) == b""


def test_a_filter_of_all_hosts_fits_into_the_kernel() -> None:
    """Of those with the longer addresses."""
    hosts = [ip_address("2001:db8::") + number for number in range(FILTERED_HOSTS)]
    assert len(filter_code(hosts)) <= _KERNEL_INSTRUCTIONS


_IS_LOCKED = """
import fcntl, sys

with open(sys.argv[1], "r+") as file:
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print("locked")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has the barrier")
def test_the_search_for_sockets_keeps_the_locks_of_files(tmp_path: Path) -> None:
    """A process loses its POSIX locks on a file, such as SQLite's, when it closes any copy of that."""
    path = tmp_path / "file"
    path.touch()
    with path.open("r+") as file, socket.create_server(("127.0.0.1", 0)) as listening:
        fcntl.lockf(file, fcntl.LOCK_EX)
        FloodBarrier(Tasks()).attach(listening.getsockname()[1])
        command = [sys.executable, "-c", _IS_LOCKED, str(path)]
        assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "locked\n"
