"""The wire format and the JSON of the contract do not change."""

from __future__ import annotations

import json

import pytest
from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

from tests.contract.golden import DIRECTORY, enums, read, services
from tests.contract.samples import choices, messages, sample, samples

SAMPLES = samples()

each_sample = pytest.mark.parametrize("name", SAMPLES)
each_message = pytest.mark.parametrize("descriptor", messages(), ids=lambda descriptor: descriptor.name)


@pytest.fixture
def message(name: str) -> Message:
    """The sample."""
    return SAMPLES[name]


@pytest.fixture
def wire(name: str) -> bytes:
    """The bytes in its golden file."""
    return bytes.fromhex("".join(read(name)["wire"].values()))


@each_sample
def test_golden_bytes_decode_to_the_message(message: Message, wire: bytes) -> None:
    """Messages of older peers decode unchanged."""
    assert message == type(message).FromString(wire)


@each_sample
def test_the_message_encodes_to_the_golden_bytes(message: Message, wire: bytes) -> None:
    """Older peers decode the messages sent."""
    assert wire == message.SerializeToString(deterministic=True)


@each_sample
def test_golden_json_parses_to_the_message(name: str, message: Message) -> None:
    """JSON names are part of the contract when parsing."""
    assert message == json_format.ParseDict(read(name)["json"], type(message)())


@each_sample
def test_the_message_prints_the_golden_json(name: str, message: Message) -> None:
    """JSON names are part of the contract when printing."""
    assert read(name)["json"] == json_format.MessageToDict(message)


@each_message
def test_samples_set_every_field(descriptor: Descriptor) -> None:
    """The golden files have all fields, so that no change is missed."""
    names = [choice.name for choice in choices(descriptor)]
    expected = {field.name for field in descriptor.fields}

    covered = [
        {field.name for field, _ in sample(descriptor, choice).ListFields()} for choice in names or [""]
    ]

    assert set().union(*covered) == expected
    assert all(fields | set(names) == expected for fields in covered)


def test_every_sample_has_its_golden_file() -> None:
    """A message that is added to the contract, or removed, is detected."""
    assert {path.stem for path in DIRECTORY.iterdir()} == {*SAMPLES, "enums", "services"}


def test_enum_values_keep_names_and_numbers() -> None:
    """A value of an enum keeps its name, used by JSON, and its number, used on the wire."""
    assert json.loads((DIRECTORY / "enums.json").read_text(encoding="utf-8")) == enums()


def test_rpc_signatures_stay() -> None:
    """An RPC keeps its path, its messages and its streams."""
    assert json.loads((DIRECTORY / "services.json").read_text(encoding="utf-8")) == services()
