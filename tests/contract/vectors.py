"""The fold's vectors: events, and the job that they make. See ``vectors/README.md``."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from google.protobuf import json_format

from milepost.v1 import Event, Job

__all__ = ["DIRECTORY", "Vector", "vectors"]

DIRECTORY: Final = Path(__file__).parent / "vectors"


@dataclass(frozen=True)
class Vector:
    """One vector."""

    name: str
    description: str
    events: list[Event]
    job: Job

    @property
    def is_whole(self) -> bool:
        """Whether the events are a log from its start, with none hidden or doubled."""
        return [event.sequence for event in self.events] == list(range(1, len(self.events) + 1))


def vectors() -> list[Vector]:
    """All vectors, by name."""
    return [_read(path) for path in sorted(DIRECTORY.glob("*.json"))]


def _read(path: Path) -> Vector:
    content = json.loads(path.read_text(encoding="utf-8"))
    return Vector(
        name=path.stem,
        description=content["description"],
        # A reader does not know the payloads of later versions.
        events=[
            json_format.ParseDict(event, Event(), ignore_unknown_fields=True) for event in content["events"]
        ],
        job=json_format.ParseDict(content["job"], Job()),
    )
