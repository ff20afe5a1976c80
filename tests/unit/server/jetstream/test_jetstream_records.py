"""The encoding of stream messages, which every later version must decode."""

from __future__ import annotations

import struct

import pytest

from milepost.server.log.event_log import ANY_STATE, Drop
from milepost.server.log.frames import Chunk
from milepost.server.log.jetstream.records import (
    Kind,
    KindRun,
    Part,
    Record,
    Remains,
    UnknownRecord,
    decode,
    encode,
)
from milepost.server.log.stored_runs import StoredRun
from milepost.server.messages.payloads import ANY_PAYLOAD

NAME = bytes(range(16))
DROPS = [Drop(6, 1 << 6, 2000), Drop(ANY_STATE, ANY_PAYLOAD, 5)]
RECORDS = {
    "commits": Record(Kind.COMMITS, NAME, 7, [Part(Chunk(1, 2, b"ab"), 0, 1, 3, 4)]),
    "thin": Record(Kind.THIN, NAME, 7),
    "trim": Record(Kind.TRIM, NAME, 7, remains=Remains(5, 0, 3, 4, DROPS, b"job")),
    "shares": Record(Kind.SHARES, NAME, 7),
    "trim of a shared job": Record(
        Kind.TRIM, NAME, 7, remains=Remains(5, 0, 3, 4, DROPS, b"job", share_generation=9)
    ),
    "commits with a run": Record(
        Kind.COMMITS,
        NAME,
        7,
        [Part(Chunk(1, 2, b"ab"), 0, 1, 3, 4), Part(Chunk(3, 3, b"c"), 1, 3, 3, 5, b"run")],
    ),
    "trim of a job with a run": Record(
        Kind.TRIM, NAME, 7, remains=Remains(5, 0, 3, 4, DROPS, b"job", 2, StoredRun(2000, b"run"))
    ),
    "runs": Record(Kind.RUNS, NAME, 0, runs=[KindRun("ann", "k", StoredRun(-1, b"run"))]),
    "delete": Record(Kind.DELETE, NAME, 7, remains=Remains(0, 0, 3, 4, [], b"")),
}


@pytest.mark.parametrize("name", RECORDS)
def test_records_survive_a_round_trip(name: str) -> None:
    """Each kind of message."""
    assert decode(encode(RECORDS[name])) == RECORDS[name]


@pytest.mark.parametrize("dropped", [0, 2000])
def test_drops_of_version_1_are_read(dropped: int) -> None:
    """It has the newest dropped position of all jobs: any event of its job up to there may be gone."""
    message = struct.pack(">BB16sqqqqqq", 1, Kind.TRIM, NAME, 7, 5, dropped, 6, 3, 4) + b"job"
    drops = [Drop(ANY_STATE, ANY_PAYLOAD, dropped)] if dropped else []
    assert decode(message) == Record(Kind.TRIM, NAME, 7, remains=Remains(5, 6, 3, 4, drops, b"job"))


def test_messages_without_drops_stay_as_they_were() -> None:
    """Nodes of an older version decode them; so they do where no shares were revoked."""
    assert [encode(RECORDS[name])[0] for name in RECORDS] == [1, 1, 2, 1, 3, 4, 4, 4, 2]


@pytest.mark.parametrize("end", [30, 60, 90])
def test_a_message_that_is_cut_off_is_refused(end: int) -> None:
    """A truncated message is not guessed."""
    with pytest.raises(UnknownRecord):
        decode(encode(RECORDS["trim"])[:end])
