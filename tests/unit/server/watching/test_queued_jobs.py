"""Which watches of queued jobs are woken when workers come and go."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast

import pytest
from google.protobuf.duration_pb2 import Duration

from milepost.server.access.principal import ANONYMOUS, Principal, Scope
from milepost.server.dispatch.wait_reasons import Queue, WaitReasons
from milepost.server.dispatch.worker_registry import WorkerRegistry
from milepost.server.dispatch.worker_session import Session
from milepost.server.log.node_presence import NoPeers
from milepost.server.scheduling.callers import SERVER
from milepost.server.scheduling.steps import SLICE_STEPS, finish
from milepost.server.watching import queued_jobs
from milepost.server.watching.memory_budget import MemoryBudget
from milepost.server.watching.queued_jobs import COMPARISONS_LIMIT, QueuedJobs
from milepost.server.watching.tails import Tail
from milepost.v1 import Dispatch, Hello, WaitingFor, WatchJobRequest, WatchJobResponse
from tests.support.clock import FakeClock
from tests.support.world import World

LOG = cast("Any", None)
"""Nothing is looked up of a tail whose kind is known."""


class Watches:
    """Watched tails by name; changes of the registry wake them."""

    def __init__(self, registry: WorkerRegistry) -> None:
        self._queued = QueuedJobs(WaitReasons(registry))
        self._tails: dict[str, Tail] = {}

    def add(self, name: str, kind: str, *, owner: str = "", external: bool = False) -> None:
        """Add a watch of a queued job of this kind."""
        tail = self._tails[name] = Tail(MemoryBudget(1 << 20))
        tail.queued, tail.watchers = True, 1
        dispatch = Dispatch.DISPATCH_EXTERNAL if external else Dispatch.DISPATCH_QUEUE
        tail.queue = Queue(kind, owner, dispatch)

    def refresh(self) -> None:
        """See ``QueuedJobs``."""
        finish(self._queued.refresh())

    async def reason(self, name: str) -> str:
        """The reason in its next status; empty if the job is not queued."""
        waiting = await self._queued.waiting(self._tails[name], name, LOG, SERVER)
        return "" if waiting is None else WaitingFor.Name(waiting.waiting_for).removeprefix("WAITING_FOR_")

    def starts(self, name: str) -> None:
        """Start the job."""
        self._tails[name].queued = False

    def leave(self, name: str) -> None:
        """End the watch."""
        self._tails[name].watchers = 0

    def woken(self) -> set[str]:
        """The watches that were woken since."""
        before = {name: tail.signal.version for name, tail in self._tails.items()}
        self.refresh()
        return {name for name, tail in self._tails.items() if tail.signal.version != before[name]}


def session(*kinds: str, owners: frozenset[str] | None = None) -> Session:
    """A worker's session."""
    principal = ANONYMOUS if owners is None else Principal("w", owners, frozenset({Scope.WORK}))
    return Session(Hello(kinds=kinds, max_concurrency=1), principal=principal)


async def test_only_watches_whose_reason_changes_wake_up() -> None:
    """For the first worker of a kind, and for the leaving of the last; not for numbers or other kinds."""
    registry = WorkerRegistry(FakeClock())
    watches = Watches(registry)
    watches.add("a", "archive")
    watches.add("same", "archive")
    watches.add("b", "transcribe")
    watches.add("claimed", "archive", external=True)
    reasons = {name: await watches.reason(name) for name in ("a", "same", "b", "claimed")}
    first, second, other = session("archive"), session("archive"), session("resize")
    steps: list[set[str]] = []
    for change, worker in (
        (registry.add, other),
        (registry.add, first),
        (registry.add, second),
        (registry.remove, first),
        (registry.remove, second),
    ):
        change(worker)
        steps.append(watches.woken())
    registry.close()

    assert reasons == {"a": "WORKER", "same": "WORKER", "b": "WORKER", "claimed": "CLAIM"}
    assert steps == [set(), {"a", "same"}, set(), set(), {"a", "same"}]


async def test_a_watch_that_ended_is_held_no_longer(tmp_path: Path) -> None:
    """Although no worker comes or goes: jobs are watched from their submission on, while they are queued."""
    world = World(tmp_path, 1 << 20)
    tails = world.watching._queued._tails
    held: list[int] = []

    async def send(response: bytes) -> None:
        if WatchJobResponse.FromString(response).HasField("status"):
            held.append(sum(map(len, tails.values())))

    async def check() -> None:
        """Refuse nobody."""

    async def watch(job_id: str) -> None:
        request = WatchJobRequest(job_id=job_id, no_follow=True, status_interval=Duration(seconds=1))
        await world.watching.watch_job(request, SERVER, send, check=check)

    for job_id in ("a", "b"):
        await world.submit(job_id)
        await asyncio.gather(watch(job_id), watch(job_id))
    assert (held, tails) == ([1] * 4, {})
    await world.log.close()


async def test_jobs_that_started_and_watches_that_left_are_not_woken() -> None:
    """They have no reason to wait any more."""
    registry = WorkerRegistry(FakeClock())
    watches = Watches(registry)
    for name in ("started", "left", "watched"):
        watches.add(name, "archive")
        await watches.reason(name)
    watches.starts("started")
    watches.leave("left")
    registry.add(session("archive"))
    woken = watches.woken()
    registry.close()

    assert woken == {"watched"}
    assert await watches.reason("started") == ""


async def test_the_end_of_the_grace_wakes_those_whose_worker_is_missing() -> None:
    """Until then workers may be reconnecting; watches with a worker are not woken."""
    registry = WorkerRegistry(FakeClock(), grace=0.01)
    watches = Watches(registry)
    watches.add("a", "archive")
    watches.add("b", "transcribe")
    registry.add(session("transcribe"))
    registry.start(NoPeers())
    before = [await watches.reason("a"), await watches.reason("b")]
    over = asyncio.Event()
    registry.add_change_listener(lambda: over.set() if registry.is_complete else None)
    async with asyncio.timeout(120):
        await over.wait()
    woken = watches.woken()
    registry.close()

    assert before == ["RECONNECT", "TURN"]
    assert woken == {"a"}
    assert await watches.reason("a") == "WORKER"


async def test_a_nearer_kind_wakes_those_that_it_is_near_to() -> None:
    """When the first worker takes it, and when the last one does no more; not those whose kind some worker takes."""
    registry = WorkerRegistry(FakeClock())
    watches = Watches(registry)
    registry.add(session("archiv"))
    watches.add("typo", "archve")
    watches.add("taken", "archiv")
    watches.add("far", "transcribe")
    for name in ("typo", "taken", "far"):
        await watches.reason(name)
    watches.refresh()
    first, second = session("archive"), session("archive")
    steps: list[set[str]] = []
    for change, worker in (
        (registry.add, first),
        (registry.add, second),
        (registry.remove, first),
        (registry.remove, second),
    ):
        change(worker)
        steps.append(watches.woken())
    registry.close()

    assert steps == [{"typo"}, set(), set(), {"typo"}]


async def test_workers_of_other_owners_wake_nobody() -> None:
    """They take none of the jobs, whatever their kinds."""
    registry = WorkerRegistry(FakeClock())
    watches = Watches(registry)
    watches.add("typo", "archve", owner="a")
    watches.add("exact", "archive", owner="a")
    for name in ("typo", "exact"):
        await watches.reason(name)
    steps = []
    for owners in (frozenset({"b"}), frozenset({"a", "b"})):
        registry.add(session("archive", owners=owners))
        steps.append(watches.woken())
    registry.close()

    assert steps == [set(), {"typo", "exact"}]
    assert [await watches.reason("typo"), await watches.reason("exact")] == ["WORKER", "TURN"]


async def test_comparisons_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many kinds come at once, and however many are waited for; the others hear with their next status."""
    compared = 0

    def counting(name: str, names: Iterable[str], limit: int) -> list[str]:
        nonlocal compared
        compared += len(list(names))
        return []

    monkeypatch.setattr(queued_jobs, "nearest", counting)
    monkeypatch.setattr(queued_jobs, "COMPARISONS_LIMIT", 100)
    registry = WorkerRegistry(FakeClock())
    watches = Watches(registry)
    for number in range(20):
        watches.add(f"j{number}", f"kind-{number}")
        await watches.reason(f"j{number}")
    registry.add(session(*(f"other-{number}" for number in range(30))))
    assert watches.woken() == set()
    registry.close()

    assert compared == 90


async def test_a_change_of_the_workers_is_looked_at_in_slices() -> None:
    """Each kind that watched jobs wait for, each of their watches, and each comparison of two kinds is a step."""
    registry = WorkerRegistry(FakeClock())
    queued = QueuedJobs(WaitReasons(registry))
    tails = []
    for number in range(2 * SLICE_STEPS):
        tails.append(tail := Tail(MemoryBudget(1 << 20)))
        tail.queued, tail.watchers = True, 1
        tail.queue = Queue(f"kind-{number}", "", Dispatch.DISPATCH_QUEUE)
        await queued.waiting(tail, "j", LOG, SERVER)
    registry.add(session(*(f"{number}-other" for number in range(100))))
    slices = sum(1 for _ in queued.refresh())
    registry.add(session(*(f"kind-{number}" for number in range(100))))
    interrupted = queued.refresh()
    next(interrupted)
    for tail in tails[100:]:
        tail.watchers = 0
    finish(queued.refresh())
    finish(interrupted)
    registry.close()

    assert slices == 2 + (COMPARISONS_LIMIT * 3) // SLICE_STEPS
    assert {n for n, tail in enumerate(tails) if tail.signal.version} >= set(range(100))
    assert sum(map(len, queued._tails.values())) == 100
