"""The encoding of the stream's messages: commits of one job, or a drop.

A message begins with its format version, its kind, a unique name by which its publisher recognises it, and the job's
key. Numbers are big-endian. A format that a stream may hold never changes: a change gets a new version.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from enum import IntEnum
from typing import Any, Final, NamedTuple

from milepost.server.log.event_log import ANY_STATE, Commit, Drop
from milepost.server.log.frames import Chunk
from milepost.server.log.stored_runs import StoredRun
from milepost.server.messages.payloads import ANY_PAYLOAD

VERSION: Final = 4
"""The version of messages with runs (``StoredRun``), and of those only. TRIM and DELETE of a job whose shares were
revoked have 3; without that they have 2, since they hold the job's drops. The others have version 1."""

_WITHOUT_SHARES: Final = 2

STRIDE: Final = 1000
"""Positions per message of the stream: the n-th commit of message s is at s * STRIDE + n."""

COMMITS_LIMIT: Final = 256
"""Maximum number of commits in one message; below STRIDE."""

MESSAGE_BYTES_LIMIT: Final = 512 << 10
"""Size in bytes of the commits in one message; a larger commit has a message of its own."""


class Kind(IntEnum):
    """The kind of a message."""

    COMMITS = 1
    THIN = 2
    TRIM = 3
    DELETE = 4
    SHARES = 5
    """The shares of the job are revoked."""
    RUNS = 6
    """Runs of jobs that were deleted before an import."""


class UnknownRecord(Exception):
    """A message of a newer Milepost, or not of Milepost at all."""


class Part(NamedTuple):
    """A commit in a message: what folding its events does not give."""

    chunk: Chunk
    state_before: int
    state: int
    report_sequence: int
    time: int
    run: bytes = b""
    """See ``Commit``."""


class Remains(NamedTuple):
    """The state of a job that a node needs if it reads the stream too late for the dropped part.

    ``submitted`` is a JobSubmitted with the job's current state and the id of its request.
    """

    first_sequence: int
    """The first event that remains; 0 if the job is deleted."""
    thinned: int
    report_sequence: int
    time: int
    drops: Sequence[Drop]
    """All drops of the job, earlier ones included."""
    submitted: bytes
    share_generation: int = 0
    run: StoredRun | None = None
    """The run of the job, while it is among the latest of its kind."""


class KindRun(NamedTuple):
    """A run without its job."""

    owner: str
    kind: str
    stored: StoredRun


class Record(NamedTuple):
    """A decoded message. ``key`` is the position of the job's first commit; 0 in the message with that commit."""

    kind: Kind
    name: bytes
    key: int
    parts: Sequence[Part] = ()
    """Of COMMITS."""
    remains: Remains | None = None
    """Of TRIM and DELETE."""
    runs: Sequence[KindRun] = ()
    """Of RUNS."""

    @property
    def version(self) -> int:
        """The oldest version that can hold it."""
        if self.runs or any(part.run for part in self.parts):
            return 4
        if self.remains is None:
            return 1
        return 4 if self.remains.run else 3 if self.remains.share_generation else 2


_HEAD: Final = struct.Struct(">BB16sq")
_PART: Final = struct.Struct(">qqqqBBI")
_REMAINS: Final = struct.Struct(">qqqqI")
_DROP: Final = struct.Struct(">qqq")
_REMAINS_1: Final = struct.Struct(">qqqqq")
_SHARE_GENERATION: Final = struct.Struct(">q")
_PART_RUN: Final = struct.Struct(">I")
_REMAINS_RUN: Final = struct.Struct(">qqI")
_KIND_RUN: Final = struct.Struct(">HHqI")


def part_of(commit: Commit) -> Part:
    """Convert a commit for a message."""
    return Part(
        commit.chunk, commit.state_before, commit.state, commit.report_sequence, commit.time, commit.run
    )


def name_in(message: bytes) -> bytes:
    """Extract the name of any message."""
    return message[2 : _HEAD.size - 8]


def encode(record: Record) -> bytes:
    """Encode a message."""
    version = record.version
    pieces = [_HEAD.pack(version, record.kind, record.name, record.key)]
    if record.kind is Kind.COMMITS:
        for chunk, before, state, report_sequence, time, run in record.parts:
            size = len(chunk.frames)
            pieces.append(_PART.pack(chunk.first, chunk.last, report_sequence, time, before, state, size))
            if version == VERSION:
                pieces += _PART_RUN.pack(len(run)), run
            pieces.append(chunk.frames)
    elif record.remains is not None:
        *numbers, drops, submitted, share_generation, stored = record.remains
        if version == VERSION:
            position, run = stored or StoredRun(0, b"")
            pieces += _REMAINS_RUN.pack(share_generation, position, len(run)), run
        elif version > _WITHOUT_SHARES:
            pieces.append(_SHARE_GENERATION.pack(share_generation))
        pieces += (_REMAINS.pack(*numbers, len(drops)), *(_DROP.pack(*drop) for drop in drops), submitted)
    for owner, kind, (position, run) in record.runs:
        names = owner.encode(), kind.encode()
        pieces += _KIND_RUN.pack(*map(len, names), position, len(run)), *names, run
    return b"".join(pieces)


def decode(message: bytes) -> Record:
    """Decode a message. Raises UnknownRecord."""
    try:
        version, number, name, key = _HEAD.unpack_from(message)
        if not 1 <= version <= VERSION:
            raise UnknownRecord(f"is of version {version}; this Milepost knows versions up to {VERSION}")
        kind, body = Kind(number), _Body(message, _HEAD.size)
        if kind in (Kind.THIN, Kind.SHARES):
            return Record(kind, name, key)
        if kind is Kind.COMMITS:
            return Record(kind, name, key, list(_parts(body, version)))
        if kind is Kind.RUNS:
            return Record(kind, name, key, runs=list(_kind_runs(body)))
        return Record(kind, name, key, remains=_remains_1(body) if version == 1 else _remains(body, version))
    except (struct.error, ValueError) as error:
        raise UnknownRecord(f"is not a message of Milepost: {error}") from None


class _Body:
    """Reader of the rest of a message."""

    def __init__(self, message: bytes, at: int) -> None:
        self._message = message
        self._at = at

    def unpack(self, form: struct.Struct) -> tuple[Any, ...]:
        """The next numbers."""
        found = form.unpack_from(self._message, self._at)
        self._at += form.size
        return found

    def take(self, size: int) -> bytes:
        """The next bytes. Raises UnknownRecord if there are fewer."""
        found = self._message[self._at : self._at + size]
        if len(found) != size:
            raise UnknownRecord("is cut off")
        self._at += size
        return found

    def rest(self) -> bytes:
        """All remaining bytes."""
        return self.take(len(self._message) - self._at)

    def __bool__(self) -> bool:
        return self._at < len(self._message)


def _parts(body: _Body, version: int) -> Iterator[Part]:
    while body:
        first, last, report_sequence, time, before, state, size = body.unpack(_PART)
        run = body.take(*body.unpack(_PART_RUN)) if version == VERSION else b""
        yield Part(Chunk(first, last, body.take(size)), before, state, report_sequence, time, run)


def _kind_runs(body: _Body) -> Iterator[KindRun]:
    while body:
        owner, kind, position, size = body.unpack(_KIND_RUN)
        names = body.take(owner).decode(), body.take(kind).decode()
        yield KindRun(*names, StoredRun(position, body.take(size)))


def _remains(body: _Body, version: int) -> Remains:
    generation, run = 0, None
    if version == VERSION:
        generation, position, size = body.unpack(_REMAINS_RUN)
        run = StoredRun(position, body.take(size))
    elif version > _WITHOUT_SHARES:
        (generation,) = body.unpack(_SHARE_GENERATION)
    first, thinned, report_sequence, time, count = body.unpack(_REMAINS)
    drops = [Drop(*fields) for fields in _DROP.iter_unpack(body.take(count * _DROP.size))]
    return Remains(first, thinned, report_sequence, time, drops, body.rest(), generation, run)


def _remains_1(body: _Body) -> Remains:
    """Decode version 1, which has only the newest dropped position of all jobs, an upper bound for this job's."""
    first, dropped, thinned, report_sequence, time = body.unpack(_REMAINS_1)
    drops = [Drop(ANY_STATE, ANY_PAYLOAD, dropped)] if dropped else []
    return Remains(first, thinned, report_sequence, time, drops, body.rest())
