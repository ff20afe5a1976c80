"""The reports of a job context."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any, cast

import pytest
from google.protobuf.struct_pb2 import Struct, Value

from milepost.client import Cancelled, JobContext
from milepost.client._conversion import from_struct
from milepost.client._worker.job_context import JobControl
from milepost.client._worker.reporter import Reporter
from milepost.contract.limits import CUSTOM_SIZE, LOG_FIELDS_SIZE
from milepost.v1 import Job, Severity, Stage, StagesPlanned
from tests.unit.client.stages import said


def test_a_plan_is_reported(job: JobContext, reporter: Reporter) -> None:
    """As ids, or as messages."""
    job.plan(["scan", Stage(stage_id="hash", weight=4)])
    assert list(said(reporter)[0].stages_planned.stages) == [
        Stage(stage_id="scan"),
        Stage(stage_id="hash", weight=4),
    ]


def test_children_are_planned_beside_stages(job: JobContext, reporter: Reporter) -> None:
    """Planning the children alone keeps the planned stages, also those of the submission."""
    job.plan(["scan", Stage(stage_id="hash", weight=4)])
    job.plan(children=3)
    submitted = Job(stages=[Stage(stage_id="pack", planned=True, fraction=0.5), Stage(stage_id="extra")])
    JobContext(JobControl(submitted, reporter)).plan(children=2)
    assert [update.stages_planned for update in said(reporter)[1:]] == [
        StagesPlanned(stages=[Stage(stage_id="scan"), Stage(stage_id="hash", weight=4)], planned_children=3),
        StagesPlanned(stages=[Stage(stage_id="pack")], planned_children=2),
    ]


def test_the_id_is_named_as_everywhere(job: JobContext) -> None:
    """`job_id`, as in the messages and snapshots, or `id`."""
    assert (job.job_id, job.id) == ("j", "j")


def test_the_owner_is_that_of_the_job(reporter: Reporter) -> None:
    """For the rights of a user, such as paths or databases."""
    assert JobContext(JobControl(Job(job_id="j", owner="ann"), reporter)).owner == "ann"


def test_a_log_line_never_fails_the_job(job: JobContext, reporter: Reporter) -> None:
    """Values that are not JSON become text, long text is truncated, and file names may be any bytes."""
    job.log("plain", severity="warning", stage="hash", size=3, path={1, 2}, name="\udcff")
    job.log("x" * 100_000)
    job.log("a\udcffb", severity=Severity.SEVERITY_ERROR, blob="y" * 100_000)
    lines = [update.log_written for update in said(reporter)]
    first, second, third = (line for line in lines if not line.text.startswith("fields"))
    assert [line.text[:12] for line in lines if line.text.startswith("fields")] == [
        "fields.name ",
        "fields is 10",
    ]
    assert (first.text, first.severity, first.stage_id) == ("plain", Severity.SEVERITY_WARNING, "hash")
    assert from_struct(first.fields) == {"size": 3, "path": [1, 2], "name": "\\udcff"}
    assert len(second.text.encode()) <= 64 * 1024
    assert second.text.endswith("characters]")
    assert third.text == "a\\udcffb"
    assert re.fullmatch(r"y+… \[clipped \d+ characters\]", from_struct(third.fields)["blob"])
    assert third.fields.ByteSize() <= LOG_FIELDS_SIZE
    unknown: list[Any] = ["loud", 99]
    for severity in unknown:
        with pytest.raises(ValueError, match=f"no severity {severity!r}"):
            job.log("x", severity=severity)


def test_an_artifact_is_registered(job: JobContext, reporter: Reporter) -> None:
    """With the given fields; values out of bounds never fail the job, and are in its log."""
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
    assert (
        artifact.name,
        artifact.uri,
        artifact.size_bytes,
        artifact.stage_id,
    ) == ("a.tar", "file:///a.tar", 7, "pack")
    unusable: list[tuple[Any, Any]] = [("", "u"), ("n", ""), ("n", "u" * 3000), ("n", None)]
    for name, uri in unusable:
        job.artifact(name, uri)
        (result,) = said(reporter)
        assert f"Not registered: {name!r} at {uri!r}." in result.log_written.text
    for size, sha256 in ((-1, "F" * 64), (math.nan, "short"), (2**63, "")):
        job.artifact("n" * 300, "u", size_bytes=cast("int", size), sha256=sha256, media_type="m" * 300)
    cut = [update.artifact_added.artifact for update in said(reporter) if update.HasField("artifact_added")]
    assert all(200 < len(text) <= 256 for artifact in cut for text in (artifact.name, artifact.media_type))
    assert [(artifact.size_bytes, artifact.sha256) for artifact in cut] == [(0, "f" * 64), (0, ""), (0, "")]


def test_an_artifact_too_many_is_in_the_log(job: JobContext, reporter: Reporter) -> None:
    """It is logged in full, and the job goes on."""
    for number in range(1000):
        job.artifact(f"a{number}", "u")
    said(reporter)
    job.artifact("a7", "u2")
    job.artifact("one-more", "file:///x")
    replaced, updates = said(reporter)
    assert replaced.artifact_added.artifact.uri == "u2"
    text = "A job has at most 1,000 artifacts. Not registered: 'one-more' at 'file:///x'."
    assert updates.log_written.text == text


def test_a_custom_event(job: JobContext, reporter: Reporter) -> None:
    """As JSON, or as a message. An invalid name is refused; large or non-JSON data never fails the job."""
    job.emit("topic.found", {"topic": "weather", "at": [1, 2.5, None, True]})
    job.emit("stage", Stage(stage_id="s"))
    first, second = (update.custom for update in said(reporter))
    assert (first.type, first.json["topic"]) == ("topic.found", "weather")
    stage = Stage()
    assert second.proto.Unpack(stage)
    assert stage.stage_id == "s"
    with pytest.raises(ValueError, match=r"cannot be called .*: the type of an event is 1 to 128 "):
        job.emit("no spaces", {})
    job.emit("large", {"x": "y" * 300_000})
    job.emit("large", Struct(fields={"x": Value(string_value="y" * 300_000)}))
    job.emit("odd", {"loss": math.nan, "at": {"n": {2, 1}}})
    job.emit("list", cast("Any", [1, 2]))
    updates = said(reporter)
    events = [update.custom for update in updates if update.HasField("custom")]
    assert [event.type for event in events] == ["large", "odd", "list"]
    assert all(event.ByteSize() <= CUSTOM_SIZE for event in events)
    assert [from_struct(event.json) for event in events[1:]] == [
        {"loss": "NaN", "at": {"n": [1, 2]}},
        {"value": [1, 2]},
    ]
    assert [
        update.log_written.text.split(" is ")[0] for update in updates if update.HasField("log_written")
    ] == [
        "large: data",
        "Event 'large'",
        "odd: data.loss",
        "list: data",
    ]


def test_the_job_is_what_was_submitted(reporter: Reporter) -> None:
    """Input and labels as plain values."""
    message = Job(job_id="j", kind="k", attempt=3, labels={"a": "b"})
    message.input.update({"n": 1, "deep": {"list": [1, "x"]}})
    job = JobContext(JobControl(message, reporter))
    assert (job.id, job.kind, job.attempt, job.labels) == ("j", "k", 3, {"a": "b"})
    assert job.input == {"n": 1.0, "deep": {"list": [1.0, "x"]}}
    assert message is job.message
    assert not job.cancelled
    job.raise_if_cancelled()
    job._control.cancel_signal.set()
    assert job.cancelled
    with pytest.raises(Cancelled):
        job.raise_if_cancelled()


def test_a_finalizer_may_log_at_any_moment(job: JobContext, reporter: Reporter) -> None:
    """It runs in any thread, which may hold the lock."""
    with reporter.lock:
        job.log("last words")
        job.stage("s").advance()
    assert [update.WhichOneof("update") for update in said(reporter)] == [
        "log_written",
        "stage_started",
        "stage_progressed",
    ]


def test_names_that_are_no_text_are_refused(job: JobContext) -> None:
    """As with a number in place of an id: the error names the argument."""
    context: Any = job
    calls: list[tuple[Callable[[], object], str]] = [
        (lambda: context.stage(1), "stage_id is 1, and takes text"),
        (lambda: context.plan([1]), "stages has 1, and takes ids"),
        (lambda: context.emit(1, {}), "type is 1, and takes text"),
    ]
    for call, error in calls:
        with pytest.raises(TypeError, match=error):
            call()
