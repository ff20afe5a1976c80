"""What NATS refuses to a node: room, a consumer, messages of the size that Milepost needs."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from nats.js import JetStreamContext, api
from nats.js.errors import ServiceUnavailableError

from milepost.server.log.jetstream import job_publisher, ordered_consumer
from milepost.server.log.jetstream.jetstream_log import JetStreamEventLog
from milepost.server.log.jetstream.stream import StreamNames
from milepost.server.log.log_errors import StoreFull, StoreUnavailable, StreamUnusable
from tests.support.commits import Author, put, read
from tests.support.disk import Tmpfs, small_disk
from tests.support.nats import NatsServer, administering
from tests.support.rpc import eventually
from tests.unit.server.jetstream.damage.streams import is_up, made


def account(limit: str) -> str:
    """Configuration of an account with this limit, for everybody who connects."""
    users = "users: [{user: u, password: p}]"
    return f"accounts {{ A: {{ jetstream: {{ {limit} }}, {users} }} }}\nno_auth_user: u"


async def only_consumer(jetstream: JetStreamContext, names: StreamNames) -> api.ConsumerInfo:
    """The consumer of the stream, once JetStream is there again after its configuration was read."""
    found: list[api.ConsumerInfo] = []

    async def is_there() -> bool:
        with suppress(ServiceUnavailableError):
            found[:] = await jetstream.consumers_info(names.stream)
        return len(found) == 1

    await eventually(is_there)
    return found[0]


async def test_an_account_that_has_reached_its_limit(tmp_path: Path, names: StreamNames) -> None:
    """Writes are refused as on a full disk; with room again they succeed."""
    with NatsServer(tmp_path, extra=[account("max_file: 1M")]) as server:
        log = made(tmp_path / "a", server, names)
        await log.start()
        author = Author("j")
        await put(log, author.submit(), author.start())

        async def fill() -> None:
            while True:
                await log.append(author.lines("x" * 60_000))

        with pytest.raises(StoreFull):
            await fill()
        kept = await read(log, "j")
        assert kept == author.events[: len(kept)]
        server.reload(account("max_file: 100M"))
        late = Author("late")
        submission = late.submit()

        async def goes_on() -> bool:
            with suppress(StoreFull):
                await log.append(submission)
                return True
            return False

        await eventually(goes_on)
        assert late.events == await read(log, "late")
        await log.close()


async def test_a_node_that_gets_no_consumer(
    tmp_path: Path, names: StreamNames, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As at a limit of its account: it refuses writes, serves what it has, and goes on when NATS gives it one."""
    monkeypatch.setattr(ordered_consumer, "_HEARTBEAT", 0.1)

    with NatsServer(tmp_path, extra=[account("max_consumers: 2")]) as server:
        log = made(tmp_path / "a", server, names)
        await log.start()
        author = Author("j")
        await put(log, author.submit())
        server.reload(account("max_consumers: 1"))
        async with administering(server.url) as jetstream:
            own = await only_consumer(jetstream, names)
            await jetstream.delete_consumer(names.stream, own.name)
            await jetstream.add_consumer(names.stream, name="theirs", durable_name="theirs")
            await eventually(lambda: is_up(log, up=False))
            with pytest.raises(StreamUnusable, match="maximum consumers limit reached"):
                await log.append(author.start())
            assert await log.find("j") is not None
            await jetstream.delete_consumer(names.stream, "theirs")
        await eventually(lambda: is_up(log))
        other = Author("k")
        await put(log, other.submit())
        assert other.events == await read(log, "k")
        await log.close()


async def test_a_server_that_takes_small_messages_only_from_now_on(
    tmp_path: Path, names: StreamNames
) -> None:
    """Writes are refused before one is too large for it; with the right setting they go on."""
    with NatsServer(tmp_path) as server:
        log = made(tmp_path / "a", server, names)
        await log.start()
        author = Author("j")
        await put(log, author.submit())
        server.stop()
        small = NatsServer(tmp_path, port=server.port, max_payload="1MB")
        with small:
            await eventually(lambda: is_up(log, up=False))
            await small_is_noticed(log)
        server.restart()
        await eventually(lambda: is_up(log))
        await put(log, author.start())
        assert author.events == await read(log, "j")
        await log.close()


async def small_is_noticed(log: JetStreamEventLog) -> None:
    """Waits until the node refuses for that reason."""

    async def is_noticed() -> bool:
        with pytest.raises(StoreUnavailable) as error:
            await log.append(Author("k").submit())
        return "max_payload: 8MB" in str(error.value)

    await eventually(is_noticed)


async def test_a_disk_of_nats_that_is_full(
    tmp_path: Path, names: StreamNames, monkeypatch: pytest.MonkeyPatch
) -> None:
    """NATS answers nothing then: writes are refused in time, reads go on; with room and NATS again, all is there."""
    with small_disk(tmp_path / "disk") as disk, NatsServer(disk.path) as server:
        disk.narrow(server)
        filler = disk.path / "filler"
        if isinstance(disk, Tmpfs):
            filler.write_bytes(b"x" * 1_400_000)
        log = made(tmp_path / "a", server, names)
        await log.start()
        author = Author("j")
        await put(log, author.submit(), author.start())

        async def fill() -> None:
            while True:
                await log.append(author.lines("x" * 60_000))

        with monkeypatch.context() as impatient:
            impatient.setattr(job_publisher, "APPEND_TIMEOUT", 0.5)
            impatient.setattr(job_publisher, "_PUBLISH_TIMEOUT", 0.2)
            with pytest.raises((StoreFull, StoreUnavailable)):
                await fill()
        acknowledged = len(author.events) - 1
        assert (await read(log, "j"))[:acknowledged] == author.events[:acknowledged]
        assert not log.failed.done()
        filler.unlink(missing_ok=True)
        disk.give_room(server)
        server.stop()
        server.restart()
        late = Author("late")
        submission = late.submit()

        async def goes_on() -> bool:
            with suppress(StoreFull, StoreUnavailable):
                await log.append(submission)
                return True
            return False

        await eventually(goes_on)
        assert (await read(log, "j"))[:acknowledged] == author.events[:acknowledged]
        await log.close()
