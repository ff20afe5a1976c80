"""The README's section on grpcurl, as written: with the real grpcurl, and the same requests again with buf curl.

Both learn what there is by reflection. The commands run in one bash, in order, since later ones use what earlier ones
set; only the address is replaced.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.server import MILEPOST, ServerProcess

README = Path(__file__).parents[3] / "README.md"
ADDRESS = "127.0.0.1:7070"
MARK = "\x1e"


def commands() -> list[str]:
    """The commands in the section's console blocks."""
    (section,) = re.findall(r"^## With grpcurl\n(.*?)(?=^## )", README.read_text(), re.DOTALL | re.MULTILINE)
    blocks = re.findall(r"^```console\n(.*?)^```", section, re.DOTALL | re.MULTILINE)
    return [
        line.removeprefix("$ ") for block in blocks for line in block.splitlines() if line.startswith("$ ")
    ]


def with_grpcurl(command: str, address: str) -> str:
    """The command at another address."""
    return command.replace(ADDRESS, address)


def with_buf(command: str, address: str) -> str:
    """The same request with buf curl."""
    command = command.replace("grpcurl -plaintext", "buf curl --http2-prior-knowledge --protocol grpc")
    return re.sub(rf"{re.escape(ADDRESS)} ([\w.]+/\w+)", rf"http://{address}/\1", command)


def run(script: list[str]) -> list[list[Any]]:
    """Run the commands in one bash; return the JSON answer of each."""
    text = "".join(f"printf '{MARK}'\n{command}\n" for command in script)
    found = subprocess.run(
        ["bash", "-e", "-u", "-o", "pipefail", "-c", text],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "PATH": f"{MILEPOST.parent}:{os.environ['PATH']}"},
    )
    assert (found.returncode, found.stderr) == (0, ""), found.stdout
    return [objects(part) for part in found.stdout.split(MARK)[1:]]


def objects(text: str) -> list[Any]:
    """The JSON objects that follow one another in the text; grpcurl names fields as the protos do, buf as JSON does."""
    decoder = json.JSONDecoder(
        object_hook=lambda found: {re.sub("([A-Z])", r"_\1", name).lower(): found[name] for name in found}
    )
    found = []
    while text := text.lstrip():
        value, end = decoder.raw_decode(text)
        found.append(value)
        text = text[end:]
    return found


def events(frames: list[Any]) -> list[tuple[int, str]]:
    """Sequences and payloads of a watch's events."""
    bears = {"job_id", "sequence", "time", "attempt"}
    return [
        (int(event["sequence"]), *(set(event) - bears))
        for frame in frames
        for event in frame.get("events", {}).get("events", [])
    ]


@pytest.mark.parametrize("tool", [with_grpcurl, with_buf], ids=["grpcurl", "buf"])
def test_the_readmes_requests(server: ServerProcess, tool: Callable[[str, str], str]) -> None:
    """Each succeeds, with the answer that the README shows."""
    submitted, got, claimed, reported, watched, resumed, cancelled, ended, listed = run(
        [tool(command, server.address) for command in commands()]
    )

    assert [
        (answer["job"]["job_id"], answer["job"]["kind"], answer["job"]["state"]) for answer in submitted
    ] == [("nightly-7", "backup", "JOB_STATE_QUEUED")]
    assert got == [{**submitted[0], "waiting": {"waiting_for": "WAITING_FOR_CLAIM"}}]
    assert claimed == []  # its output went into a variable that later commands need
    assert [(answer["report_sequence"], answer["last_sequence"]) for answer in reported] == [("2", "4")]
    assert events(watched) == [
        (1, "job_submitted"),
        (2, "job_started"),
        (3, "stage_started"),
        (4, "stage_progressed"),
    ]
    assert events(resumed) == [(3, "stage_started"), (4, "stage_progressed")]
    assert submitted[0]["job"]["epoch"] == watched[0]["opened"]["epoch"]
    assert {"caught_up": {"sequence": "4"}} == watched[-1] == resumed[-1]
    assert [(answer["job"]["state"], answer["job"]["cancellation"]["reason"]) for answer in cancelled] == [
        ("JOB_STATE_CANCELLING", "maintenance")
    ]
    assert [(answer["report_sequence"], answer["last_sequence"]) for answer in ended] == [("3", "6")]
    ((job,),) = (answer["jobs"] for answer in listed)
    assert (job["job_id"], job["state"], job["worker_id"]) == ("nightly-7", "JOB_STATE_CANCELLED", "cron")
    assert [
        (stage["stage_id"], stage["state"], stage["current"], stage["total"]) for stage in job["stages"]
    ] == [("dump", "STAGE_STATE_CANCELLED", 2, 3)]


def test_grpcurl_lists_and_describes(shared_server: ServerProcess) -> None:
    """Services and messages can be listed without files."""

    def grpcurl(*arguments: str) -> str:
        return subprocess.run(
            [MILEPOST.with_name("grpcurl"), "-plaintext", shared_server.address, *arguments],
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    assert {f"milepost.v1.{name}Service" for name in ("Admin", "Job", "Worker")} <= set(
        grpcurl("list").split()
    )
    assert "rpc SubmitJob ( .milepost.v1.SubmitJobRequest )" in grpcurl("describe", "milepost.v1.JobService")
    assert "google.protobuf.Struct input" in grpcurl("describe", "milepost.v1.SubmitJobRequest")


def test_grpcurl_shows_what_is_wrong(shared_server: ServerProcess) -> None:
    """It shows the details of a refusal: the field and the reason."""
    found = subprocess.run(
        [
            MILEPOST.with_name("grpcurl"),
            *("-plaintext", "-d", '{"kind": "Not A Kind"}'),
            *(shared_server.address, "milepost.v1.JobService/SubmitJob"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )

    assert found.returncode != 0
    assert "Code: InvalidArgument" in found.stderr
    assert '"reason":"INVALID_FIELD"' in found.stderr.replace(" ", "")
    assert '"field":"kind"' in found.stderr.replace(" ", "")
