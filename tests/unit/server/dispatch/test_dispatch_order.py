"""The order of dispatch: the queues, compared with a naive model."""

from __future__ import annotations

import gc
import tracemalloc
from collections import Counter
from collections.abc import Collection, Iterator

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from milepost.server.dispatch import job_queues
from milepost.server.dispatch.job_queues import ConcurrencyKey, JobQueues, QueuedJob

__all__ = ["TestAgainstAModel"]


def job(
    job_id: str,
    owner: str = "",
    *,
    kind: str = "k",
    priority: int = 0,
    submitted: int = 0,
    key: str = "",
    limit: int = 1,
) -> QueuedJob:
    """A queued job."""
    return QueuedJob(
        job_id, kind, owner, priority, submitted, ConcurrencyKey(owner, key) if key else None, limit
    )


def taken(queues: JobQueues, kind: str = "k") -> str:
    """Take the next job; empty if there is none."""
    found = queues.pop(kind)
    return "" if found is None else found.job_id


def drained(queues: JobQueues, kind: str = "k") -> list[str]:
    """Take all jobs that may start, in order."""
    return list(iter(lambda: taken(queues, kind), ""))


def filled(*jobs: QueuedJob) -> JobQueues:
    """Queues with these jobs."""
    queues = JobQueues()
    for waiting in jobs:
        queues.add(waiting)
    return queues


def test_the_highest_priority_goes_first() -> None:
    """However late it came."""
    queues = filled(job("usual"), job("low", "a", priority=-5), job("high", "b", priority=7))

    assert drained(queues) == ["high", "usual", "low"]


def test_owners_take_turns() -> None:
    """An owner with a hundred jobs delays another owner by one job at most."""
    queues = filled(*(job(f"a{n}", "a", submitted=n) for n in range(100)), job("b0", "b", submitted=200))
    assert [taken(queues) for _ in range(3)] == ["a0", "b0", "a1"]

    queues.add(job("b1", "b", submitted=201))
    assert [taken(queues) for _ in range(3)] == ["a2", "b1", "a3"]


def test_of_an_owner_what_was_submitted_first_goes_first() -> None:
    """A requeued job, retried or released, has its old place."""
    queues = filled(*(job(f"j{n}", submitted=n) for n in range(4)))
    assert taken(queues) == "j0"
    assert taken(queues) == "j1"
    queues.add(job("j0", submitted=0))

    assert drained(queues) == ["j0", "j2", "j3"]


def test_jobs_of_a_full_concurrency_key_are_skipped() -> None:
    """Its jobs are in their old places again when one of them ends."""
    queues = filled(job("j1", submitted=1, key="u"), job("j2", submitted=2), job("j3", submitted=3))
    queues.occupy(ConcurrencyKey("", "u"))
    assert taken(queues) == "j2"

    assert queues.vacate(ConcurrencyKey("", "u")) == {"k"}
    assert drained(queues) == ["j1", "j3"]


def test_each_job_has_its_own_limit() -> None:
    """A job that allows more running jobs of its key goes ahead of one that allows fewer."""
    queues = filled(job("one", submitted=1, key="u", limit=1), job("two", submitted=2, key="u", limit=2))
    queues.occupy(ConcurrencyKey("", "u"))

    assert drained(queues) == ["two"]


def test_keys_are_their_owners_own() -> None:
    """Equal keys of two owners are independent; those of two kinds of one owner are not."""
    key = ConcurrencyKey("a", "u")
    queues = filled(job("a", "a", key="u"), job("b", "b", key="u"), job("other", "a", kind="other", key="u"))
    queues.occupy(key)
    assert (drained(queues), drained(queues, "other")) == (["b"], [])

    assert queues.vacate(key) == {"k", "other"}


def test_an_owner_that_was_skipped_is_next() -> None:
    """It has not had its turn."""
    queues = filled(
        job("a1", "a", key="u"), job("b1", "b", submitted=1), job("b2", "b", submitted=2), job("c1", "c")
    )
    queues.occupy(ConcurrencyKey("a", "u"))
    assert taken(queues) == "b1"
    queues.vacate(ConcurrencyKey("a", "u"))

    assert drained(queues) == ["a1", "c1", "b2"]


def test_the_worker_of_one_owner_asks_for_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a thousand owners that wait, a thousand such workers would look at each of them at every submission."""
    queues = filled(*(job(f"{number}", owner=f"o{number}") for number in range(1000)))

    def fail(_: object) -> Iterator[object]:
        raise AssertionError("looked at all owners")

    monkeypatch.setattr(job_queues._LazyHeap, "__iter__", fail)
    found = queues.pop("k", frozenset(("o7", "nobody")))
    assert found is not None
    assert (found.job_id, queues.pop("k", frozenset(("nobody",)))) == ("7", None)


def test_cancelled_jobs_leave_nothing_behind() -> None:
    """However many jobs are submitted and cancelled, of any kind, owner and key."""
    queues = filled(*(job(f"stays{n}", submitted=n) for n in range(10)))

    def churn(rounds: int) -> None:
        for n in range(rounds):
            waiting = job(f"j{n}", f"o{n}", kind=f"k{n % 7}", priority=n % 5, submitted=n, key=f"u{n}")
            queues.add(waiting)
            queues.add(job(f"same{n}", submitted=n))
            queues.occupy(ConcurrencyKey(waiting.owner, f"u{n}"))
            queues.remove(f"j{n}")
            queues.remove(f"same{n}")
            queues.vacate(ConcurrencyKey(waiting.owner, f"u{n}"))

    churn(500)
    gc.collect()
    tracemalloc.start()
    try:
        churn(5000)
        gc.collect()
        grown, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert grown < 20_000
    assert len(queues) == 10


class Model:
    """Naive queues that scan all jobs each time."""

    def __init__(self) -> None:
        self.jobs: dict[str, QueuedJob] = {}
        self.at_work: Counter[ConcurrencyKey] = Counter()
        self.turns: dict[tuple[str, int, str], int] = {}
        self.turn = 0

    def add(self, waiting: QueuedJob) -> None:
        """See ``JobQueues``."""
        self.jobs[waiting.job_id] = waiting
        if _line(waiting) not in self.turns:
            self.turn += 1
            self.turns[_line(waiting)] = self.turn

    def remove(self, job_id: str) -> None:
        """See ``JobQueues``."""
        if self.jobs.pop(job_id, None) is not None:
            lines = {_line(waiting) for waiting in self.jobs.values()}
            self.turns = {line: turn for line, turn in self.turns.items() if line in lines}

    def may_start(self, waiting: QueuedJob) -> bool:
        """Whether its key has a free place."""
        return waiting.key is None or self.at_work[waiting.key] < waiting.limit

    def take(self, kind: str, owners: Collection[str] | None = None) -> QueuedJob | None:
        """See ``JobQueues``."""
        able = [
            waiting
            for waiting in self.jobs.values()
            if waiting.kind == kind
            and (owners is None or waiting.owner in owners)
            and self.may_start(waiting)
        ]
        if not able:
            return None

        def place(waiting: QueuedJob) -> tuple[int, int, int, str]:
            return (-waiting.priority, self.turns[_line(waiting)], waiting.submitted, waiting.job_id)

        first = min(able, key=place)
        self.turn += 1
        self.turns[_line(first)] = self.turn
        self.remove(first.job_id)
        return first


def _line(waiting: QueuedJob) -> tuple[str, int, str]:
    return waiting.kind, waiting.priority, waiting.owner


# Few values of each, and one most often, so that many jobs share a queue and a key.
_OWNERS = st.sampled_from(["a", "a", "a", "b"])
_OWNERS_OF_WORKERS = st.sampled_from([None, None, frozenset("a"), frozenset("b"), frozenset("abcd")])
_KINDS = st.sampled_from(["k", "k", "k", "other"])
_NAMES = st.sampled_from(["u", "u", "u", "v"])


class _Order(RuleBasedStateMachine):
    """The queues behave like the model."""

    def __init__(self) -> None:
        super().__init__()
        self.queues = JobQueues()
        self.model = Model()
        self.came = 0

    @rule(
        kind=_KINDS,
        owner=_OWNERS,
        priority=st.sampled_from([0, 0, 0, 1]),
        submitted=st.integers(0, 5),
        key=st.sampled_from(["u", "u", "v", ""]),
        limit=st.sampled_from([1, 1, 2]),
    )
    def comes(self, kind: str, owner: str, priority: int, submitted: int, key: str, limit: int) -> None:
        """Enqueue a job."""
        self.came += 1
        waiting = job(
            f"j{self.came}", owner, kind=kind, priority=priority, submitted=submitted, key=key, limit=limit
        )
        self.queues.add(waiting)
        self.model.add(waiting)

    @precondition(lambda self: self.model.jobs)
    @rule(data=st.data())
    def comes_again(self, data: st.DataObject) -> None:
        """Enqueue a queued job again; it keeps its place."""
        waiting = self.model.jobs[data.draw(st.sampled_from(sorted(self.model.jobs)))]
        self.queues.add(waiting)
        self.model.add(waiting)

    @rule(data=st.data())
    def goes(self, data: st.DataObject) -> None:
        """Remove a job, queued or not."""
        job_id = data.draw(st.sampled_from([*sorted(self.model.jobs), "never"]))
        self.queues.remove(job_id)
        self.model.remove(job_id)

    @rule(kind=_KINDS, owners=_OWNERS_OF_WORKERS, at_work=st.booleans())
    def is_taken(self, kind: str, owners: Collection[str] | None, at_work: bool) -> None:
        """Take the next job; it runs from then on, unless it is cancelled at that moment."""
        expected = self.model.take(kind, owners)
        assert self.queues.pop(kind, owners) == expected
        if expected is not None and expected.key is not None and at_work:
            self.queues.occupy(expected.key)
            self.model.at_work[expected.key] += 1

    @precondition(lambda self: self.model.at_work.total() < 3)  # else all keys would be full all the time
    @rule(owner=_OWNERS, name=_NAMES)
    def is_claimed(self, owner: str, name: str) -> None:
        """A job that was not queued runs, as after a restart, also beyond the limit."""
        self.queues.occupy(ConcurrencyKey(owner, name))
        self.model.at_work[ConcurrencyKey(owner, name)] += 1

    @precondition(lambda self: self.model.at_work.total())
    @rule(data=st.data())
    def leaves_work(self, data: st.DataObject) -> None:
        """A job ends; exactly the kinds with a job that may start now are returned."""
        key = data.draw(st.sampled_from(sorted(self.model.at_work.elements())))
        before = {job_id for job_id, waiting in self.model.jobs.items() if self.model.may_start(waiting)}
        self.model.at_work[key] -= 1
        freed = {
            waiting.kind
            for job_id, waiting in self.model.jobs.items()
            if job_id not in before and self.model.may_start(waiting)
        }
        assert freed == self.queues.vacate(key)

    def teardown(self) -> None:
        """The rest comes in the same order: first the jobs that may start, then the others, as running ones end."""
        while True:
            for kind in ("k", "other"):
                while (expected := self.model.take(kind)) is not None:
                    assert self.queues.pop(kind) == expected
                assert self.queues.pop(kind) is None
            if not self.model.at_work.total():
                break
            key = min(self.model.at_work.elements())
            self.model.at_work[key] -= 1
            self.queues.vacate(key)
        assert 0 == len(self.model.jobs) == len(self.queues) == self.queues.memory

    @invariant()
    def as_many_wait(self) -> None:
        """The number of queued jobs is right."""
        assert len(self.model.jobs) == len(self.queues)
        assert all(job_id in self.queues for job_id in self.model.jobs)


TestAgainstAModel = _Order.TestCase
TestAgainstAModel.settings = settings(max_examples=100, stateful_step_count=60, deadline=None)
