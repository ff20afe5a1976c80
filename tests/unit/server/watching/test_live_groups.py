"""Streams that are served together: who is in a group, and what is left of it."""

from __future__ import annotations

import gc
from collections.abc import Sequence
from weakref import ref

from milepost.server.budgets.byte_budget import ByteBudget
from milepost.server.watching.batches import Batch
from milepost.server.watching.live_groups import LiveGroups
from milepost.server.watching.pacer import Pacer
from milepost.server.watching.signals import Signal
from milepost.server.watching.subscriber import Subscriber


class Stream:
    """A member, with the reader whom it sends to."""

    def __init__(self, head: list[int]) -> None:
        self._head = head
        self.cursor = 0
        self.key = "reader"
        self.shares_limit = 2

    async def __call__(self, response: bytes) -> None:
        """See ``Send``."""

    @property
    def reader(self) -> Stream:
        """See ``Send``."""
        return self

    def share(self) -> Offers:
        """See ``SharingReader``."""
        return Offers()

    def move_to(self, cursor: int) -> None:
        """See ``Member``."""
        self.cursor = cursor

    def news(self) -> Batch:
        """See ``Member``."""
        return Batch(b"event", self._head[0])

    def is_complete(self) -> bool:
        """See ``Member``."""
        return False

    @property
    def is_look_due(self) -> bool:
        """See ``Member``."""
        return False

    def may_status_be_due(self) -> bool:
        """See ``Member``."""
        return False

    def offer_status(self) -> bool:
        """See ``Member``."""
        return False

    def wake(self) -> None:
        """See ``Member``."""

    def go_on_alone(self, *, is_served: bool) -> None:
        """See ``Member``."""

    def put_off_look(self) -> bool:
        """See ``Member``."""
        return False


class Offers:
    """See ``SharedOffers``."""

    def __init__(self) -> None:
        self.readers: list[object] = []
        self.offered: list[tuple[bytes, int]] = []

    def add(self, reader: object) -> None:
        """See ``SharedOffers``."""
        self.readers.append(reader)

    def discard(self, reader: object) -> None:
        """See ``SharedOffers``."""
        self.readers.remove(reader)

    def offer(self, response: bytes) -> Sequence[Stream]:
        """See ``SharedOffers``."""
        self.offered.append((response, len(self.readers)))
        return []


def subscriber(caller: str, stream: Stream, pacer: Pacer) -> Subscriber:
    """The subscriber of a stream."""
    return Subscriber(caller, stream, pacer, ByteBudget(1 << 20))


async def test_who_is_served_together() -> None:
    """Only streams of one caller and one request, at the same event; whoever comes later has a group of its own."""
    head, signal, pacer = [0], Signal(), Pacer()
    groups = LiveGroups(signal)

    def join(caller: str, request: str, cursor: int = 0) -> object:
        stream = Stream(head)
        return groups.join(stream, cursor, subscriber(caller, stream, pacer), request)

    first = join("a", "request")
    assert join("a", "request") is first
    others = [join("b", "request"), join("a", "other"), join("a", "request", 1)]
    assert len({id(group) for group in [first, *others]}) == 4
    # Two readers share offers, at most.
    assert join("a", "request") is not first


async def test_a_group_without_members() -> None:
    """It waits for nothing, and its memory is free at once, not only once garbage is collected."""
    head, signal = [0], Signal()
    groups = LiveGroups(signal)
    stream = Stream(head)
    group = groups.join(stream, 0, subscriber("a", stream, Pacer()), "request")
    assert group is not None
    offers = ref(group._shared)
    head[0] = 1
    signal.notify()
    gc.disable()
    try:
        group.leave(stream)
        del group
        assert (stream.cursor, signal.is_awaited, offers()) == (1, False, None)
    finally:
        gc.enable()
