"""Every payload is folded, authored, rendered and documented."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from google.protobuf.descriptor import FieldDescriptor

from milepost.client._cli.rendering.event_text import describe
from milepost.fold import Fold
from milepost.server import decide
from milepost.v1 import (
    Artifact,
    ArtifactAdded,
    CancelAcknowledged,
    Custom,
    Event,
    Job,
    JobEnded,
    JobState,
    LogWritten,
    Stage,
    StageEnded,
    StageProgressed,
    StagesPlanned,
    StageStarted,
    StageState,
    SubmitJobRequest,
    Update,
)

PAYLOADS = Event.DESCRIPTOR.oneofs_by_name["payload"].fields
UPDATES = Update.DESCRIPTOR.oneofs_by_name["update"].fields
DOCS = Path(__file__).parents[2] / "docs" / "events.md"

each_payload = pytest.mark.parametrize("payload", [field.name for field in PAYLOADS])


def happenings() -> Iterator[tuple[Event, Fold]]:
    """A log with every payload, authored by the server: each event with the job after it."""
    state = Fold()

    def then(*events: Event) -> Iterator[tuple[Event, Fold]]:
        for event in events:
            state.apply(event)
            yield event, state

    yield from then(decide.submit(SubmitJobRequest(kind="k"), "j", 0))
    yield from then(decide.start(state.job, "w", 0))
    for update in [
        Update(stages_planned=StagesPlanned(stages=[Stage(stage_id="s", title="Stage")])),
        Update(stage_started=StageStarted(stage=Stage(stage_id="s", total=2))),
        Update(stage_progressed=StageProgressed(stage_id="s", current=1)),
        Update(stage_ended=StageEnded(stage_id="s", state=StageState.STAGE_STATE_SUCCEEDED)),
        Update(log_written=LogWritten(text="Text.")),
        Update(artifact_added=ArtifactAdded(artifact=Artifact(name="n", uri="u"))),
        Update(custom=Custom(type="t")),
    ]:
        yield from then(decide.report(state, update, 0))
    yield from then(*decide.release(state.job, 0))
    yield from then(decide.start(state.job, "w", 0))
    childless = Fold(Job(state=JobState.JOB_STATE_RUNNING, last_sequence=state.job.last_sequence))
    yield from then(*decide.children_progressed(childless.job, 0, total=2, ended=1, fraction=0.75))
    yield from then(*decide.cancel(state.job, reason="r", requested_by="o", grace_period=1, now=0))
    for update in [
        Update(cancel_acknowledged=CancelAcknowledged()),
        Update(job_ended=JobEnded(state=JobState.JOB_STATE_CANCELLED)),
    ]:
        yield from then(decide.report(state, update, 0))


@each_payload
def test_every_payload_has_an_arm_in_the_fold(payload: str) -> None:
    """The fold accepts every payload, even an empty one."""
    event = Event(sequence=1)
    getattr(event, payload).SetInParent()
    state = Fold()

    state.apply(event)

    assert state.job.last_sequence == 1


def test_every_payload_has_a_producer() -> None:
    """The server authors every payload."""
    assert {field.name for field in PAYLOADS} == {event.WhichOneof("payload") for event, _ in happenings()}


def test_every_payload_is_rendered() -> None:
    """The command has a line for each payload."""
    silent = [event.WhichOneof("payload") for event, state in happenings() if not describe(event, state)]

    assert silent == []


@each_payload
def test_every_payload_is_in_the_docs(payload: str) -> None:
    """Each payload is in the table and has a section."""
    text = DOCS.read_text(encoding="utf-8")

    assert len(re.findall(rf"^\| `{payload}` \|", text, re.MULTILINE)) == 1
    assert len(re.findall(rf"^### `{payload}`$", text, re.MULTILINE)) == 1


def test_the_docs_have_no_unknown_payload() -> None:
    """The docs have no payload that is not in the contract."""
    sections = re.findall(r"^### `(\w+)`$", DOCS.read_text(encoding="utf-8"), re.MULTILINE)

    assert sorted(field.name for field in PAYLOADS) == sorted(sections)


@pytest.mark.parametrize("update", list(UPDATES), ids=lambda field: field.name)
def test_an_update_is_the_payload_of_its_name(update: FieldDescriptor) -> None:
    """An update has the name, the number and the message of its payload in an event."""
    payload = Event.DESCRIPTOR.fields_by_name[update.name]

    assert (payload.number, payload.message_type) == (update.number, update.message_type)
