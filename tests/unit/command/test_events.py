"""What each event says, in a line."""

from __future__ import annotations

import pytest
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.struct_pb2 import Struct

from milepost.client._cli.rendering.event_text import PAYLOADS, describe
from milepost.v1 import (
    Artifact,
    ArtifactAdded,
    AttemptEnded,
    CancelAcknowledged,
    Cancellation,
    CancelRequested,
    ChildrenProgressed,
    Custom,
    Event,
    Failure,
    JobEnded,
    JobStarted,
    JobState,
    Severity,
    Stage,
    StagesPlanned,
    StageState,
)
from tests.unit.command.story import JOB_ID, Story, stamp


@pytest.fixture
def story() -> Story:
    """A started job with two planned stages."""
    story = Story()
    story.begin("scan", "hash")
    return story


def said(story: Story, event: Event) -> str:
    """The line of the event after it was folded in."""
    return describe(event, story.watched.fold)


def test_the_table_is_the_union() -> None:
    """Exactly the payloads of an event have an entry."""
    assert {field.name for field in Event.DESCRIPTOR.oneofs_by_name["payload"].fields} == set(PAYLOADS)


def test_a_payload_of_a_later_version_says_nothing(story: Story) -> None:
    """An unknown payload is skipped (rule 9)."""
    assert said(story, Event(sequence=99)) == ""


def test_the_beginning(story: Story) -> None:
    """Submitted, started, planned."""
    fold = story.watched.fold
    submitted = Event()
    submitted.job_submitted.job.CopyFrom(fold.job)

    assert said(story, submitted) == f"archive {JOB_ID} submitted, owner ann"
    submitted.job_submitted.job.submitted_by = "ci"
    assert said(story, submitted) == f"archive {JOB_ID} submitted by ci, owner ann"
    assert said(story, Event(attempt=1, job_started=JobStarted(worker_id="w"))) == "started by worker w"
    assert (
        said(story, Event(attempt=2, job_started=JobStarted(worker_id="w")))
        == "started by worker w, attempt 2"
    )


def test_a_plan_names_the_first_stages(story: Story) -> None:
    """By their titles, up to a limit."""
    few = StagesPlanned(stages=[Stage(stage_id="a", title="First"), Stage(stage_id="b")])
    many = StagesPlanned(stages=[Stage(stage_id=f"s{number}") for number in range(20)])

    assert said(story, Event(stages_planned=few)) == "planned 2 stages: First, b"
    assert (
        said(story, Event(stages_planned=many))
        == "planned 20 stages: s0, s1, s2, s3, s4, s5, s6, s7, and 12 more"
    )
    children = StagesPlanned(stages=[Stage(stage_id="a")], planned_children=3)
    assert said(story, Event(stages_planned=children)) == "planned 1 stage: a; 3 children"
    assert said(story, Event(stages_planned=StagesPlanned(planned_children=1))) == "planned 1 child"


def test_a_stage_from_start_to_end(story: Story) -> None:
    """Its size, its progress in its own units, and how long it took."""
    assert said(story, story.start(2, "hash", total=130.4e6, unit="bytes")) == "hash: started, 130.4 MB"
    assert (
        said(story, story.progress(3, "hash", 61.2e6, 0.469, message="lib/x"))
        == "hash: 46%, 61.2 of 130.4 MB, lib/x"
    )
    story.progress(4, "hash", 130.4e6, 1.0)
    assert said(story, story.end(10, "hash")) == "hash: succeeded, 130.4 MB in 8.0s"


def test_a_stage_without_a_known_end(story: Story) -> None:
    """It has numbers, but no percentage."""
    story.start(2, "scan", unit="files")

    assert said(story, story.progress(3, "scan", 3412, 0.0)) == "scan: 3,412 files"


def test_a_stage_that_did_not_succeed(story: Story) -> None:
    """It says why."""
    story.start(2, "scan")
    failure = Failure(code="NO_PATH", message="There is none.")

    assert (
        said(story, story.end(3, "scan", StageState.STAGE_STATE_FAILED, failure=failure))
        == "scan: failed: NO_PATH: There is none."
    )
    assert (
        said(story, story.end(3, "hash", StageState.STAGE_STATE_SKIPPED, message="not needed"))
        == "hash: skipped, not needed"
    )


def test_progress_of_a_stage_that_a_filter_hid(story: Story) -> None:
    """It is called by its id."""
    assert said(story, story.progress(3, "other", 5, 0.0, unit="files")) == "other: 5 files"


def test_log_lines(story: Story) -> None:
    """The stage, the level unless it is INFO, and the text with all its lines."""
    assert said(story, story.log(2, "found", "scan")) == "scan | found"
    assert said(story, story.log(2, "two\nlines", "", Severity.SEVERITY_WARNING)) == "| warning: two\nlines"
    assert said(story, story.log(2, "\x1b[2J", "scan", Severity.SEVERITY_ERROR)) == r"scan | error: \x1b[2J"


def test_what_a_job_made_and_what_it_says_of_its_own(story: Story) -> None:
    """Artifacts and custom events, as JSON or by the type of their message."""
    data = Struct()
    data.update({"title": "Weather", "number": 5})
    artifact = Artifact(name="m.json", uri="file:///m.json", size_bytes=51_234)

    assert (
        said(story, Event(artifact_added=ArtifactAdded(artifact=artifact)))
        == "artifact m.json  51.2 kB  file:///m.json"
    )
    assert (
        said(story, Event(custom=Custom(type="topic.found", json=data)))
        == 'event topic.found {"number":5,"title":"Weather"}'
    )
    assert (
        said(story, Event(custom=Custom(type="topic.found", proto=AnyMessage(type_url="example.com/Topic"))))
        == "event topic.found example.com/Topic"
    )


def test_a_cancellation(story: Story) -> None:
    """Who, why, by when; the acknowledgement; and the outcome."""
    asked = CancelRequested(
        cancellation=Cancellation(requested_by="ann", reason="too slow", deadline=stamp(35))
    )

    assert (
        said(story, story.tell(5, cancel_requested=asked))
        == "cancellation requested by ann, to stop within 00:30: too slow"
    )
    assert (
        said(story, story.tell(6, cancel_acknowledged=CancelAcknowledged()))
        == "the worker has heard of the cancellation, and is stopping"
    )
    assert (
        said(story, story.tell(35, job_ended=JobEnded(state=JobState.JOB_STATE_CANCELLED, forced=True)))
        == "cancelled after 00:34, without its worker, which did not stop in time"
    )


def test_an_attempt_that_failed(story: Story) -> None:
    """The reason, and the time of the next attempt."""
    failure = Failure(code="WORKER_LOST", message="It is gone.")

    assert (
        said(story, story.tell(5, attempt_ended=AttemptEnded(failure=failure, retry_time=stamp(9))))
        == "attempt 1 ended, the next one in 00:04: WORKER_LOST: It is gone."
    )
    assert (
        said(
            story,
            story.tell(5, attempt_ended=AttemptEnded(failure=Failure(code="RELEASED"), retry_time=stamp(5))),
        )
        == "attempt 1 ended, back in the queue: RELEASED"
    )


def test_children(story: Story) -> None:
    """The number of children, and the job's progress computed from them."""
    result = ChildrenProgressed(total=4, ended=1, job_fraction=0.399)

    said_of_children = said(story, story.tell(5, children_progressed=result))

    assert said_of_children == "1 of 4 children ended, 39% of the job is done"


@pytest.mark.parametrize(
    ("expected", "ended"),
    [
        ("succeeded in 00:11", JobEnded(state=JobState.JOB_STATE_SUCCEEDED)),
        (
            "failed after 00:11: NO_PATH: There is none.",
            JobEnded(
                state=JobState.JOB_STATE_FAILED, failure=Failure(code="NO_PATH", message="There is none.")
            ),
        ),
        (
            "timed out after 00:11: TIMEOUT",
            JobEnded(state=JobState.JOB_STATE_FAILED, failure=Failure(code="TIMEOUT")),
        ),
        (
            "cancelled after 00:11: Worker 'w' did not stop.",
            JobEnded(state=JobState.JOB_STATE_CANCELLED, forced=True, message="Worker 'w' did not stop."),
        ),
        (
            "cancelled after 00:11: Its process was killed.",
            JobEnded(state=JobState.JOB_STATE_CANCELLED, message="Its process was killed."),
        ),
        (
            "lost after 00:11: WORKER_LOST",
            JobEnded(state=JobState.JOB_STATE_LOST, failure=Failure(code="WORKER_LOST")),
        ),
    ],
)
def test_the_end(story: Story, expected: str, ended: JobEnded) -> None:
    """How the job ended, after how long, and why."""
    assert said(story, story.tell(12, job_ended=ended)) == expected
