"""Bodies of JSON: what they cost is counted before they are parsed, and they become messages in slices."""

from __future__ import annotations

import json
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from milepost.server.scheduling.steps import finish
from milepost.v1 import JobState, ListJobsRequest, SubmitJobRequest, WatchJobRequest
from milepost.web.json_reading import COUNTED_PER_STEP, PAIR_COST, PAIRS, VALUE_COST, VALUES, read_json
from milepost.web.service import ServiceError


def read(body: Any, request: Any) -> tuple[int, int]:
    """Read a body; return in how many slices, and what it counted for."""
    arrived: list[int] = []
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    slices = sum(1 for _ in read_json(text, request, arrived.append))
    return slices, sum(arrived)


@pytest.mark.parametrize(
    "text", ["1,2;3:4,{}[]\n" * 80_000, '","' * 200_000, "\\\\" * 250_000, "ß:,\U0001f600" * 100_000]
)
def test_a_text_may_have_what_separates_values(text: str) -> None:
    """A table as text has more commas than any request has values, and is one value."""
    request = SubmitJobRequest()
    _, cost = read({"kind": "k", "input": {"table": text}}, request)

    assert request.input["table"] == text
    assert cost <= 10 * (VALUE_COST + PAIR_COST) + 2 * len(text) * VALUE_COST


def test_a_large_body_is_counted_in_slices() -> None:
    """Of one value, too: to look through the largest body takes some milliseconds."""
    plain, _ = read({"kind": "k", "input": {"text": "x"}}, SubmitJobRequest())
    counted, _ = read({"kind": "k", "input": {"text": "x" * 7 * COUNTED_PER_STEP}}, SubmitJobRequest())

    assert counted - plain >= 7


@pytest.mark.parametrize("structure", [b" " * 7 * COUNTED_PER_STEP, b'""' * 500 * 7])
def test_what_is_between_texts_is_counted_in_slices(structure: bytes) -> None:
    """Where the body has more separators than a request has values: here, in a text."""
    steps = read_json(b'"' + b"," * (VALUES + 1) + b'"' + structure, SubmitJobRequest(), lambda size: None)
    first_look = (VALUES + len(structure)) // COUNTED_PER_STEP
    for _ in range(first_look + 7):
        next(steps)
    with pytest.raises(ServiceError, match="is not"):
        finish(steps)


@pytest.mark.parametrize(
    "body",
    [
        {"kind": "k", "labels": {str(number): "" for number in range(PAIRS)}},
        {"kind": "k", "input": {"values": [0] * VALUES}},
        b'{"kind":"k","input":{"a":' + b"[" * (VALUES + 1),
        b'{"kind":"k","input":{' + b'"":"",' * PAIRS + b'"":""}}',
    ],
)
def test_more_values_than_a_request_can_have(body: Any) -> None:
    """Are refused before they are parsed: each would take many times its bytes."""
    with pytest.raises(ServiceError) as raised:
        read(body, SubmitJobRequest())

    assert raised.value.reason == "TOO_LARGE"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b'{"kind":"a","kind":"a"}', "kind"),
        (b'{"job_id":"a","jobId":"b"}', "jobId"),
        (b'{"retryPolicy":{"maxAttempts":2,"max_attempts":3}}', "retryPolicy.max_attempts"),
        (b'{"labels":{"room":"blue","room":"red"}}', "labels.room"),
        (
            b'{"labels":{"room":"blue",' + b'"%d":"x",' * 600 % tuple(range(600)) + b'"room":"red"}}',
            "labels.room",
        ),
        (b'{"input":{"a":{"b":1,"c":2,"b":3}}}', "input: 'b'"),
        (b'{"kind":"a","extra":1,"extra":2}', "extra"),
    ],
)
def test_what_is_given_twice_is_refused(body: bytes, field: str) -> None:
    """Readers differ in which of both they take, so that a proxy may have checked the other one."""
    with pytest.raises(ServiceError) as raised:
        list(read_json(body, SubmitJobRequest(), lambda size: None, ignore_unknown_fields=True))

    assert (raised.value.reason, raised.value.info.metadata["field"]) == ("INVALID_FIELD", field)


@pytest.mark.parametrize(
    ("body", "request_type", "field"),
    [
        (b'{"\\ud800":1}', SubmitJobRequest, "\\ud800"),
        (b'{"dispatch":true}', SubmitJobRequest, "dispatch"),
        (b'{"dispatch":1.5}', SubmitJobRequest, "dispatch"),
        (b'{"filter":{"states":[1,1.5]}}', ListJobsRequest, "filter.states"),
        (b'{"afterSequence":"7","fromLatest":true}', WatchJobRequest, "fromLatest"),
    ],
)
def test_what_is_no_value_of_a_field_is_named(body: bytes, request_type: type[Message], field: str) -> None:
    """Half of a character, numbers between those of an enum, and a second value where only one may be set."""
    with pytest.raises(ServiceError) as raised:
        read(body, request_type())

    assert (raised.value.reason, raised.value.info.metadata["field"]) == ("INVALID_FIELD", field)


def test_null_is_no_value() -> None:
    """Beside another field of which only one may be set, too; and an enum may be its number."""
    watched, listed = WatchJobRequest(), ListJobsRequest()
    read({"afterSequence": "7", "fromLatest": None, "fromSnapshot": None}, watched)
    read({"filter": {"states": [1, 2.0, "JOB_STATE_FAILED"]}}, listed)

    assert (watched.WhichOneof("start"), watched.after_sequence) == ("after_sequence", 7)
    assert list(listed.filter.states) == [1, 2, JobState.JOB_STATE_FAILED]


def test_a_name_may_occur_in_each_object() -> None:
    """Once in each."""
    request = SubmitJobRequest()
    read({"kind": "k", "input": {"kind": "k", "list": [{"kind": 1}, {"kind": 2}]}}, request)

    assert MessageToDict(request.input) == {"kind": "k", "list": [{"kind": 1}, {"kind": 2}]}


def test_what_values_take_is_counted() -> None:
    """Before they are parsed, as if it had arrived: what is beyond the caller's room is refused there."""
    body = {"kind": "k", "input": {str(number): number for number in range(1000)}}
    _, cost = read(body, SubmitJobRequest())

    assert cost == 1002 * (PAIR_COST + VALUE_COST)

    def no_room(size: int) -> None:
        raise MemoryError(size)

    request = SubmitJobRequest()
    with pytest.raises(MemoryError):
        list(read_json(json.dumps(body).encode(), request, no_room))
    assert request == SubmitJobRequest()


def test_long_lists_and_maps_are_read_in_slices() -> None:
    """Those of texts, too, which the parser of protobuf would read in one go."""
    labels = {str(number): "x" for number in range(20_000)}
    kinds = [str(number) for number in range(20_000)]
    submitted, listed = SubmitJobRequest(), ListJobsRequest()
    slices = [read({"labels": labels}, submitted)[0], read({"filter": {"kinds": kinds}}, listed)[0]]

    assert (dict(submitted.labels), list(listed.filter.kinds)) == (labels, kinds)
    assert [count >= 40 for count in slices] == [True, True]


def test_a_list_of_the_wrong_kind_is_named() -> None:
    """An object for a list, and a text for a map."""
    for body, field in (
        ({"filter": {"kinds": {"a": 1}}}, "filter.kinds"),
        ({"filter": {"labels": "x"}}, "filter.labels"),
    ):
        with pytest.raises(ServiceError) as raised:
            read(body, ListJobsRequest())
        assert field in raised.value.status.message
