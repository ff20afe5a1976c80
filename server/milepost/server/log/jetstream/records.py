"""The encoding of the stream's messages: commits of one job, or a drop.

A message begins with its format version, its kind, a unique name by which its publisher recognises it, and the job's
key. Numbers are big-endian. A format that a stream may hold never changes: a change gets a new version.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from enum import IntEnum
from typing import Final, NamedTuple

from milepost.server.base.payloads import ANY_PAYLOAD
from milepost.server.log.event_log import ANY_STATE, Commit, Drop
from milepost.server.log.frames import Chunk

VERSION: Final = 3
"""The version of TRIM and DELETE of a job whose shares were revoked; without that it is 2, since they hold the job's
drops. The others have version 1."""

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


class UnknownRecord(Exception):
    """A message of a newer Milepost, or not of Milepost at all."""


class Part(NamedTuple):
    """A commit in a message: what folding its events does not give."""

    chunk: Chunk
    state_before: int
    state: int
    report_sequence: int
    time: int


class Remains(NamedTuple):
    """What a node needs of a job if it comes too late to read the dropped part.

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


class Record(NamedTuple):
    """A decoded message. ``key`` is the position of the job's first commit; 0 in the message with that commit."""

    kind: Kind
    name: bytes
    key: int
    parts: Sequence[Part] = ()
    """Of COMMITS."""
    remains: Remains | None = None
    """Of TRIM and DELETE."""


_HEAD: Final = struct.Struct(">BB16sq")
_PART: Final = struct.Struct(">qqqqBBI")
_REMAINS: Final = struct.Struct(">qqqqI")
_DROP: Final = struct.Struct(">qqq")
_REMAINS_1: Final = struct.Struct(">qqqqq")
_SHARE_GENERATION: Final = struct.Struct(">q")


def part_of(commit: Commit) -> Part:
    """Convert a commit for a message."""
    return Part(commit.chunk, commit.state_before, commit.state, commit.report_sequence, commit.time)


def name_in(message: bytes) -> bytes:
    """Extract the name of any message."""
    return message[2 : _HEAD.size - 8]


def encode(record: Record) -> bytes:
    """Encode a message."""
    version = 1 if record.remains is None else VERSION if record.remains.share_generation else 2
    pieces = [_HEAD.pack(version, record.kind, record.name, record.key)]
    if record.kind is Kind.COMMITS:
        for chunk, before, state, report_sequence, time in record.parts:
            size = len(chunk.frames)
            pieces.append(_PART.pack(chunk.first, chunk.last, report_sequence, time, before, state, size))
            pieces.append(chunk.frames)
    elif record.remains is not None:
        *numbers, drops, submitted, share_generation = record.remains
        if version == VERSION:
            pieces.append(_SHARE_GENERATION.pack(share_generation))
        pieces += (_REMAINS.pack(*numbers, len(drops)), *(_DROP.pack(*drop) for drop in drops), submitted)
    return b"".join(pieces)


def decode(message: bytes) -> Record:
    """Decode a message. Raises UnknownRecord."""
    try:
        version, number, name, key = _HEAD.unpack_from(message)
        if not 1 <= version <= VERSION:
            raise UnknownRecord(f"is of version {version}; this Milepost knows versions up to {VERSION}")
        kind, at = Kind(number), _HEAD.size
        if kind in (Kind.THIN, Kind.SHARES):
            return Record(kind, name, key)
        if kind is not Kind.COMMITS:
            generation = 0
            if version == VERSION:
                (generation,) = _SHARE_GENERATION.unpack_from(message, at)
                at += _SHARE_GENERATION.size
            remains = _remains_1(message, at) if version == 1 else _remains(message, at, generation)
            return Record(kind, name, key, remains=remains)
        parts = []
        while at < len(message):
            first, last, report_sequence, time, before, state, size = _PART.unpack_from(message, at)
            at += _PART.size
            frames = message[at : at + size]
            if len(frames) != size:
                raise UnknownRecord("is cut off")
            parts.append(Part(Chunk(first, last, frames), before, state, report_sequence, time))
            at += size
    except (struct.error, ValueError) as error:
        raise UnknownRecord(f"is not a message of Milepost: {error}") from None
    return Record(kind, name, key, parts)


def _remains(message: bytes, at: int, share_generation: int) -> Remains:
    first, thinned, report_sequence, time, count = _REMAINS.unpack_from(message, at)
    at += _REMAINS.size
    end = at + count * _DROP.size
    drops = [Drop(*fields) for fields in _DROP.iter_unpack(message[at:end])]
    if len(drops) != count:
        raise UnknownRecord("is cut off")
    return Remains(first, thinned, report_sequence, time, drops, message[end:], share_generation)


def _remains_1(message: bytes, at: int) -> Remains:
    """Decode version 1, which has only the newest dropped position of all jobs, an upper bound for this job's."""
    first, dropped, thinned, report_sequence, time = _REMAINS_1.unpack_from(message, at)
    drops = [Drop(ANY_STATE, ANY_PAYLOAD, dropped)] if dropped else []
    return Remains(first, thinned, report_sequence, time, drops, message[at + _REMAINS_1.size :])
