"""Messages as JSON."""

from __future__ import annotations

import base64
import json
import math
from typing import cast

import pytest
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.protobuf.json_format import MessageToDict, ParseDict
from google.protobuf.message import Message
from google.protobuf.struct_pb2 import Struct, Value
from google.protobuf.timestamp_pb2 import Timestamp

from milepost.client import to_json
from milepost.v1 import Custom, Event, Job, JobState, Stage, StageProgressed
from tests.contract.samples import samples

SAMPLES = samples()


@pytest.mark.parametrize("name", SAMPLES)
def test_it_is_the_mapping_of_protobuf(name: str) -> None:
    """For each message of the contract, full and empty, with and without default values."""
    full = SAMPLES[name]
    for message in (full, type(full)()):
        assert to_json(message) == MessageToDict(message)
        assert to_json(message, always_print=True) == MessageToDict(
            message, always_print_fields_with_no_presence=True
        )
        assert message == ParseDict(json.loads(json.dumps(to_json(message))), type(full)())


def test_whole_numbers_of_a_struct_are_ints() -> None:
    """Also deep within other messages, and in an `Any`."""
    job = Job()
    job.result.update({"exit_status": 0, "deep": [{"n": 3.0}], "half": 0.5, "huge": 1e300})
    within = AnyMessage()
    within.Pack(Event(custom=Custom(type="t", json=job.result)))
    expected = '{"deep": [{"n": 3}], "exit_status": 0, "half": 0.5, "huge": 1e+300}'

    assert json.dumps(to_json(job)["result"]) == expected
    assert json.dumps(to_json(job.result)) == expected
    assert json.dumps(to_json(within)["custom"]["json"]) == expected


def test_a_type_that_is_not_known_here_is_no_failure() -> None:
    """Its bytes are in base64; so are those of an undecodable message."""
    known, time = AnyMessage(), AnyMessage()
    known.Pack(Stage(stage_id="s"))
    time.Pack(Duration(seconds=3))
    found = [
        to_json(Event(custom=Custom(type="t", proto=message)))["custom"]["proto"]
        for message in (
            known,
            time,
            AnyMessage(type_url="example.com/Topic", value=b"\x08\x01"),
            AnyMessage(type_url="type.googleapis.com/milepost.v1.Job", value=b"\xff"),
            AnyMessage(),
        )
    ]

    assert found == [
        {"@type": "type.googleapis.com/milepost.v1.Stage", "stageId": "s"},
        {"@type": "type.googleapis.com/google.protobuf.Duration", "value": "3s"},
        {"@type": "example.com/Topic", "value": "CAE="},
        {"@type": "type.googleapis.com/milepost.v1.Job", "value": "/w=="},
        {},
    ]


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (StageProgressed(current=math.nan, fraction=-math.inf), {"current": "NaN", "fraction": "-Infinity"}),
        (Struct(fields={"x": Value(number_value=math.inf)}), {"x": "Infinity"}),
        (Job(state=cast("JobState.ValueType", 99)), {"state": 99}),
        (
            Job(state=JobState.JOB_STATE_LOST, last_sequence=5),
            {"state": "JOB_STATE_LOST", "lastSequence": "5"},
        ),
    ],
)
def test_values_without_json_form_use_protobufs_mapping(
    message: Message, expected: dict[str, object]
) -> None:
    """Text for NaN and infinities, a number for an unknown enum value."""
    assert to_json(message) == expected


def test_zero_values_are_printed_on_request() -> None:
    """Fields with presence, such as messages, stay absent if unset."""
    printed = to_json(Job(job_id="j", stages=[Stage(stage_id="s")]), always_print=True)

    assert (printed["fraction"], printed["attempt"], printed["lastSequence"]) == (0, 0, "0")
    assert (printed["state"], printed["labels"], printed["owner"]) == ("JOB_STATE_UNSPECIFIED", {}, "")
    assert printed["stages"][0]["current"] == 0
    assert not {"failure", "result"} & set(printed)
    assert "total" not in printed["stages"][0]


def test_nested_anys_are_decoded_to_a_bounded_depth() -> None:
    """Each level of an `Any` within an `Any` is decoded anew: beyond four they stay bytes, however deep they go."""
    deepest = AnyMessage()
    deepest.Pack(Stage(stage_id="s"))
    message = deepest
    for _ in range(3000):
        outer = AnyMessage()
        outer.Pack(message)
        message = outer

    found = to_json(Event(custom=Custom(type="t", proto=message)))["custom"]["proto"]
    levels = 0
    while isinstance(found["value"], dict):
        found = found["value"]
        levels += 1
    assert (levels, type(found["value"])) == (4, str)


def test_an_invalid_timestamp_does_not_fail() -> None:
    """Within an `Any`, whose content the server does not check."""
    time = AnyMessage()
    time.Pack(Timestamp(seconds=10**15))

    assert to_json(time) == {"@type": time.type_url, "value": base64.b64encode(time.value).decode()}
    assert to_json(Event(time=Timestamp(seconds=-62_135_596_800, nanos=5)))["time"] == (
        "0001-01-01T00:00:00.000000005Z"
    )
