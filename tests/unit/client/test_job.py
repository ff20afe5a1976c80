"""What a handler says of its job as a whole, as the server will hear it."""

from __future__ import annotations

import pytest

from milepost.client import Cancelled, JobContext
from milepost.client.worker.reporter import Reporter
from milepost.v1 import (
    Job,
    Severity,
    Stage,
)
from tests.unit.client.stages import said


def test_a_plan_is_told(job: JobContext, reporter: Reporter) -> None:
    """As ids, or as messages with more."""
    job.plan(["scan", Stage(stage_id="hash", weight=4)])
    assert [Stage(stage_id="scan"), Stage(stage_id="hash", weight=4)] == list(
        said(reporter)[0].stages_planned.stages
    )


def test_a_log_line_never_fails_the_job(job: JobContext, reporter: Reporter) -> None:
    """What JSON cannot say is said as text, what is too long is cut, and file names may be any bytes."""
    job.log("plain", severity="warning", stage="hash", size=3, path={1, 2}, name="\udcff")
    job.log("x" * 100_000)
    job.log("a\udcffb", severity=Severity.SEVERITY_ERROR, blob="y" * 100_000)
    first, second, third = (update.log_written for update in said(reporter))
    assert ("plain", Severity.SEVERITY_WARNING, "hash") == (first.text, first.severity, first.stage_id)
    assert {"size": 3.0, "path": "{1, 2}", "name": "\\udcff"} == dict(first.fields.items())
    assert 64 * 1024 >= len(second.text.encode())
    assert second.text.endswith("characters]")
    assert "a\\udcffb" == third.text
    assert {"clipped": "[clipped 100018 bytes]"} == dict(third.fields.items())
    with pytest.raises(ValueError, match="no severity 'loud'"):
        job.log("x", severity="loud")


def test_an_artifact_is_registered(job: JobContext, reporter: Reporter) -> None:
    """With what is known of it; what is out of its bounds is refused where it is given."""
    with job.stage("pack") as stage:
        job.artifact(
            "a.tar",
            "file:///a.tar",
            media_type="application/x-tar",
            size_bytes=7,
            sha256="0" * 64,
            stage=stage,
        )
    artifact = said(reporter)[1].artifact_added.artifact
    assert ("a.tar", "file:///a.tar", 7, "pack") == (
        artifact.name,
        artifact.uri,
        artifact.size_bytes,
        artifact.stage_id,
    )
    for name, uri, sha256 in (("", "u", ""), ("n", "", ""), ("n", "u", "F" * 64)):
        with pytest.raises(ValueError, match="artifact"):
            job.artifact(name, uri, sha256=sha256)
    with pytest.raises(ValueError, match="size of artifact"):
        job.artifact("n", "u", size_bytes=-1)


def test_an_event_of_ones_own(job: JobContext, reporter: Reporter) -> None:
    """As JSON, or as a message; too large or misnamed it is refused where it is given."""
    job.emit("topic.found", {"topic": "weather", "at": [1, 2.5, None, True]})
    job.emit("stage", Stage(stage_id="s"))
    first, second = (update.custom for update in said(reporter))
    assert ("topic.found", "weather") == (first.type, first.json["topic"])
    stage = Stage()
    assert second.proto.Unpack(stage)
    assert "s" == stage.stage_id
    with pytest.raises(ValueError, match="cannot be called"):
        job.emit("no spaces", {})
    with pytest.raises(ValueError, match="at most 262144"):
        job.emit("large", {"x": "y" * 300_000})
    with pytest.raises(TypeError, match=r"data\.when"):
        job.emit("t", {"when": object()})


def test_the_job_is_what_was_submitted(reporter: Reporter) -> None:
    """Input and labels as plain values."""
    message = Job(job_id="j", kind="k", attempt=3, labels={"a": "b"})
    message.input.update({"n": 1, "deep": {"list": [1, "x"]}})
    job = JobContext(message, reporter)
    assert ("j", "k", 3, {"a": "b"}) == (job.id, job.kind, job.attempt, job.labels)
    assert {"n": 1.0, "deep": {"list": [1.0, "x"]}} == job.input
    assert message is job.message
    assert not job.cancelled
    job.raise_if_cancelled()
    job.interrupt()
    assert job.cancelled
    with pytest.raises(Cancelled):
        job.raise_if_cancelled()


def test_a_finalizer_may_log_at_any_moment(job: JobContext, reporter: Reporter) -> None:
    """It runs in whichever thread is at it, and that one may have the lock."""
    with reporter.lock:
        job.log("last words")
        job.stage("s").advance()
    assert ["log_written", "stage_started", "stage_progressed"] == [
        update.WhichOneof("update") for update in said(reporter)
    ]
