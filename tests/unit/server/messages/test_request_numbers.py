"""Numbers that JSON does not have are refused in every request, by the name of their field."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from milepost.server import decide
from milepost.server.base.refusal import Refusal
from milepost.server.scheduling.steps import finish
from milepost.server.service import validation
from milepost.v1 import (
    Custom,
    ErrorReason,
    JobEnded,
    JobState,
    LogWritten,
    SubmitJobRequest,
    Update,
    admin_service_pb2,
    job_service_pb2,
    worker_service_pb2,
)
from tests.unit.server.states import NOW, run

_NUMBERS = (FieldDescriptor.CPPTYPE_DOUBLE, FieldDescriptor.CPPTYPE_FLOAT)


def paths(message: Descriptor, above: str = "") -> Iterator[str]:
    """The fields with a floating-point number in a message, apart from JSON objects."""
    for field in message.fields:
        path = f"{above}{field.name}"
        if field.cpp_type in _NUMBERS:
            yield path
        elif field.message_type is not None and field.message_type.file.package != "google.protobuf":
            yield from paths(field.message_type, f"{path}[0]." if field.is_repeated else f"{path}.")


def with_number(message: Message, path: str, number: float) -> Any:
    """The message with the number in this field."""
    *above, name = path.split(".")
    inner: Any = message
    for part in above:
        field, is_repeated, _ = part.partition("[0]")
        inner = getattr(inner, field).add() if is_repeated else getattr(inner, field)
    setattr(inner, name, number)
    return message


def validated(request: SubmitJobRequest | Update) -> None:
    """Have a submission, or an update of a running job, validated."""
    if isinstance(request, SubmitJobRequest):
        finish(validation.submit(request))
    else:
        decide.report(run(), request, NOW)


def refused_fields(request: SubmitJobRequest | Update) -> list[str]:
    """The fields for which it is refused."""
    with pytest.raises(Refusal) as refused:
        validated(request)
    assert refused.value.reason == ErrorReason.ERROR_REASON_INVALID_FIELD
    return [violation.field for violation in refused.value.violations]


def test_the_requests_that_have_numbers() -> None:
    """Those of all others are integers, or in JSON objects."""
    found = {
        method.input_type.name: {
            path.partition("updates[0].")[2] or path for path in paths(method.input_type)
        }
        for file in (admin_service_pb2, job_service_pb2, worker_service_pb2)
        for service in file.DESCRIPTOR.services_by_name.values()
        for method in service.methods
    }

    of_updates = set(paths(Update.DESCRIPTOR))
    assert {name: fields for name, fields in found.items() if fields} == {
        "SubmitJobRequest": set(paths(SubmitJobRequest.DESCRIPTOR)),
        "ReportJobRequest": of_updates,
        "WorkRequest": of_updates,
    }


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize(
    ("request_type", "path"),
    [(kind, path) for kind in (SubmitJobRequest, Update) for path in paths(kind.DESCRIPTOR)],
)
def test_a_number_that_is_none_is_refused(
    request_type: type[SubmitJobRequest | Update], path: str, number: float
) -> None:
    """It would be in each sum and each estimate that is made of it."""
    assert path in refused_fields(with_number(request_type(), path, number))


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize(
    ("request_", "path"),
    [
        (SubmitJobRequest(kind="k"), "input"),
        (Update(custom=Custom(type="t")), "custom.json"),
        (Update(log_written=LogWritten(text="text")), "log_written.fields"),
        (Update(job_ended=JobEnded(state=JobState.JOB_STATE_SUCCEEDED)), "job_ended.result"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_number_that_json_does_not_have_is_refused(
    request_: SubmitJobRequest | Update, path: str, number: float
) -> None:
    """However deep in an object it is."""
    holder: Any = request_
    for name in path.split("."):
        holder = getattr(holder, name)
    holder.Clear()
    holder["outer"] = {"inner": [1.0, number]}

    assert refused_fields(request_) == [path]
