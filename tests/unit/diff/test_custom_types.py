"""Custom events that are messages: by field where their type is known, else by the numbers of their fields."""

from __future__ import annotations

import uuid

import pytest
from google.protobuf.any_pb2 import Any
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto, FileDescriptorSet
from google.protobuf.wrappers_pb2 import Int32Value

from milepost.client._diff.custom_types import add_descriptors
from milepost.client._diff.run import Run
from milepost.v1 import Custom, Event
from tests.unit.diff.runs import differing, run

# title = "sea", n = 7; then the same the other way round, and with another number.
SEA = b"\x0a\x03sea" + b"\x10\x07"
SEA_REVERSED = b"\x10\x07" + b"\x0a\x03sea"
SEA_EIGHT = b"\x0a\x03sea" + b"\x10\x08"


def having(value: bytes, name: str = "not.known.Topic") -> Run:
    """A run with one event."""
    message = Any(type_url=f"type.googleapis.com/{name}", value=value)
    return Run(run().job, [Event(attempt=1, custom=Custom(type="N", proto=message))])


def described(package: str) -> FileDescriptorSet:
    """The type ``Topic``, which imports another file."""
    file = FileDescriptorProto(
        name=f"{package}/topic.proto",
        package=package,
        syntax="proto3",
        dependency=["google/protobuf/timestamp.proto"],
    )
    topic = file.message_type.add(name="Topic")
    for number, (name, of) in enumerate(
        [("title", FieldDescriptorProto.TYPE_STRING), ("n", FieldDescriptorProto.TYPE_INT32)], start=1
    ):
        topic.field.add(name=name, number=number, type=of, label=FieldDescriptorProto.LABEL_OPTIONAL)
    imported = FileDescriptorProto(name="google/protobuf/timestamp.proto", package="another.one")
    return FileDescriptorSet(file=[imported, file])


def test_a_known_type() -> None:
    """Is compared by field."""
    one, two = (having(Int32Value(value=n).SerializeToString(), "google.protobuf.Int32Value") for n in (1, 2))
    assert differing(one, two) == ["events.N[0].value changed"]
    assert differing(one, one) == []


def test_an_unknown_type() -> None:
    """Is compared by the numbers of its fields, whose order is that of its author; what is no message, as it is."""
    assert differing(having(SEA), having(SEA_REVERSED)) == []
    assert differing(having(SEA), having(SEA_EIGHT)) == ["events.N[0].2[0] changed"]
    assert differing(having(SEA), having(SEA_EIGHT), "events.N.2") == []
    assert differing(having(SEA), having(SEA, "not.known.Other")) == ["events.N[0].@type changed"]
    assert differing(having(b"\xff"), having(b"\xfe")) == ["events.N[0].value changed"]
    assert differing(having(b"\x0a\x01\xff"), having(b"\x0a\x01\xff")) == []


def test_a_group_of_an_unknown_type() -> None:
    """Is compared by the numbers of its fields, too."""
    one, two = having(b"\x1b\x08\x01\x1c"), having(b"\x1b\x08\x02\x1c")
    assert differing(one, one) == []
    assert differing(one, two) == ["events.N[0].3[0].1[0] changed"]


def test_descriptors() -> None:
    """Make a type known; those of files that are known already stay, and adding them again changes nothing."""
    package = f"test_{uuid.uuid4().hex}"
    for _ in range(2):
        add_descriptors(described(package).SerializeToString())

    name = f"{package}.Topic"
    assert differing(having(SEA, name), having(SEA_REVERSED, name)) == []
    assert differing(having(SEA, name), having(SEA_EIGHT, name)) == ["events.N[0].n changed"]


@pytest.mark.parametrize(
    "encoded",
    [
        b"\xff",
        FileDescriptorSet(
            file=[FileDescriptorProto(name="lonely.proto", dependency=["not/there.proto"])]
        ).SerializeToString(),
    ],
)
def test_what_describes_nothing(encoded: bytes) -> None:
    """Is refused with a reason."""
    with pytest.raises(ValueError, match="It is no FileDescriptorSet"):
        add_descriptors(encoded)
