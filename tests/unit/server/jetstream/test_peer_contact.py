"""How long a node has been in contact with the others, as proved by answers."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from milepost.server.log.jetstream import stream
from milepost.server.log.jetstream.nats_access import ConnectionLost, NatsAccess
from milepost.server.log.jetstream.nats_connection import NatsConnection
from milepost.server.log.jetstream.peer_contact import PeerContact
from milepost.server.log.jetstream.stream import StreamNames
from milepost.server.log.node_presence import ContactPeriod
from tests.support.nats import NatsCluster, NatsServer
from tests.support.rpc import eventually

PATIENCE = 3.0


class Time:
    """A manual clock, and a connection that the test breaks."""

    def __init__(self) -> None:
        self.now = 100.0
        self.breaks = 0
        self.contact = PeerContact(PATIENCE, lambda: self.breaks, lambda: self.now)

    def ask(self, *, answer_after: float = 0.0, age: float = 0.0) -> None:
        """Ask, and answer after ``seconds``: contact existed ``before`` seconds before the question."""
        asked = self.contact.begin_question()
        self.now += answer_after
        self.contact.on_answer(asked, age)

    def heard(self, after: float = 0.0) -> ContactPeriod | None:
        """The period of contact, as of some seconds later."""
        self.now += after
        return self.contact.period()


@pytest.fixture
def time() -> Time:
    """No question was asked yet."""
    return Time()


def test_before_an_answer_there_is_none(time: Time) -> None:
    """A node that has just started has no contact."""
    assert time.heard(after=1000) is None


def test_it_begins_when_the_first_answered_question_was_asked(time: Time) -> None:
    """It is not proved for the time after the question."""
    time.ask(answer_after=2)
    assert time.heard() == (2, 2)
    assert time.heard(after=1) == (3, 3)


def test_it_lasts_while_answers_come(time: Time) -> None:
    """However long each answer takes, as long as the gaps are within the limit."""
    for _ in range(10):
        time.ask(answer_after=2)
        time.now += 1
    assert time.heard() == (30, 3)


def test_contact_is_proved_as_of_the_leaders_last_contact(time: Time) -> None:
    """A server that is cut off still answers."""
    time.ask()
    time.now += 2
    time.ask(age=0.5)
    assert time.heard() == (2, 0.5)
    time.now += 2
    time.ask(age=PATIENCE)
    assert time.heard() == (4, 2.5)
    time.now += 2
    time.ask(age=PATIENCE + 2)
    assert time.heard() is None


def test_an_answer_of_less_takes_nothing_back(time: Time) -> None:
    """Proved contact stays, also if another server proves less."""
    time.ask()
    time.now += 1
    time.ask()
    time.ask(age=0.5)
    assert time.heard() == (1, 0)


def test_it_ends_where_no_answer_comes(time: Time) -> None:
    """It begins again with the next answer."""
    time.ask()
    assert time.heard(after=PATIENCE) == (PATIENCE, PATIENCE)
    assert time.heard(after=0.1) is None
    time.ask()
    assert time.heard(after=1) == (1, 1)


def test_an_answer_that_comes_late_does_not_bridge_a_gap(time: Time) -> None:
    """The time of the question counts: a stalled connection delivers its answer late."""
    time.ask()
    time.now += 1
    time.ask(answer_after=PATIENCE + 1)
    assert time.heard() is None


def test_it_ends_where_the_connection_breaks(time: Time) -> None:
    """However short the break was, and also if an earlier question is answered after it."""
    time.ask()
    time.now += 1
    asked = time.contact.begin_question()
    time.breaks += 1
    assert time.heard() is None
    time.contact.on_answer(asked, 0)
    assert time.heard() is None
    time.ask()
    assert time.heard(after=1) == (1, 1)


async def test_what_the_leader_of_a_stream_proves(tmp_path: Path) -> None:
    """With a quorum it has just heard from the others; without one that time stays behind."""
    names = StreamNames(f"test-{uuid.uuid4().hex}")
    with NatsCluster(*[tmp_path] * 3) as cluster:
        async with linked(cluster.servers) as connection:

            async def is_made() -> bool:
                with contextlib.suppress(ConnectionLost):
                    await stream.ensure_stream(connection, names, 3)
                    return True
                return False

            await eventually(is_made)
            await eventually(lambda: is_proved(connection, names))
            leader = await eventually(lambda: leading(cluster, names))
            others = [server for server in cluster.servers if server is not leader]
            others[0].kill()
            await eventually(lambda: is_proved(connection, names))

        async with linked([leader]) as connection:

            async def is_not() -> bool:
                return not await is_proved(connection, names)

            others[1].kill()
            await eventually(is_not)


@asynccontextmanager
async def linked(servers: Sequence[NatsServer]) -> AsyncIterator[NatsConnection]:
    """Connect to one of the servers."""
    connection = NatsConnection(NatsAccess(tuple(server.url for server in servers)), lambda up: None)
    await connection.open()
    try:
        yield connection
    finally:
        await connection.close()


async def is_proved(connection: NatsConnection, names: StreamNames) -> bool:
    """Whether the leader proves recent contact to most servers."""
    try:
        return await stream.quorum_age(connection, names) < 1.5
    except ConnectionLost:
        return False


async def leading(cluster: NatsCluster, names: StreamNames) -> NatsServer | None:
    """The stream's leader, if there is one."""
    try:
        return cluster.leader(names.stream)
    except LookupError:
        return None
