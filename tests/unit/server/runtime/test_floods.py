"""Hosts that flood: from when on, and for how long, the server keeps them out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

import pytest
from structlog.testing import capture_logs

from milepost.server.rpc import floods as flood_counts
from milepost.server.rpc.call_starts import LONGEST_REST
from milepost.server.rpc.floods import FLOOD_SIZE, LEFT_CALLS, LEFT_TIME, Floods
from milepost.server.rpc.metadata_limit import METADATA_SIZE
from milepost.server.runtime.grpc_server.grpc_options import CONCURRENT_STREAMS
from tests.support.rpc import eventually


class _Barrier:
    """Notes what it is told, and fails so many times to let hosts in, and to keep them out."""

    def __init__(self, failures: int = 0, failures_to_refuse: int = 0) -> None:
        self.failures = failures
        self.failures_to_refuse = failures_to_refuse
        self.refused: list[set[str]] = []
        self.hung_up: list[str] = []
        self.let_in = asyncio.Event()

    def refuse(self, hosts: Iterable[str]) -> bool:
        self.refused.append(set(hosts))
        if self.refused[-1]:
            self.failures_to_refuse -= 1
            return self.failures_to_refuse < 0
        self.failures -= 1
        if self.failures < 0:
            self.let_in.set()
        return self.failures < 0

    def hang_up(self, peer: str) -> None:
        self.hung_up.append(peer)


async def test_a_host_floods_from_so_many_bytes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then each further call costs its connection; other hosts are counted for themselves, until the period ends."""
    monkeypatch.setattr(flood_counts, "FLOOD_PERIOD", 0.01)
    barrier = _Barrier()
    floods = Floods(barrier)
    floods.note_metadata("ipv4:10.0.0.1:1", FLOOD_SIZE)
    floods.note_metadata("ipv4:10.0.0.2:1", FLOOD_SIZE)
    assert (barrier.refused, barrier.hung_up) == ([], [])
    floods.note_metadata("ipv4:10.0.0.1:2", 1)
    floods.note_metadata("ipv4:10.0.0.1:3", 1)
    assert barrier.refused == [{"ipv4:10.0.0.1"}]
    assert barrier.hung_up == ["ipv4:10.0.0.1:2", "ipv4:10.0.0.1:3"]
    await barrier.let_in.wait()
    assert barrier.refused[1:] == [set()]
    floods.note_metadata("ipv4:10.0.0.1:4", FLOOD_SIZE)
    assert barrier.hung_up == ["ipv4:10.0.0.1:2", "ipv4:10.0.0.1:3"]


class _Metadata:
    """Metadata of calls that are left: notes who looks at it, each of whom takes so many seconds."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, seconds: float = 0.0) -> None:
        self.looked: list[int] = []
        self.seconds = seconds
        self.now = asyncio.get_running_loop().time()
        monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: self.now)

    def of(self, size: int) -> Callable[[], list[tuple[str, str]]]:
        """Metadata of this size."""

        def look() -> list[tuple[str, str]]:
            self.looked.append(size)
            self.now += self.seconds
            return [("x", "x" * (size - 33))]

        return look


async def test_what_is_left_before_it_begins_counts_with_its_metadata(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """If that is above its limit."""
    barrier = _Barrier()
    metadata = _Metadata(monkeypatch)
    floods = Floods(barrier)
    for _ in range(FLOOD_SIZE // METADATA_SIZE + 1):
        floods.note_left_waiting("ipv4:10.0.0.1:1", 1.1 * LEFT_TIME, metadata.of(METADATA_SIZE))
    assert barrier.refused == []
    for _ in range(5):
        floods.note_left_waiting("ipv4:10.0.0.2:1", 1.1 * LEFT_TIME, metadata.of(FLOOD_SIZE // 4))
    assert (barrier.refused, barrier.hung_up) == ([{"ipv4:10.0.0.2"}], ["ipv4:10.0.0.2:1"])


async def test_nobody_looks_at_what_a_host_leaves_that_floods(monkeypatch: pytest.MonkeyPatch) -> None:
    """Over whichever connection: it is kept out by then. Calls that it leaves at once still count."""
    barrier = _Barrier()
    metadata = _Metadata(monkeypatch)
    floods = Floods(barrier)
    for port in range(60):
        floods.note_left_waiting(f"ipv4:10.0.0.1:{port}", 1.1 * LEFT_TIME, metadata.of(FLOOD_SIZE + 1))
    floods.note_left_waiting("ipv4:10.0.0.2:1", 1.1 * LEFT_TIME, metadata.of(METADATA_SIZE))
    assert metadata.looked == [FLOOD_SIZE + 1, METADATA_SIZE]
    assert barrier.hung_up == ["ipv4:10.0.0.1:0"]
    for _ in range(LEFT_CALLS + 1):
        floods.note_left_waiting("ipv4:10.0.0.1:7", LEFT_TIME, metadata.of(METADATA_SIZE))
    assert barrier.hung_up == ["ipv4:10.0.0.1:0", "ipv4:10.0.0.1:7"]


@pytest.mark.parametrize(
    ("seconds", "rest"), [(LONGEST_REST / 4, LONGEST_REST / 4), (1.0, LONGEST_REST)], ids=["short", "long"]
)
async def test_looks_at_what_is_left_are_apart(
    monkeypatch: pytest.MonkeyPatch, seconds: float, rest: float
) -> None:
    """As far as the last one took, within a bound: many calls are left in a pass. The others count without."""
    barrier = _Barrier()
    metadata = _Metadata(monkeypatch, seconds)
    floods = Floods(barrier)

    def leave(host: int) -> None:
        floods.note_left_waiting(f"ipv4:10.0.0.{host}:1", LEFT_TIME, metadata.of(METADATA_SIZE + host))

    for host in (1, 2, 3):
        leave(host)
    metadata.now += 0.99 * rest
    leave(4)
    metadata.now += 0.02 * rest
    leave(5)
    assert metadata.looked == [METADATA_SIZE + 1, METADATA_SIZE + 5]
    assert sum(floods._left.values()) == 5


async def test_a_host_floods_with_calls_of_a_connection_that_it_leaves_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Those that it leaves later do not count; other connections and metadata are counted for themselves."""
    monkeypatch.setattr(flood_counts, "FLOOD_PERIOD", 0.01)
    barrier = _Barrier()
    floods = Floods(barrier)
    for _ in range(LEFT_CALLS):
        for port in (1, 2, 3):
            floods.note_left(f"ipv4:10.0.0.1:{port}", LEFT_TIME)
        floods.note_left("ipv4:10.0.0.2:1", 1.1 * LEFT_TIME)
    floods.note_metadata("ipv4:10.0.0.1:1", FLOOD_SIZE)
    floods.note_left("ipv4:10.0.0.2:1", 0.0)
    assert (barrier.refused, barrier.hung_up) == ([], [])
    floods.note_left("ipv4:10.0.0.1:2", 0.0)
    assert (barrier.refused, barrier.hung_up) == ([{"ipv4:10.0.0.1"}], ["ipv4:10.0.0.1:2"])
    await barrier.let_in.wait()
    floods.note_left("ipv4:10.0.0.1:2", 0.0)
    assert barrier.hung_up == ["ipv4:10.0.0.1:2"]


async def test_a_host_is_let_in_though_that_fails_at_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is tried again after each period, whether or not anybody floods in that, and no more once it is done."""
    monkeypatch.setattr(flood_counts, "FLOOD_PERIOD", 0.01)
    barrier = _Barrier(failures=2)
    floods = Floods(barrier)
    floods.note_metadata("ipv4:10.0.0.1:1", FLOOD_SIZE + 1)
    await asyncio.wait_for(barrier.let_in.wait(), 120)
    assert barrier.refused == [{"ipv4:10.0.0.1"}, set(), set(), set()]
    assert not floods._is_counting


async def test_a_host_is_kept_out_though_that_fails_at_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is tried again within the period, also without a further call of the flood; the log has when it is done."""
    monkeypatch.setattr(flood_counts, "RETRY_TIME", 0.0)
    barrier = _Barrier(failures_to_refuse=2)
    floods = Floods(barrier)

    async def is_out() -> bool:
        return barrier.failures_to_refuse < 0

    with capture_logs() as lines:
        for host in ("ipv4:10.0.0.1", "ipv4:10.0.0.2"):
            floods.note_metadata(f"{host}:1", FLOOD_SIZE + 1)
        await eventually(is_out)

    both = {"ipv4:10.0.0.1", "ipv4:10.0.0.2"}
    assert barrier.refused == [{"ipv4:10.0.0.1"}, both, both]
    assert [line["event"] for line in lines] == [
        "host floods with metadata",
        "host floods with metadata",
        "flooding hosts are kept out now",
    ]


async def test_a_host_that_could_not_be_kept_out_is_tried_no_more_in_the_next_period(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It may flood no more by then."""
    monkeypatch.setattr(flood_counts, "FLOOD_PERIOD", 0.0)
    monkeypatch.setattr(flood_counts, "RETRY_TIME", 0.0)
    barrier = _Barrier(failures_to_refuse=1)
    floods = Floods(barrier)
    floods.note_metadata("ipv4:10.0.0.1:1", FLOOD_SIZE + 1)
    await asyncio.wait_for(barrier.let_in.wait(), 120)

    assert (barrier.refused, floods._trying) == ([{"ipv4:10.0.0.1"}, set()], None)


async def test_calls_of_an_unknown_peer_are_no_flood_of_one_host() -> None:
    """The peer of a call that has ended before the server gets to it is not always known."""
    barrier = _Barrier()
    floods = Floods(barrier)
    for _ in range(LEFT_CALLS + 1):
        floods.note_left("", 0.0)
    floods.note_metadata("", FLOOD_SIZE + 1)
    assert (barrier.refused, barrier.hung_up) == ([], [])


def test_a_connection_may_leave_all_calls_that_it_may_have_open_twice() -> None:
    """So clients whose calls time out while the server stands still get no barrier."""
    assert LEFT_CALLS == 2 * CONCURRENT_STREAMS
