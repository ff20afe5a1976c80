"""Golden files: the wire and JSON forms of every message of the contract.

Each file of ``golden/`` holds one sample: ``json``, its protobuf JSON, and ``wire``, the bytes of each of its fields
in hexadecimal; the message is these bytes one after the other. A change of the contract changes files here, and so
cannot pass unseen. If it is intended, regenerate them, and read the difference before committing it::

    python -m tests.contract.golden --write
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Final, TypedDict

from google.protobuf import json_format
from google.protobuf.descriptor import ServiceDescriptor
from google.protobuf.message import Message

from tests.contract.samples import files, samples

__all__ = ["DIRECTORY", "Golden", "enums", "golden", "read", "services", "write"]

DIRECTORY: Final = Path(__file__).parent / "golden"


class Golden(TypedDict):
    """One golden file."""

    json: dict[str, object]
    wire: dict[str, str]


def golden(message: Message) -> Golden:
    """The expected content of the golden file of ``message``."""
    return {
        "json": json.loads(json_format.MessageToJson(message, sort_keys=True)),
        "wire": {field.name: _only(message, field.name) for field, _ in message.ListFields()},
    }


def enums() -> dict[str, dict[str, int]]:
    """The values of every enum by name."""
    return {
        name: {value.name: value.number for value in enum.values}
        for file in files()
        for name, enum in file.enum_types_by_name.items()
    }


def services() -> dict[str, str]:
    """The signature of every RPC by its path."""
    return {
        f"/{service.full_name}/{name}": signature
        for file in files()
        for service in file.services_by_name.values()
        for name, signature in _methods(service).items()
    }


def read(name: str) -> Golden:
    """The golden file of the sample ``name``."""
    content: Golden = json.loads((DIRECTORY / f"{name}.json").read_text(encoding="utf-8"))
    return content


def write() -> None:
    """Regenerate all golden files."""
    for old in DIRECTORY.glob("*.json"):
        old.unlink()
    contents = {name: golden(message) for name, message in samples().items()}
    for name, content in {**contents, "enums": enums(), "services": services()}.items():
        text = json.dumps(content, indent=2, ensure_ascii=False)
        (DIRECTORY / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def _only(message: Message, field_name: str) -> str:
    part = type(message)()
    part.CopyFrom(message)
    for field, _ in message.ListFields():
        if field.name != field_name:
            part.ClearField(field.name)
    return part.SerializeToString(deterministic=True).hex()


def _methods(service: ServiceDescriptor) -> dict[str, str]:
    return {
        name: (
            f"{'stream ' * method.client_streaming}{method.input_type.full_name}"
            f" -> {'stream ' * method.server_streaming}{method.output_type.full_name}"
        )
        for name, method in service.methods_by_name.items()
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        prog="python -m tests.contract.golden", description="Regenerate the golden files."
    )
    parser.add_argument("--write", action="store_true", required=True, help="replace what is there")
    parser.parse_args()
    write()
