"""Watching against a model, without transport: the validators hold for any sequence of operations."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from milepost.v1 import (
    Delivery,
    Event,
    EventFilter,
    JobEnded,
    JobFilter,
    JobState,
    LogWritten,
    OnGap,
    Stage,
    StageProgressed,
    StageStarted,
    Update,
)
from tests.support.rpc import eventually
from tests.support.validators import EventView, check, missing
from tests.support.world import Subscriber, World

_Result = TypeVar("_Result")

_LOGS = EventFilter(payloads=["log_written", "job_ended"])
_RUNNING = JobFilter(states=[JobState.JOB_STATE_RUNNING])
_OF_A = JobFilter(owner="a")


def _is_log(event: Event) -> bool:
    return event.WhichOneof("payload") in _LOGS.payloads


class WatchingModel(RuleBasedStateMachine):
    """Jobs and subscribers with random operations."""

    def __init__(self) -> None:
        super().__init__()
        self._directory = tempfile.TemporaryDirectory()
        self._runner = asyncio.Runner()
        self.jobs: list[str] = []
        self.running: set[str] = set()
        self.ended: set[str] = set()
        self.subscribers: list[Subscriber] = []
        self.of_running: list[Subscriber] = []
        self.held = False
        self._said = 0
        self._submitted = 0

    def run(self, coroutine: Coroutine[Any, Any, _Result]) -> _Result:
        """Let all ready tasks run."""
        return self._runner.run(coroutine)

    # --- What happens to jobs ---------------------------------------------------------------------------------------

    @initialize(memory=st.sampled_from([1, 400, 1 << 20]))
    def begin(self, memory: int) -> None:
        """Start with a random memory limit; the less memory, the more reads of the store."""

        async def opened() -> World:
            return World(Path(self._directory.name), memory)

        self.world = self.run(opened())

    @precondition(lambda self: not self.held and len(self.jobs) < 5)
    @rule(owner=st.sampled_from("ab"))
    def submit(self, owner: str) -> None:
        """A new job."""
        self._submitted += 1
        self.jobs.append(f"j{self._submitted}")
        self.run(self.world.submit(self.jobs[-1], owner=owner))

    @precondition(lambda self: set(self.jobs) - self.running - self.ended)
    @rule(data=st.data())
    def start(self, data: st.DataObject) -> None:
        """Start a queued job, and a stage of it."""
        job_id = self._pick(data, set(self.jobs) - self.running - self.ended)
        self.running.add(job_id)

        async def started() -> None:
            await self._durable(await self.world.start(job_id))
            stage = Update(stage_started=StageStarted(stage=Stage(stage_id="s")))
            await self._durable(await self.world.report(job_id, stage))

        self.run(started())

    @precondition(lambda self: self.running)
    @rule(data=st.data(), what=st.lists(st.sampled_from("lp"), min_size=1, max_size=8), awaits=st.booleans())
    def report(self, data: st.DataObject, what: list[str], awaits: bool) -> None:
        """Report lines and progress at once, and wait for the acknowledgement or not."""
        job_id = self._pick(data, self.running)
        updates = []
        for kind in what:
            self._said += 1
            if kind == "l":
                updates.append(Update(log_written=LogWritten(text=str(self._said))))
            else:
                progress = StageProgressed(stage_id="s", current=self._said)
                updates.append(Update(stage_progressed=progress))
        self._say(job_id, updates, awaits)

    @precondition(lambda self: self.running)
    @rule(data=st.data(), awaits=st.booleans())
    def end(self, data: st.DataObject, awaits: bool) -> None:
        """End a job."""
        job_id = self._pick(data, self.running)
        self.running.discard(job_id)
        self.ended.add(job_id)
        self._say(job_id, [Update(job_ended=JobEnded(state=JobState.JOB_STATE_SUCCEEDED))], awaits)

    @precondition(lambda self: self.jobs and not self.held)
    @rule(data=st.data(), first=st.integers(2, 40))
    def trim(self, data: st.DataObject, first: int) -> None:
        """Trim a log."""
        job_id = self._pick(data, set(self.jobs))

        async def trimmed() -> None:
            await self.world.log.trim(job_id, first)

        self.run(trimmed())

    @precondition(lambda self: self.ended and not self.held)
    @rule(data=st.data())
    def thin(self, data: st.DataObject) -> None:
        """Thin the log of an ended job."""
        job_id = self._pick(data, self.ended)
        self.world.thinned.add(job_id)

        async def thinned() -> None:
            await self.world.log.thin(job_id)

        self.run(thinned())

    @precondition(lambda self: self.ended and not self.held)
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        """Delete an ended job."""
        job_id = self._pick(data, self.ended)
        self.ended.discard(job_id)
        self.jobs.remove(job_id)

        async def deleted() -> None:
            await self.world.log.delete(job_id)

        self.run(deleted())

    @precondition(lambda self: not self.held)
    @rule()
    def hold(self) -> None:
        """Hold all commits."""
        self.held = True
        self.world.log.hold(1_000_000)

    @precondition(lambda self: self.held)
    @rule()
    def let_go(self) -> None:
        """Release the held commits."""
        self.held = False

        async def gone() -> None:
            self.world.log.let_go()

        self.run(gone())

    @rule()
    def crash(self) -> None:
        """Crash and restart the server; non-durable commits are lost."""
        self.run(self._restart())

    # --- What subscribers do ----------------------------------------------------------------------------------------

    @precondition(lambda self: self.jobs and len(self.subscribers) < 6)
    @rule(
        data=st.data(),
        start=st.sampled_from(["", "", "", "from_snapshot", "from_latest"]),
        latest=st.booleans(),
        logs_only=st.booleans(),
        most=st.sampled_from([0, 0, 1, 2, 3]),
        on_gap=st.sampled_from([OnGap.ON_GAP_FAIL, OnGap.ON_GAP_SNAPSHOT]),
        offers=st.sampled_from(
            [
                {},
                {"takes_offers": True},
                *[{"shares_offers": True}] * 2,
                *[{"shares_offers": True, "delays_offers": True}] * 2,
            ]
        ),
    )
    def watch(
        self,
        data: st.DataObject,
        start: str,
        latest: bool,
        logs_only: bool,
        most: int,
        on_gap: OnGap.ValueType,
        offers: dict[str, Any],
    ) -> None:
        """Start a watch of one job, or of all, running, an owner's, or some by id."""
        job_id = data.draw(st.sampled_from(["", "", "running", "a's", "one", *self.jobs]))
        fields: dict[str, Any] = {"max_batch_events": most, "on_gap": on_gap}
        view = EventView(latest=latest, events=_is_log if logs_only else EventView.events)
        if latest:
            fields["delivery"] = Delivery.DELIVERY_LATEST
        if logs_only:
            fields["filter" if job_id in self.jobs else "event_filter"] = _LOGS
        wanted = {"running": _RUNNING, "a's": _OF_A, "one": JobFilter(job_ids=self.jobs[:1])}.get(job_id)
        if wanted is not None:
            job_id = ""
            fields["filter"] = wanted
            view = EventView(EventView.of_filter(wanted).commits, view.events, latest)

        async def watching() -> None:
            subscriber = Subscriber(self.world, job_id, view, **offers, **fields)
            self.subscribers.append(subscriber)
            if wanted is _RUNNING:
                self.of_running.append(subscriber)
            subscriber.watch(**({start: True} if start else {}))

        self.run(watching())

    @precondition(lambda self: self.subscribers)
    @rule(data=st.data())
    def cut(self, data: st.DataObject) -> None:
        """Disconnect a subscriber."""
        self.run(data.draw(st.sampled_from(self.subscribers)).cut())

    @precondition(lambda self: self.subscribers)
    @rule(data=st.data())
    def resume(self, data: st.DataObject) -> None:
        """Resume a watch that has ended, at its cursor if possible."""
        subscriber = data.draw(st.sampled_from(self.subscribers))

        async def resumed() -> None:
            over = subscriber.reason == "SEQUENCE_TRIMMED" or subscriber.recording.cursor is None
            subscriber.watch(**({"from_snapshot": True} if over else {}))

        if not subscriber.is_watching:
            self.run(resumed())

    @precondition(lambda self: self.subscribers)
    @rule(data=st.data())
    def stall(self, data: st.DataObject) -> None:
        """Stall a subscriber."""
        data.draw(st.sampled_from(self.subscribers)).flowing.clear()

    @precondition(lambda self: self.subscribers)
    @rule(data=st.data())
    def flow(self, data: st.DataObject) -> None:
        """Resume reading."""
        data.draw(st.sampled_from(self.subscribers)).flowing.set()

    @rule(turns=st.integers(1, 30))
    def pass_time(self, turns: int) -> None:
        """Run a few turns of the event loop."""

        async def turned() -> None:
            for _ in range(turns):
                await asyncio.sleep(0)

        self.run(turned())

    @precondition(lambda self: not self.held)
    @rule()
    def settle(self) -> None:
        """Check that each subscriber that reads gets everything, or was refused."""
        self.run(self._settled())
        self._check()

    def teardown(self) -> None:
        """In the end each subscriber has everything."""
        try:
            if hasattr(self, "world"):
                self.run(self._finished())
                self._check()
        finally:
            self._runner.close()
            self._directory.cleanup()

    # --- Machinery --------------------------------------------------------------------------------------------------

    def _pick(self, data: st.DataObject, job_ids: set[str]) -> str:
        return data.draw(st.sampled_from(sorted(job_ids)))

    def _say(self, job_id: str, updates: list[Update], awaits: bool) -> None:
        async def said() -> None:
            durable = await self.world.report(job_id, *updates)
            if awaits:
                await self._durable(durable)

        self.run(said())

    async def _durable(self, durable: asyncio.Future[Any]) -> None:
        if not self.held:
            await durable

    async def _restart(self) -> None:
        for subscriber in self.subscribers:
            await subscriber.cut()
        await self.world.log.close()
        self.world.open()
        self.held = False
        for job_id in self.jobs:  # non-durable commits are lost
            job = await self.world.journal.find(job_id)
            for job_ids, states in ((self.running, (2,)), (self.ended, (4,))):
                (job_ids.add if job.state in states else job_ids.discard)(job_id)

    async def _settled(self) -> None:
        async def all_have_all() -> bool:
            return all(self._has_all(s) for s in self.subscribers if s.is_watching and s.flowing.is_set())

        await eventually(all_have_all)

    async def _finished(self) -> None:
        if self.held:
            self.world.log.let_go()
        for subscriber in self.subscribers:
            subscriber.flowing.set()
        await self._settled()
        for subscriber in self.subscribers:
            await subscriber.cut()
        await self.world.log.close()

    def _has_all(self, subscriber: Subscriber) -> bool:
        if not subscriber.is_watching:
            return True
        history = self.world.history(subscriber.job_id)
        return not missing(subscriber.recording, history, subscriber.view)

    def _check(self) -> None:
        for subscriber in self.subscribers:
            recording = subscriber.recording
            check(recording, self.world.history(subscriber.job_id), subscriber.view)
            cursor = recording.cursor or 0
            match subscriber.reason:
                case "":
                    pass
                case "SEQUENCE_TRIMMED" if subscriber.job_id:
                    first = self.world.first[subscriber.job_id]
                    assert first == 0 or cursor < first - 1  # 0: it was deleted later
                case "SEQUENCE_TRIMMED":
                    by_state = subscriber in self.of_running
                    assert cursor < self.world.newest_dropped(subscriber.view, by_state=by_state)
                case "JOB_NOT_FOUND":
                    assert self.world.first[subscriber.job_id] == 0
                case "STORE_UNAVAILABLE":
                    assert subscriber.job_id in self.world.thinned
                case unexpected:
                    raise AssertionError(unexpected)


_MODEL = settings(
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    max_examples=60,
    stateful_step_count=40,
    derandomize=True,
)


def test_watching() -> None:
    """Each subscriber receives exactly its events, and is refused only if events were dropped."""
    run_state_machine_as_test(WatchingModel, settings=_MODEL)


@pytest.mark.nightly
@pytest.mark.timeout(7200)
def test_watching_at_length() -> None:
    """The long version."""
    at_length = settings(_MODEL, max_examples=2000, stateful_step_count=50, derandomize=False)
    run_state_machine_as_test(WatchingModel, settings=at_length)
