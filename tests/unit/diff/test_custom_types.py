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


def test_a_message_in_an_unknown_type() -> None:
    """Is compared by the numbers of its fields, too, in whatever order its author has encoded them."""
    one, reversed_, eight = (having(nested(3, value)) for value in (SEA, SEA_REVERSED, SEA_EIGHT))
    assert differing(one, reversed_) == []
    assert differing(one, eight) == ["events.N[0].3[0].2[0] changed"]
    twice, twice_reversed = (having(nested(3, nested(2, value))) for value in (SEA, SEA_REVERSED))
    assert differing(twice, twice_reversed) == []


def test_a_map_in_an_unknown_type() -> None:
    """Has no order: its entries, which have distinct keys, come as its author's hash table has them."""
    sea, lake = nested(3, SEA), nested(3, b"\x0a\x04lake\x10\x08")
    assert differing(having(sea + lake), having(lake + sea)) == []
    assert differing(having(sea + lake), having(lake)) == ["events.N[0].3[1] missing"]
    again = nested(3, SEA_EIGHT)
    assert differing(having(sea + again), having(again + sea)) != []  # a list, in which a key comes twice
    deep = nested(3, SEA + nested(3, SEA)), nested(3, b"\x0a\x04lake\x10\x08")
    assert differing(having(deep[0] + deep[1]), having(deep[1] + deep[0])) != []  # not only keys and values


def test_text_in_an_unknown_type() -> None:
    """Is shown as such even if it could be a message, of which field 5 is 53; deep nesting ends as bytes."""
    assert differing(having(nested(1, b"(5")), having(nested(1, b"(6"))) == ["events.N[0].1[0] changed"]
    deep = SEA
    for _ in range(5_000):
        deep = nested(2, deep)
    assert differing(having(deep), having(deep)) == []
    assert len(differing(having(deep), having(deep.replace(b"sea", b"tea")))) == 1


def nested(number: int, value: bytes) -> bytes:
    """A field of bytes, text or a message."""
    size, length = len(value), bytearray()
    while size > 0x7F:
        length.append(size & 0x7F | 0x80)
        size >>= 7
    return bytes([number << 3 | 2, *length, size]) + value


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
