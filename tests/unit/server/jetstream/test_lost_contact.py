"""A node without contact to the others decides nothing by time (rule 14)."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest
from google.protobuf.duration_pb2 import Duration

from milepost.fold import Fold
from milepost.server import decide
from milepost.server.base.clock import SystemClock
from milepost.server.followers import deadlines
from milepost.server.followers.deadlines import Deadlines
from milepost.server.followers.retention import Retention, RetentionPolicy
from milepost.server.followers.transitions import follow_transitions
from milepost.server.journal import Journal
from milepost.server.log.event_log import StoredJob
from milepost.server.log.jetstream.jetstream_log import JetStreamEventLog
from milepost.server.log.jetstream.nats_access import NatsAccess
from milepost.server.log.jetstream.stream import StreamNames
from milepost.server.log.log_errors import StoreFull, StoreUnavailable
from milepost.server.log.node_presence import ContactPeriod, NoPeers
from milepost.v1 import Event, Job, LogWritten, SubmitJobRequest, Update
from milepost.v1 import Retention as RetentionMessage
from tests.support.commits import read
from tests.support.nats import NatsServer
from tests.support.proxy import CuttableProxy
from tests.support.rpc import eventually, kinds, log_line, state_name
from tests.unit.server.core import Core

# Durations of a lease that expires within a test, and of one that does not, in seconds.
SHORT = 0.05
LONG = 30.0


class Node:
    """The deadlines of a node, with contact to the others that a test sets; ``looks`` counts the checks."""

    def __init__(self, core: Core, lease: float) -> None:
        self._core = core
        self.contact: ContactPeriod | None = None
        self.looks = 0
        self.deadlines = Deadlines(core.journal, core.sessions, core.clock, core.tasks, lease)
        self.deadlines.start(_Others(self))
        follow_transitions(core.log, self.deadlines.on_transition)

    async def decides(self, after: float = 0.0) -> None:
        """Let that many seconds pass, fire the timers, and wait until they have decided."""
        page = await self._core.log.active()
        # In one turn: an older timer that fires after the jump would renew the lease, as on a suspended machine.
        self._core.clock.advance(after)
        for _, job in page.jobs:
            self.deadlines.on_transition(job)
        before = self.looks

        async def have_looked() -> bool:
            return self.looks > before + 3

        await eventually(have_looked)

    async def comes_to(self, job_id: str, state: str, code: str) -> None:
        """Wait until the job has ended like this."""

        async def has() -> bool:
            job = await self._core.journal.find(job_id)
            return (state_name(job), job.failure.code) == (state, code)

        await eventually(has)


class _Others(NoPeers):
    """The other nodes, controlled by the test."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def contact(self) -> ContactPeriod | None:
        """See ``Peers``."""
        self._node.looks += 1
        return self._node.contact


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the retry delay of a node without contact."""
    monkeypatch.setattr(deadlines, "_STORE_RETRY_DELAY", 0.01)


@pytest.fixture
async def node(core: Core) -> AsyncIterator[Node]:
    """A node without contact, with long leases."""
    made = Node(core, LONG)
    yield made
    made.deadlines.close()


@pytest.mark.parametrize(
    "contact",
    [
        pytest.param(None, id="away"),
        pytest.param(ContactPeriod(SHORT / 2, 0), id="back for half a lease"),
        pytest.param(ContactPeriod(3600, 3600), id="not proved since it began"),
    ],
)
async def test_a_lease_expires_only_after_unbroken_contact_for_its_length(
    core: Core, contact: ContactPeriod | None
) -> None:
    """Another node may have heard the worker until contact began; a lease ends only after a whole lease of contact."""
    node = Node(core, SHORT)
    node.contact = contact
    await core.submit()
    await core.start()
    await node.decides(after=3600)
    assert state_name(await core.journal.find("j")) == "RUNNING"

    node.contact = ContactPeriod(SHORT, 0)
    await node.comes_to("j", "LOST", "WORKER_LOST")
    node.deadlines.close()


async def test_bounds_that_pass_while_the_node_is_away(core: Core, node: Node) -> None:
    """They are checked once contact is back, against the log as it is then: others may have continued the job."""
    bound = Duration(seconds=5)
    await core.submit("starts", start_deadline=bound)
    await core.submit("runs", timeout=bound)
    await core.start("runs")
    await core.submit("cancelled")
    await core.start("cancelled")
    await core.cancel(5, "cancelled")
    await node.decides(after=5)
    states = [state_name(await core.journal.find(each)) for each in ("starts", "runs", "cancelled")]
    assert states == ["QUEUED", "RUNNING", "CANCELLING"]

    node.contact = ContactPeriod(0.1, 0)
    await node.comes_to("starts", "FAILED", "START_DEADLINE")
    await node.comes_to("runs", "FAILED", "TIMEOUT")
    await node.comes_to("cancelled", "CANCELLED", "")


async def test_contact_that_breaks_while_the_job_is_opened(
    core: Core, node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Contact counts at the moment of the decision."""
    await core.submit("starts", start_deadline=Duration(seconds=5))
    core.journal._idle.pop("starts")
    node.contact = ContactPeriod(1, 0)
    load = core.log.load
    loaded = asyncio.Event()

    async def breaks(job_id: str, *, caller: str) -> StoredJob | None:
        node.contact = None
        loaded.set()
        return await load(job_id, caller=caller)

    monkeypatch.setattr(core.log, "load", breaks)
    core.clock.advance(5)
    for _, job in (await core.log.active()).jobs:
        node.deadlines.on_transition(job)
    await loaded.wait()
    await node.decides()
    assert state_name(await core.journal.find("starts")) == "QUEUED"


async def test_nothing_is_dropped(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither an expired job nor the beginning of a long log, until the store is back."""
    retention = Retention(core.log, core.journal, core.clock, RetentionPolicy(jobs=1.0), interval=60)
    core.log.add_listener(retention.on_entries)
    await core.submit("ended")
    await core.cancel(0, "ended")
    await core.submit("long", retention=RetentionMessage(max_events=100))
    token = await core.start("long")
    for _ in range(4):
        await core.report(token, *[log_line("x")] * 50, job_id="long")
    core.clock.advance(2)

    with monkeypatch.context() as patch:
        patch.setattr(type(core.log), "up", False)
        with pytest.raises(StoreUnavailable):
            await retention.sweep()
    assert await core.log.find("ended") is not None
    await retention.sweep()
    assert await core.log.find("ended") is None
    assert (await core.journal.find("long")).first_sequence == 103


async def test_what_was_not_trimmed_for_an_error_is_trimmed_the_next_time(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A trim that failed because the store was full is retried."""
    retention = Retention(core.log, core.journal, core.clock, RetentionPolicy(), interval=60)
    core.log.add_listener(retention.on_entries)
    await core.submit(retention=RetentionMessage(max_events=100))
    token = await core.start()
    for _ in range(4):
        await core.report(token, *[log_line("x")] * 50)

    async def full(job_id: str, first_sequence: int, submitted: int) -> None:
        raise StoreFull("full")

    with monkeypatch.context() as patch:
        patch.setattr(core.log, "trim", full)
        with pytest.raises(StoreFull):
            await retention.sweep()
    await retention.sweep()
    assert (await core.journal.find("j")).first_sequence == 103


# --- What is appended to a stream --------------------------------------------------------------------------------


def line(text: str, job: Job, now: int) -> list[Event]:
    """A log line, as an example of any decision."""
    return [decide.report(Fold(job), Update(log_written=LogWritten(text=text)), now)]


async def test_a_decision_of_time_does_not_wait_for_nats(tmp_path: Path, nats_server: NatsServer) -> None:
    """It is published over the connection that it was decided on, or not at all; later decisions are published."""
    names = StreamNames(f"test-{uuid.uuid4().hex}")
    with CuttableProxy(f"127.0.0.1:{nats_server.port}") as proxy:
        log = JetStreamEventLog(tmp_path, NatsAccess((f"nats://{proxy.address}",)), names)
        await log.start()
        journal = Journal(log, SystemClock())
        log.add_listener(journal.on_entries)
        now = SystemClock().now()
        await journal.create(decide.submit(SubmitJobRequest(kind="k"), "j", now))
        await journal.commit("j", lambda job, now: [decide.start(job, "w", now)])
        await journal.commit("j", partial(line, "in contact"), by_timeout=True)

        # The connection breaks between the decision and its turn.
        _, durable = await journal.apply("j", partial(line, "late"), by_timeout=True)
        log.connection.breaks += 1
        with pytest.raises(StoreUnavailable):
            await durable

        proxy.refuse()
        proxy.cut()
        deciding = journal.commit("j", partial(line, "away"), by_timeout=True)
        with pytest.raises(StoreUnavailable):
            await deciding
        proxy.allow()

        async def is_back() -> bool:
            with contextlib.suppress(StoreUnavailable):
                await journal.commit("j", partial(line, "back"), by_timeout=True)
                return True
            return False

        await eventually(is_back)
        texts = [event.log_written.text for event in await read(log, "j") if event.HasField("log_written")]
        assert texts == ["in contact", "back"]
        assert kinds(await read(log, "j"))[:2] == ["job_submitted", "job_started"]
        await log.close()
