"""Appends with unknown outcome: the connection breaks or stalls before the answer."""

from __future__ import annotations

import asyncio
import random
import uuid
from pathlib import Path

import pytest

from milepost.fold import Fold
from milepost.server import decide
from milepost.server.base.clock import SystemClock
from milepost.server.journal import Journal
from milepost.server.log.event_log import EventLog
from milepost.server.log.jetstream import job_publisher
from milepost.server.log.jetstream.stream import StreamNames
from milepost.server.log.log_errors import StoreUnavailable
from milepost.v1 import Event, Job, LogWritten, SubmitJobRequest, Update
from tests.support.commits import read
from tests.support.jetstream_node import node
from tests.support.nats import NatsServer
from tests.support.proxy import CuttableProxy
from tests.support.rpc import eventually

# Lines of each writer.
_LINES = 300


class Writer:
    """Writes lines to one job through one node, and records the acknowledged ones."""

    def __init__(self, log: EventLog, name: str) -> None:
        self._journal = Journal(log, SystemClock())
        log.add_listener(self._journal.on_entries)
        self._name = name
        self.acknowledged: list[str] = []
        self.in_doubt: list[str] = []

    async def submit(self) -> None:
        """Submit the job, and start it."""
        now = SystemClock().now()
        await self._journal.create(decide.submit(SubmitJobRequest(kind="k"), "j", now))
        await self._journal.commit("j", lambda job, now: [decide.start(job, "w", now)])

    async def write(self, count: int) -> None:
        """Write lines one after the other."""
        for number in range(count):
            text = f"{self._name} {number}"

            def decision(job: Job, now: int, text: str = text) -> list[Event]:
                return [decide.report(Fold(job), Update(log_written=LogWritten(text=text)), now)]

            try:
                await self._journal.commit("j", decision)
            except StoreUnavailable:
                self.in_doubt.append(text)
            else:
                self.acknowledged.append(text)


@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(seed, marks=pytest.mark.nightly) for seed in range(1, 50))]
)
async def test_what_is_acknowledged_is_there_once(
    tmp_path: Path, nats_server: NatsServer, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Two nodes write to one job, while the connections of both break at any moment.

    What is in doubt is there once or not at all, and all is in order.
    """
    chance = random.Random(seed)
    writers: list[Writer] = []

    def acknowledged() -> int:
        return sum(len(writer.acknowledged) for writer in writers)

    names = StreamNames(f"test-{uuid.uuid4().hex}")
    target = f"127.0.0.1:{nats_server.port}"
    for name in ("a", "b", "late"):
        (tmp_path / name).mkdir()
    with CuttableProxy(target) as first, CuttableProxy(target) as second:
        async with (
            node(tmp_path / "a", f"nats://{first.address}", names) as a,
            node(tmp_path / "b", f"nats://{second.address}", names) as b,
        ):
            writers += [Writer(a, "a"), Writer(b, "b")]
            await writers[0].submit()
            await b.catch_up("j")
            monkeypatch.setattr(job_publisher, "APPEND_TIMEOUT", 1.0)
            writing = asyncio.gather(*(writer.write(_LINES) for writer in writers))
            cuts = 0
            while not writing.done():
                # However slow the machine is, some lines get through before the next cut.
                wanted = acknowledged() + chance.randint(0, 40)

                async def has_gone_on(wanted: int = wanted) -> bool:
                    return acknowledged() >= wanted or writing.done()

                await eventually(has_gone_on)
                await asyncio.sleep(chance.uniform(0.0, 0.01))
                proxy = chance.choice([first, second])
                if proxy.open:
                    cuts += 1
                    await asyncio.to_thread(proxy.cut)
            await writing
            assert cuts > 1

        async with node(tmp_path / "late", nats_server.url, names) as late:
            events = await read(late, "j")

    assert list(range(1, len(events) + 1)) == [event.sequence for event in events]
    texts = [event.log_written.text for event in events if event.HasField("log_written")]
    for writer, name in zip(writers, "ab", strict=True):
        written = [f"{name} {number}" for number in range(_LINES)]
        own = [text for text in texts if text in {*written}]
        # Each line has an answer; all acknowledged ones are in the log, and some of those in doubt.
        assert [text for text in written if text in {*writer.acknowledged, *writer.in_doubt}] == written
        assert len(writer.acknowledged) + len(writer.in_doubt) == _LINES
        assert [text for text in written if text in {*own}] == own
        assert [text for text in own if text not in {*writer.in_doubt}] == writer.acknowledged
        texts = [text for text in texts if text not in {*own}]
    assert texts == []
    assert acknowledged() > 200


async def test_an_append_is_given_up_while_nats_is_away_and_goes_on_when_it_is_back(
    tmp_path: Path, nats_server: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is refused after a while rather than hang; recovery needs no restart."""
    names = StreamNames(f"test-{uuid.uuid4().hex}")
    with CuttableProxy(f"127.0.0.1:{nats_server.port}") as proxy:
        async with node(tmp_path, f"nats://{proxy.address}", names) as log:
            writer = Writer(log, "a")
            await writer.submit()
            proxy.refuse()
            proxy.cut()
            with monkeypatch.context() as impatient:
                impatient.setattr(job_publisher, "APPEND_TIMEOUT", 0.3)
                await writer.write(2)
            assert len(writer.in_doubt) == 2
            proxy.allow()
            await log.connection.wait_up()
            await writer.write(2)
            assert len(writer.acknowledged) == 2
            assert not log.failed.done()
            texts = [
                event.log_written.text for event in await read(log, "j") if event.HasField("log_written")
            ]
            assert writer.acknowledged == texts[-2:]
