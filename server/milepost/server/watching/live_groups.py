"""Streams that get the same next: those of one caller with the same request, at the same event of the same log.

Each would wake, look and move its cursor by itself. A group does that once for all of its members: one wake-up, one
batch, one cursor, and a write to each reader. A member whose reader has no room leaves at the cursor from before, and
goes on by itself from there, so no member waits for another. For anything but one small batch in memory the group ends,
and the task of each member does what it always did (rule 5).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable, Sequence
from functools import partial
from typing import Protocol

import structlog

from milepost.server.watching.batches import Batch
from milepost.server.watching.signals import Signal, wake_soon
from milepost.server.watching.subscriber import COUNTED_RESPONSE, SharedOffers, SharingReader, Subscriber

_logger = structlog.get_logger("milepost.watching")


class Member(Protocol):
    """A stream that waits at the head of its log, for news that it shares with others."""

    def move_to(self, cursor: int) -> None:
        """Set the cursor: the reader has the events up to it."""

    def news(self) -> Batch | None:
        """All events after the cursor, perhaps none; None where they take its task."""

    def is_complete(self) -> bool:
        """Whether no event can follow. Its task ends the stream."""

    @property
    def is_look_due(self) -> bool:
        """Whether it is time for a look if a status is due."""

    def may_status_be_due(self) -> bool:
        """Look: whether a status is due, or its task has to find that out."""

    def offer_status(self) -> bool:
        """Offer a status to its reader; False if that takes its task."""

    def wake(self) -> None:
        """Have its task go on when there is a turn."""

    def go_on_alone(self, *, is_served: bool) -> None:
        """Wait by itself from now on. If its reader had no room for what has come, ``wake`` has it serve that."""

    def put_off_look(self) -> bool:
        """Look if a status is due once its reader has what was sent last; False if nothing of that is on its way."""


class LiveGroups:
    """The groups of one log, of which ``signal`` tells what is new."""

    def __init__(self, signal: Signal) -> None:
        self._signal = signal
        # By what their members get, the ones that further members may join.
        self._groups: dict[Hashable, LiveGroup] = {}

    def join(
        self, member: Member, cursor: int, subscriber: Subscriber, request: Hashable
    ) -> LiveGroup | None:
        """Make a stream at this cursor a member of a group; None where its reader shares no offers.

        ``request`` is what it was asked for. The stream has all that the signal has notified of.
        """
        reader = subscriber.sharing
        if reader is None:
            return None
        key = subscriber.caller, reader.key, request
        group = self._groups.get(key)
        if group is None or group.cursor != cursor or group.size >= reader.shares_limit:
            group = LiveGroup(self._signal, cursor, subscriber, reader.share())
            group.on_end = partial(self._remove, key, group)
            self._groups[key] = group
        group.add(member, reader)
        return group

    def _remove(self, key: Hashable, group: LiveGroup) -> None:
        if self._groups.get(key) is group:
            del self._groups[key]


class LiveGroup:
    """One group. It waits for the signal in place of its members.

    Attributes:
        cursor: That of all members.
        version: That of the signal up to which they were served.
        served_at: When they were last sent something, by the clock of the event loop.
        on_end: Called when it has no member left.
    """

    __slots__ = (
        "_caller",
        "_is_look_queued",
        "_is_queued",
        "_loop",
        "_members",
        "_pacer",
        "_shared",
        "_signal",
        "cursor",
        "on_end",
        "served_at",
        "version",
    )

    def __init__(self, signal: Signal, cursor: int, subscriber: Subscriber, shared: SharedOffers) -> None:
        self.cursor = cursor
        self.version = signal.version
        self.served_at = 0.0
        self.on_end: Callable[[], None] = _nothing
        self._signal = signal
        self._shared = shared
        self._caller = subscriber.caller
        self._pacer = subscriber.pacer
        self._loop = asyncio.get_running_loop()
        self._members: dict[Member, SharingReader] = {}
        self._is_queued = False
        self._is_look_queued = False
        signal.add(self)

    @property
    def size(self) -> int:
        """Number of members."""
        return len(self._members)

    def has(self, member: Member) -> bool:
        """Whether it serves the stream; otherwise the stream has to look for what has come."""
        return member in self._members

    def add(self, member: Member, reader: SharingReader) -> None:
        """Serve the stream, too."""
        self._members[member] = reader
        self._shared.add(reader)

    def leave(self, member: Member) -> None:
        """Serve the stream no more, which goes on after what its reader has."""
        reader = self._members.pop(member, None)
        if reader is not None:
            self._shared.discard(reader)
            member.move_to(self.cursor)
            if not self._members:
                self._signal.discard(self)
                on_end, self.on_end = self.on_end, _nothing  # it refers to this group
                on_end()

    def wake(self) -> None:
        """Serve the members when their caller has a turn."""
        if not self._is_queued:
            self._is_queued = True
            self._pacer.put(self._caller, self)

    def resume(self) -> int:
        """See ``Resumable``."""
        self._is_queued = False
        turns = len(self._members)
        if not turns:
            return 0
        self.version = self._signal.version
        try:
            is_served = self._serve(next(iter(self._members)))
        except Exception:  # others wait for theirs; the tasks try again, and end with the error
            _logger.exception("live delivery failed")
            is_served = False
        if is_served:
            if self._members:
                self._signal.add(self)
        else:
            self._end()
        return turns

    def _serve(self, first: Member) -> bool:
        """Offer what has come to all readers; False where that takes the tasks of the streams."""
        first.move_to(self.cursor)
        batch = first.news()
        if batch is None:
            return False
        if batch.last > self.cursor:
            if batch.response:
                if len(batch.response) >= COUNTED_RESPONSE:
                    return False
                refused = self._shared.offer(batch.response)
                if refused is None:
                    return False
                if refused:
                    self._let_go(refused)
                self.served_at = self._loop.time()
            self.cursor = batch.last
        if first.is_complete():
            return False
        if first.is_look_due and not self._is_look_queued:
            self._is_look_queued = True
            self._pacer.put_look(self._caller, self)
        return True

    def look(self) -> int:
        """Have all members look if a status of theirs is due: the first one does so again within ten seconds.

        See ``Looking``.
        """
        self._is_look_queued = False
        turns = len(self._members)
        try:
            refused = self._offer_statuses()
        except Exception:  # the tasks try again, and end with the error
            _logger.exception("live delivery failed")
            self._end()
        else:
            self._put_off_looks(refused)
        return turns

    def _offer_statuses(self) -> Sequence[Member]:
        """Offer a status to each member to whose reader one is due; return those that could not."""
        refused = []
        for member in list(self._members):
            if member.may_status_be_due():
                member.move_to(self.cursor)
                if not member.offer_status():
                    refused.append(member)
        return refused

    def _put_off_looks(self, members: Sequence[Member]) -> None:
        """Have these leave. Over gRPC the event before is often still on its way to a reader; else it takes tasks."""
        for member in members:
            self.leave(member)
        tasks = []
        for member in members:
            if member.put_off_look():
                member.go_on_alone(is_served=True)
            else:
                tasks.append(member)
        if tasks:
            wake_soon(tasks)

    def _end(self) -> None:
        """Have the tasks of all streams go on."""
        members = list(self._members)
        for member in members:
            self.leave(member)
        if members:
            wake_soon(members)

    def _let_go(self, readers: Sequence[SharingReader]) -> None:
        """Have the streams of these readers go on by themselves."""
        members = [member for member, reader in self._members.items() if reader in readers]
        for member in members:
            self.leave(member)
            member.go_on_alone(is_served=False)
        if members:
            wake_soon(members)


def _nothing() -> None:
    """Do nothing."""
