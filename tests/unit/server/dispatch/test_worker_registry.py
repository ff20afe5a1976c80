"""The registry of connected workers, shared between two nodes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import contextmanager
from itertools import pairwise

import pytest

from milepost.contract import limits
from milepost.server.access.principal import Principal, Scope
from milepost.server.dispatch.worker_registry import REPORTED_PER_PASS, WorkerRegistry
from milepost.server.dispatch.worker_session import Session
from milepost.v1 import ConnectedWorker, Hello
from tests.support.clock import FakeClock


class Wire:
    """Passes announcements directly to the other node, unless it is cut; counts the workers in them."""

    def __init__(self, to: WorkerRegistry) -> None:
        self._to = to
        self.is_cut = False
        self.carried = 0

    def renew_leases(self, job_ids: Iterable[str]) -> None:
        """See ``Presence``."""

    def worker_connected(self, instance: str) -> None:
        """See ``Presence``."""

    def update_workers(self, connected: Iterable[ConnectedWorker], left: Iterable[str]) -> None:
        """See ``Presence``."""
        if not self.is_cut:
            result = list(connected)
            self.carried += len(result)
            self._to.update_workers(result, left)

    def request_workers(self) -> None:
        """See ``Presence``."""
        if not self.is_cut:
            self._to.request_workers()


class Nodes:
    """Two nodes, ``a`` and ``b``, with the same clock."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.a, self.b = WorkerRegistry(self.clock, node="a"), WorkerRegistry(self.clock, node="b")
        self.to_a, self.to_b = Wire(self.a), Wire(self.b)
        self.a.start(self.to_b)
        self.b.start(self.to_a)

    @contextmanager
    def cut(self) -> Iterator[None]:
        """Cut the connection between the nodes."""
        self.to_a.is_cut = self.to_b.is_cut = True
        yield
        self.to_a.is_cut = self.to_b.is_cut = False


@pytest.fixture
async def nodes() -> AsyncIterator[Nodes]:
    """Two nodes, started."""
    made = Nodes()
    yield made
    made.a.close()
    made.b.close()


def session(name: str = "w", *kinds: str, instance: str = "", at: int = 1) -> Session:
    """A worker's session that connected at this second."""
    made = Session(Hello(worker_id=name, kinds=kinds or ("k",), max_concurrency=1, instance=instance), "peer")
    made.connected_at = made.heard_at = at * 10**9
    return made


async def announced(registry: WorkerRegistry) -> None:
    """Wait until the registry has announced its changes."""
    heard = asyncio.Event()
    registry.add_change_listener(heard.set)
    async with asyncio.timeout(120):
        await heard.wait()


def counts(registry: WorkerRegistry, owner: str = "o") -> dict[str, int]:
    """The number of workers by kind, of those that take the owner's jobs."""
    kinds = dict.fromkeys(kind for kind, _ in registry.taken())
    return {kind: count for kind in kinds if (count := registry.count(kind, owner))}


def names(registry: WorkerRegistry) -> list[tuple[str, str]]:
    """The listed workers, each with its node."""
    return [(worker.worker_id, worker.node) for worker in registry.listed()]


async def test_a_worker_is_known_at_the_other_node(nodes: Nodes) -> None:
    """While it is connected, and counted for each of its kinds."""
    connected = session("w", "k", "l")
    nodes.a.add(connected)
    await announced(nodes.a)
    assert (counts(nodes.a), counts(nodes.b)) == ({"k": 1, "l": 1}, {"k": 1, "l": 1})
    assert nodes.b.listed() == nodes.a.listed()

    nodes.a.remove(connected)
    await announced(nodes.a)
    assert (counts(nodes.a), counts(nodes.b)) == ({}, {})
    assert nodes.b.listed() == []


async def test_a_node_that_starts_asks_who_is_there(nodes: Nodes) -> None:
    """It requests the workers of the other nodes at its start."""
    nodes.a.add(session("w"))
    await announced(nodes.a)
    late = WorkerRegistry(nodes.clock, node="late")
    nodes.a.start(Wire(late))
    late.start(Wire(nodes.a))

    assert names(late) == [("w", "a")]
    late.close()


async def test_whose_jobs_a_worker_takes_is_known_at_the_other_node(nodes: Nodes) -> None:
    """A worker counts for the owners of its principal only; one that is assigned nothing counts for nobody."""
    hello = Hello(worker_id="w", kinds=["k"], max_concurrency=1)
    for owners, job_id in ((frozenset({"a", "b"}), ""), (frozenset({"a"}), ""), (None, ""), (None, "j")):
        principal = Principal("w", owners, frozenset({Scope.WORK}), job_id=job_id)
        nodes.a.add(Session(hello, principal=principal))
    await announced(nodes.a)

    for registry in (nodes.a, nodes.b):
        assert [counts(registry, owner) for owner in ("a", "b", "c")] == [{"k": 3}, {"k": 2}, {"k": 1}]
    listed = sorted((worker.owners_limited, list(worker.owners)) for worker in nodes.b.listed())
    assert listed == [(False, []), (True, []), (True, ["a"]), (True, ["a", "b"])]


async def test_a_node_that_ended_without_a_word_is_forgotten(nodes: Nodes) -> None:
    """After three announcement intervals of silence; not before, and not a node that does announce."""
    nodes.a.add(session("w"))
    await announced(nodes.a)
    nodes.clock.advance(3 * limits.WORKERS_INTERVAL - 1)
    with nodes.cut():
        nodes.b.request_workers()
    assert names(nodes.b) == [("w", "a")]

    nodes.a.request_workers()
    nodes.clock.advance(1)
    with nodes.cut():
        nodes.b.request_workers()
    assert names(nodes.b) == [("w", "a")]

    nodes.clock.advance(3 * limits.WORKERS_INTERVAL)
    with nodes.cut():
        nodes.b.request_workers()
    assert (names(nodes.b), counts(nodes.b)) == ([], {})


async def test_a_node_that_was_cut_off_keeps_the_workers_that_it_knew(nodes: Nodes) -> None:
    """However long that was; it requests them again when it is back."""
    nodes.a.add(session("w"))
    await announced(nodes.a)
    with nodes.cut():
        nodes.b.cut_off()
        nodes.clock.advance(100)
        nodes.b.reconnected()
        nodes.b.request_workers()
        assert names(nodes.b) == [("w", "a")]
        nodes.a.add(session("x"))
        await announced(nodes.a)
    nodes.b.reconnected()

    assert names(nodes.b) == [("w", "a"), ("x", "a")]


async def test_a_node_that_stops_says_so(nodes: Nodes) -> None:
    """Its workers are removed at once."""
    nodes.a.add(session("w"))
    await announced(nodes.a)
    nodes.a.close()

    assert names(nodes.b) == []


async def test_a_worker_that_moved_is_where_it_connected_last(nodes: Nodes) -> None:
    """Also while the former node still announces it."""
    before = session("w", instance="i", at=1)
    nodes.a.add(before)
    await announced(nodes.a)
    nodes.b.add(session("w", instance="i", at=2))
    assert (names(nodes.b), counts(nodes.b)) == ([("w", "b")], {"k": 1})

    third = WorkerRegistry(nodes.clock)
    third.update_workers(nodes.b.listed(), ())
    third.update_workers(nodes.a.listed(), ())
    assert names(third) == [("w", "b")]
    third.close()


async def test_many_changes_at_once_are_announced_once(nodes: Nodes) -> None:
    """A worker that reconnects at once causes no announcement; nodes announce the state after a short delay."""
    connected = session("w")
    for _ in range(10):
        nodes.a.add(connected)
        nodes.a.remove(connected)
    nodes.a.add(connected)
    carried = nodes.to_b.carried
    await announced(nodes.a)

    assert nodes.to_b.carried - carried == 1
    assert names(nodes.b) == [("w", "a")]


async def test_of_many_jobs_some_are_named(nodes: Nodes) -> None:
    """All jobs are counted."""
    busy = session("w")
    busy.jobs = {f"j{number:03}": None for number in range(limits.WORKER_JOB_IDS + 1)}
    nodes.a.add(busy)
    (listed,) = nodes.a.listed()

    assert (listed.job_count, len(listed.job_ids)) == (limits.WORKER_JOB_IDS + 1, limits.WORKER_JOB_IDS)
    assert listed.job_ids[0] == "j000"


async def test_workers_may_be_missing_for_a_while_after_a_start() -> None:
    """Before the node's start, for the grace period after it, and without contact to other nodes."""
    registry = WorkerRegistry(FakeClock(), grace=0.01)
    states = [registry.is_complete]
    registry.start(Wire(registry))
    states.append(registry.is_complete)
    await announced(registry)
    states.append(registry.is_complete)
    registry.cut_off()
    states.append(registry.is_complete)
    registry.reconnected()
    await announced(registry)
    states.append(registry.is_complete)
    registry.close()

    assert states == [False, False, True, False, True]


async def test_many_workers_are_reported_a_few_in_each_pass(nodes: Nodes) -> None:
    """Building thousands of messages in one pass would block the event loop."""
    count = 3 * REPORTED_PER_PASS
    for number in range(count):
        nodes.a.add(session(f"w{number}"))
    carried = [0]
    while nodes.to_b.carried < count:
        await asyncio.sleep(0)
        carried.append(nodes.to_b.carried)
    assert max(after - before for before, after in pairwise(carried)) == REPORTED_PER_PASS
    nodes.b.request_workers()
    nodes.a.request_workers()
    assert nodes.to_b.carried - count <= REPORTED_PER_PASS


async def test_a_page_of_workers(nodes: Nodes) -> None:
    """Workers of all nodes in one order, after the last one of the page before."""
    for name in ("c", "a", "e"):
        nodes.a.add(session(name))
    for name in ("b", "d"):
        nodes.b.add(session(name))
    await announced(nodes.b)
    every = nodes.a.listed()
    pages = [nodes.a.listed(limit=2)]
    while len(pages[-1]) == 2:
        pages.append(nodes.a.listed("k", (pages[-1][-1].worker_id, pages[-1][-1].session_id), 2))
    assert [worker.worker_id for worker in every] == ["a", "b", "c", "d", "e"]
    assert [worker for page in pages for worker in page] == every
