"""The OpenAPI document: valid, complete, and types that a ``switch`` narrows."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from milepost.v1 import Event, WatchJobResponse, WatchJobsResponse
from milepost.web.openapi.document import openapi
from milepost.web.rest_routes import ROUTES
from milepost.web.service import METHODS

WEB: Final = Path(__file__).parents[3] / "web"
TOOLS: Final = WEB / "node_modules" / ".bin"
DOCUMENT: Final = openapi()
SCHEMAS: Final = DOCUMENT["components"]["schemas"]


def members(union: str) -> dict[str, Any]:
    """The members of a union of records, by their names."""
    mapping: dict[str, str] = SCHEMAS[union]["discriminator"]["mapping"]
    return {name: SCHEMAS[reference.rpartition("/")[2]] for name, reference in mapping.items()}


def names(message: Any, oneof: str) -> set[str]:
    """The names of the fields of a oneof."""
    return {field.name for field in message.DESCRIPTOR.oneofs_by_name[oneof].fields}


def test_it_is_valid() -> None:
    """By the schema of OpenAPI 3.1, with all references."""
    OpenAPIV31SpecValidator(DOCUMENT).validate()

    assert DOCUMENT["openapi"].startswith("3.1.")


def test_every_route_is_there() -> None:
    """With the method's name as the operation's, and all methods of the service among them."""
    operations = {
        (verb.upper(), path): operation["operationId"]
        for path, verbs in DOCUMENT["paths"].items()
        for verb, operation in verbs.items()
    }

    assert operations == {
        **{(route.verb, route.path): route.method[0].lower() + route.method[1:] for route in ROUTES},
        ("POST", "/v1/session"): "beginSession",
        ("POST", "/v1/session:clear"): "clearSession",
    }
    assert {route.method for route in ROUTES} == set(METHODS)


def test_records_are_told_apart_by_their_names() -> None:
    """All frames and all payloads of events, and what HTTP adds; each has its own data."""
    payloads = names(Event, "payload")
    added = {"gap", "end", "failure"}
    of_job, of_jobs = members("WatchedJobEvent"), members("WatchedJobsEvent")

    assert set(of_job) == names(WatchJobResponse, "frame") - {"events"} | payloads | added
    assert set(of_jobs) == names(WatchJobsResponse, "frame") - {"events"} | payloads | added
    for name, schema in {**of_job, **of_jobs}.items():
        assert schema["properties"]["event"] == {"type": "string", "const": name}
        assert schema["required"] == ["event", "data"]
    for name in payloads:
        _, narrowed = of_job[name]["properties"]["data"]["allOf"]
        assert narrowed["required"] == [Event.DESCRIPTOR.fields_by_name[name].json_name]


def undescribed(schemas: dict[str, Any]) -> Iterator[str]:
    """Schemas and properties of messages without a description."""
    for name, schema in schemas.items():
        if name in ("BadRequest", "ErrorInfo", "FieldViolation", "RetryInfo", "LocalizedMessage"):
            continue  # Google's, whose comments are not here
        if "description" not in schema:
            yield name
        if not name.startswith("Watched") and name != "Error":
            for key, value in schema.get("properties", {}).items():
                if "description" not in value:
                    yield f"{name}.{key}"


def test_comments_of_the_protos_are_descriptions() -> None:
    """Of every schema and of every field."""
    assert list(undescribed(SCHEMAS)) == []
    assert SCHEMAS["Job"]["properties"]["kind"]["description"].startswith("Kind")


EXHAUSTIVE: Final = """
import type { components } from "./milepost";

type Schemas = components["schemas"];

function impossible(never: never): never {
  throw new Error(String(never));
}

export function text(item: Schemas["WatchedJobsEvent"]): string | undefined {
  switch (item.event) {
%(cases)s
    case "stage_progressed":
      return `${item.data.sequence} ${item.data.stageProgressed.stageId} ${item.data.stageProgressed.fraction ?? 0}`;
    case "job_ended":
      return item.data.jobEnded.state;
    case "failure":
      for (const detail of item.data.error.details ?? []) {
        if (detail["@type"] === "type.googleapis.com/google.rpc.ErrorInfo") {
          return detail.reason === "TOKEN_EXPIRED" ? "again" : detail.domain;
        }
      }
      return item.data.error.status;
    default:
      return impossible(item);
  }
}
"""


def faults(directory: Path, *programs: str) -> list[str]:
    """What the compiler finds in programs that import the generated types."""
    command = [
        str(TOOLS / "tsc"),
        "--strict",
        "--noEmit",
        "--module",
        "esnext",
        "--moduleResolution",
        "bundler",
    ]
    found = subprocess.run(
        [*command, "--pretty", "false", *programs], cwd=directory, capture_output=True, text=True, check=False
    )
    return found.stdout.splitlines()


def test_a_switch_over_the_generated_types_is_exhaustive(tmp_path: Path) -> None:
    """What openapi-typescript makes of it narrows by `event`; tsc accepts a switch over all names, and none less."""
    missing = not (TOOLS / "openapi-typescript").exists()
    if missing and not os.environ.get("REQUIRE_NODE"):
        pytest.skip("`make web` installs openapi-typescript, and needs Node and npm")
    document = tmp_path / "openapi.json"
    document.write_text(json.dumps(DOCUMENT))
    subprocess.run(
        [TOOLS / "openapi-typescript", document, "-o", tmp_path / "milepost.d.ts"],
        check=True,
        capture_output=True,
    )
    others = sorted(set(members("WatchedJobsEvent")) - {"stage_progressed", "job_ended", "failure"})
    cases = [f'    case "{name}":\n      return item.event;' for name in others]

    (tmp_path / "whole.ts").write_text(EXHAUSTIVE % {"cases": "\n".join(cases)})
    (tmp_path / "lacking.ts").write_text(EXHAUSTIVE % {"cases": "\n".join(cases[1:])})
    (fault,) = faults(tmp_path, "whole.ts", "lacking.ts")

    assert fault.startswith("lacking.ts")
    assert "is not assignable to parameter of type 'never'" in fault
