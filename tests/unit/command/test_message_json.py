"""Messages and events as JSON, one object a line."""

from __future__ import annotations

import json

from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.struct_pb2 import NULL_VALUE, ListValue, Struct, Value

from milepost.client import to_json
from milepost.client._cli.rendering import message_json
from milepost.client._cli.rendering.job_view import JsonView
from milepost.client._watch.connection_state import Connection
from milepost.v1 import Custom, Event, Job, JobState, LogWritten
from tests.unit.command.story import START, Story, stamp


def test_an_event_by_the_mapping() -> None:
    """Names in lowerCamelCase, 64-bit numbers as text, times as RFC 3339; letters of all scripts as they are."""
    event = Event(
        job_id="j", sequence=7, time=stamp(0), attempt=1, log_written=LogWritten(text="naïve\n日本")
    )

    assert (
        message_json.message_line(event)
        == '{"jobId":"j","sequence":"7","time":"2026-01-02T12:00:00Z","attempt":1,"logWritten":{"text":"naïve\\n日本"}}'
    )


def test_a_job_by_the_mapping() -> None:
    """The same for any message."""
    assert (
        message_json.message_line(Job(job_id="j", state=JobState.JOB_STATE_LOST))
        == '{"jobId":"j","state":"JOB_STATE_LOST"}'
    )


def test_what_a_struct_holds() -> None:
    """All kinds of values; whole numbers are integers, and what is no JSON number is text."""
    inner = Struct(fields={"a": Value(bool_value=True)})
    numbers = [Value(number_value=number) for number in (1.0, -2.5, 2.0**60, float("nan"), float("inf"))]
    struct = Struct(
        fields={
            "none": Value(null_value=NULL_VALUE),
            "unset": Value(),
            "text": Value(string_value="x"),
            "inner": Value(struct_value=inner),
            "list": Value(list_value=ListValue(values=numbers)),
        }
    )

    assert to_json(struct) == {
        "none": None,
        "unset": None,
        "text": "x",
        "inner": {"a": True},
        "list": [1, -2.5, 2.0**60, "NaN", "Infinity"],
    }


def test_an_event_of_an_application() -> None:
    """Its JSON is unchanged, even with values that JSON does not allow."""
    data = Struct(fields={"n": Value(number_value=float("nan"))})

    assert json.loads(message_json.message_line(Event(custom=Custom(type="t", json=data)))) == {
        "custom": {"type": "t", "json": {"n": "NaN"}}
    }


def test_a_message_of_an_application() -> None:
    """With the JSON mapping if its type is known, otherwise as bytes, so that the event is not lost."""
    known = AnyMessage()
    known.Pack(Job(job_id="inner"))
    unknown = AnyMessage(type_url="example.com/Topic", value=b"\x08\x01")
    broken = AnyMessage(type_url="type.googleapis.com/milepost.v1.Job", value=b"\xff")

    assert [
        json.loads(message_json.message_line(Event(custom=Custom(type="t", proto=message))))["custom"][
            "proto"
        ]
        for message in (known, unknown, broken)
    ] == [
        {"@type": "type.googleapis.com/milepost.v1.Job", "jobId": "inner"},
        {"@type": "example.com/Topic", "value": "CAE="},
        {"@type": "type.googleapis.com/milepost.v1.Job", "value": "/w=="},
    ]


def test_the_view_for_programs() -> None:
    """Events go to one stream, connection changes to the other."""
    written: list[str] = []
    remarks: list[str] = []
    view = JsonView(written.append, remarks.append)
    story = Story()
    view.event(story.log(1, "x"), story.watched)
    for connection in (
        Connection("connecting"),
        Connection("live"),
        Connection("reconnecting", 0.12345, error="Gone."),
        Connection("reconnecting", 0.3, error="Still gone."),
        Connection("live", resumed_at=1),
    ):
        story.source.connection = connection
        story.watched.connection_changed(START)
        view.connection_changed(story.watched)

    assert [json.loads(line)["sequence"] for line in written] == ["1"]
    assert [json.loads(line) for line in remarks] == [
        {"connection": {"state": "reconnecting", "retryIn": 0.123, "error": "Gone."}},
        {"connection": {"state": "live", "resumedAt": 1}},
    ]
