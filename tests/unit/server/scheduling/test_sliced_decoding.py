"""Large requests are decoded in slices, to what protobuf decodes them to in one go."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf.message import DecodeError, Message
from google.protobuf.struct_pb2 import Struct
from hypothesis import given, settings
from hypothesis import strategies as st

from milepost.contract import limits
from milepost.server.scheduling.sliced_decoding import SLICED_FROM, decode_in_slices, merge_stored
from milepost.server.scheduling.steps import finish
from milepost.v1 import (
    Custom,
    LogWritten,
    Report,
    ReportJobRequest,
    Stage,
    StageProgressed,
    StagesPlanned,
    SubmitJobRequest,
    Update,
    WorkRequest,
)

LARGE = 20_000
"""Bytes, or numbers, that do not fit into one chunk."""


def struct(value: dict[str, Any]) -> Struct:
    """A JSON object."""
    made = Struct()
    made.update(value)
    return made


REQUESTS: dict[str, Message] = {
    "an object of small values": SubmitJobRequest(kind="k", input=struct({"a": [None] * LARGE})),
    "an object of large texts": SubmitJobRequest(input=struct({"a": "x" * LARGE, "é": ["y" * LARGE] * 3})),
    "objects in objects": SubmitJobRequest(
        input=struct({"a": {"b": {"c": [1.5, True, "x"] * LARGE}}, "d": [{"e": [0.0] * LARGE}, {}], "f": {}}),
        labels={"a": "b", "c": ""},
        priority=-3,
    ),
    "stages": SubmitJobRequest(
        stages=[Stage(stage_id=f"{n}", title="t" * 100, weight=0.0, total=n) for n in range(1000)], kind="k"
    ),
    "updates of all sizes": WorkRequest(
        report=Report(
            job_id="j",
            lease_token="t",
            first_report_sequence=7,
            updates=[
                *[Update(stage_progressed=StageProgressed(stage_id="a", current=n)) for n in range(500)],
                Update(log_written=LogWritten(text="x" * 3 * LARGE)),
                Update(custom=Custom(type="t", json=struct({"a": [1.0] * LARGE}))),
                Update(),
                Update(stages_planned=StagesPlanned(stages=[Stage(stage_id="s" * 100)] * 1000)),
            ],
        )
    ),
    "nothing": SubmitJobRequest(),
}


def decoded(message: type[Message], data: bytes) -> Any:
    """The message, decoded in slices."""
    return finish(decode_in_slices(message, data))


@pytest.mark.parametrize("name", REQUESTS)
def test_the_message_is_the_same(name: str) -> None:
    """Whatever is large in it, and at whatever depth."""
    request = REQUESTS[name]

    assert decoded(type(request), request.SerializeToString()) == request


@pytest.mark.parametrize("name", ["an object of small values", "updates of all sizes"])
def test_it_takes_slices(name: str) -> None:
    """Others may go first after each chunk of 16 KiB, or one text that is larger."""
    request = REQUESTS[name]
    data = request.SerializeToString()

    assert len(list(decode_in_slices(type(request), data))) >= len(data) // (64 * limits.KIB)


_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=5) | st.just("x" * LARGE),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=12,
)


@settings(deadline=None)
@given(
    st.lists(st.dictionaries(st.text(max_size=3), _values, max_size=4), min_size=1, max_size=3),
    st.lists(st.sampled_from(["kind", "owner", "a" * LARGE]), max_size=3),
    st.booleans(),
)
def test_parts_of_a_message_merge(objects: list[dict[str, Any]], kinds: list[str], unknown: bool) -> None:
    """Fields that come again replace, merge or append as in protobuf; unknown ones are dropped."""
    parts = [
        SubmitJobRequest(input=struct(value), labels={"l": "m"}).SerializeToString() for value in objects
    ]
    parts += [SubmitJobRequest(kind=kind).SerializeToString() for kind in kinds]
    if unknown:
        parts.insert(1, _field(1000, b"x" * LARGE))
    data = b"".join(parts)
    expected = SubmitJobRequest.FromString(data)
    expected.DiscardUnknownFields()

    assert decoded(SubmitJobRequest, data) == expected
    assert decoded(SubmitJobRequest, data).SerializeToString(
        deterministic=True
    ) == expected.SerializeToString(deterministic=True)


def test_unknown_fields_are_dropped_at_any_depth() -> None:
    """Also within a message that was cut."""
    inner = Stage(stage_id="s").SerializeToString() + _field(999, b"x" * LARGE)
    data = _field(SubmitJobRequest.STAGES_FIELD_NUMBER, inner) + _field(998, b"y")

    assert decoded(SubmitJobRequest, data) == SubmitJobRequest(stages=[Stage(stage_id="s")])


@pytest.mark.parametrize(
    ("request_type", "of", "entry", "limit"),
    [
        (SubmitJobRequest, lambda r: r.stages, Stage(), limits.STAGES),
        (ReportJobRequest, lambda r: r.updates, Update(), limits.UPDATES),
    ],
)
def test_lists_beyond_their_bound_are_cut(request_type: Any, of: Any, entry: Message, limit: int) -> None:
    """One entry more than the bound stays, by which the request is refused; a million would take much memory."""
    request = request_type()
    of(request).extend([entry] * (limit + 1000))

    assert len(of(decoded(request_type, request.SerializeToString()))) == limit + 1


@pytest.mark.parametrize("padding", [0, 3 * LARGE])
def test_a_malformed_update_becomes_an_empty_one(padding: int) -> None:
    """It is refused by itself, whatever is around it, and however large it is."""
    bad = _field(
        Update.LOG_WRITTEN_FIELD_NUMBER, _field(LogWritten.TEXT_FIELD_NUMBER, b"\xff" + b"x" * padding)
    )
    good = Update(log_written=LogWritten(text="y" * LARGE))
    report = b"".join(_field(Report.UPDATES_FIELD_NUMBER, u) for u in (good.SerializeToString(), bad, b""))
    data = _field(WorkRequest.REPORT_FIELD_NUMBER, report)

    assert decoded(WorkRequest, data) == WorkRequest(report=Report(updates=[good, Update(), Update()]))


@pytest.mark.parametrize(
    "data",
    [
        b"\xff" * 11,
        b"\x0a\x05ab",
        b"\x0b\x0c",
        b"\x09\x00",
    ],
    ids=["a tag too long", "a text cut off", "a group", "a number cut off"],
)
@pytest.mark.parametrize("padding", [b"", REQUESTS["an object of large texts"].SerializeToString()])
def test_what_is_malformed_is_refused(data: bytes, padding: bytes) -> None:
    """As protobuf does; groups are in no message of the contract."""
    with pytest.raises(DecodeError):
        decoded(SubmitJobRequest, padding + data)


def test_what_is_too_deep_is_refused() -> None:
    """Before it takes the stack: protobuf decodes a hundred messages within each other."""
    data = b"x" * LARGE
    for _ in range(60):
        data = _field(6, _field(1, data))  # a list in a value in a list

    with pytest.raises(DecodeError):
        decoded(SubmitJobRequest, _submission_with(data))


def _submission_with(value: bytes) -> bytes:
    entry = _field(1, b"key") + _field(2, value)
    return _field(SubmitJobRequest.INPUT_FIELD_NUMBER, _field(Struct.FIELDS_FIELD_NUMBER, entry))


def _field(number: int, content: bytes) -> bytes:
    """A field with a length."""
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    digits: list[int] = []
    while value > 0x7F:
        digits.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*digits, value])


@pytest.mark.parametrize("size", [3, LARGE])
def test_what_is_stored_is_merged(size: int) -> None:
    """Small messages in one go, large ones chunk by chunk."""
    stored = struct({f"{number:x}": [None, number] for number in range(size)})
    assert (stored.ByteSize() >= SLICED_FROM) == (size == LARGE)
    merged = Struct()
    merge_stored(merged, stored.SerializeToString())

    assert merged == stored
