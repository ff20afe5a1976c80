"""Large messages are made JSON of, and read from JSON, in pieces that take about a millisecond each."""

from __future__ import annotations

import json
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict, ParseDict
from google.protobuf.struct_pb2 import Struct

from milepost.server.scheduling.steps import finish
from milepost.v1 import Job, Stage, SubmitJobRequest
from milepost.web.json_reading import VALUES, read_json
from milepost.web.proto_json import PIECE_SIZE, json_pieces, to_json
from milepost.web.service import ServiceError

LARGE: list[dict[str, Any]] = [
    {},
    {"a": None, "b": [], "c": {}, "d": [[]], "e": True, "f": 1.5, "g": "ä\n\u2028"},
    {"text": "x" * 5 * PIECE_SIZE},
    {"rows": [{"n": number, "t": "y" * 30} for number in range(5_000)]},
    {"deep": {"deeper": {f"key {number}": [number] * 20 for number in range(2_000)}}},
    {str(number): {"s": "z" * PIECE_SIZE} for number in range(20)},
]


def job_with(content: dict[str, Any]) -> Job:
    """A job with this input, many stages and labels."""
    values = Struct()
    values.update(content)
    job = Job(job_id="j", input=values, labels={"room": "blue"}, kind="x", fraction=0.5)
    job.stages.extend(Stage(stage_id=f"s{number}", title="t" * 20) for number in range(1_000))
    job.submit_time.GetCurrentTime()
    return job


@pytest.mark.parametrize("content", LARGE)
def test_pieces_are_the_whole(content: dict[str, Any]) -> None:
    """Together they say what the message says, and none is much longer than a piece, but for a single text."""
    job = job_with(content)
    pieces = list(json_pieces(job))

    assert json.loads("".join(pieces)) == MessageToDict(job)
    longest = max((len(text) for text in json_texts(content)), default=0)
    assert max(map(len, pieces)) < 6 * PIECE_SIZE + 2 * longest
    assert len(pieces) > 1


def json_texts(value: Any) -> list[str]:
    """All texts within a value of JSON."""
    match value:
        case dict():
            return [text for each in value.values() for text in json_texts(each)]
        case list():
            return [text for each in value for text in json_texts(each)]
        case str():
            return [value]
    return []


def count(value: Any) -> int:
    """The values within a value of JSON."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return sum(1 + count(each) for each in inner)


def test_a_small_message_is_one_piece() -> None:
    """It costs no more than the text."""
    job = Job(job_id="j")
    assert list(json_pieces(job)) == [to_json(job)]


@pytest.mark.parametrize("content", LARGE)
def test_reading_what_was_written(content: dict[str, Any]) -> None:
    """A request becomes what protobuf's own parser makes of it; the more values, the more slices."""
    values = {
        "kind": "x",
        "input": content,
        "labels": {"room": "blue"},
        "stages": [{"stageId": f"s{number}", "weight": 2} for number in range(1_000)],
        "timeout": "3.5s",
        "retryPolicy": {"maxAttempts": 3, "retryableCodes": ["A", "B"]},
        "dispatch": "DISPATCH_EXTERNAL",
        "parent_job_id": None,
    }
    request = SubmitJobRequest()
    slices = list(read_json(json.dumps(values).encode(), request, lambda size: None))

    assert request == ParseDict(values, SubmitJobRequest())
    assert len(slices) >= count(content) // 500


def test_values_without_end() -> None:
    """More than any request can have are refused before they are parsed."""
    for body in (b"[" * (VALUES + 1), b'{"input":{"a":[' + b"1," * (VALUES + 1) + b"1]}}"):
        with pytest.raises(ServiceError, match="TOO_LARGE"):
            finish(read_json(body, SubmitJobRequest(), lambda size: None))
