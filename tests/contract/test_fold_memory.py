"""Memory of a long-running job: protobuf frees parts of a message only with the whole message."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from google.protobuf.message import Message
from hypothesis import given

from milepost.contract import limits
from milepost.fold import Fold
from milepost.fold.memory import WASTE_LIMIT
from milepost.v1 import Event, Job, JobStarted, Stage, StageProgressed, StagesPlanned, StageState
from tests.contract.logs import logs, unhurried
from tests.contract.samples import choices, sample

PAYLOADS = [field.name for field in choices(Event.DESCRIPTOR)]


@unhurried
@given(logs())
def test_copying_a_job_does_not_affect_its_fold(log: list[Event]) -> None:
    """Copying the job to a new message at any point of the log changes neither the job nor the indexes."""
    plain, copied = Fold(), Fold()
    for event in log:
        copied.compact()
        plain.apply(event)
        copied.apply(event)

        assert plain.job == copied.job
        assert plain.stages == copied.stages
        assert plain.children == copied.children


def test_overwritten_messages_are_freed() -> None:
    """After any number of messages, a job uses at most the bound plus one event."""
    state = Fold(Job(stages=[Stage(stage_id="s", state=StageState.STAGE_STATE_RUNNING, total=1)]))
    text = "m" * limits.MESSAGE_LENGTH
    state.apply(Event(sequence=1, stage_progressed=StageProgressed(stage_id="s", message=text)))
    first, most = state.memory, 0
    for sequence in range(2, 1000):
        state.apply(Event(sequence=sequence, stage_progressed=StageProgressed(stage_id="s", message=text)))
        most = max(most, state.memory)

    assert most <= first + WASTE_LIMIT + 2 * len(text)
    assert text == state.stages["s"].message


@pytest.mark.parametrize(
    "event",
    [Event(stages_planned=StagesPlanned(stages=[Stage(stage_id="p")])), Event(job_started=JobStarted())],
    ids=lambda event: str(event.WhichOneof("payload")),
)
def test_events_that_rewrite_all_stages_count_as_all_stages(event: Event) -> None:
    """Small events can rewrite the whole job, too."""
    stages = [
        Stage(stage_id=f"{n}", title="t" * limits.TITLE_LENGTH, state=StageState.STAGE_STATE_SUCCEEDED)
        for n in range(limits.STAGES - 1)
    ]
    state = Fold(Job(stages=stages))
    first, messages = state.memory, set()
    for sequence in range(1, 20):
        event.sequence = sequence
        state.apply(event)
        messages.add(id(state.job))

        assert state.memory <= 3 * first
    assert len(messages) > 1


@pytest.mark.parametrize("payload", PAYLOADS)
def test_payloads_that_write_text_are_counted(payload: str) -> None:
    """So that a new payload is not forgotten. Numbers are overwritten in place."""
    event = sample(Event.DESCRIPTOR, payload)
    assert isinstance(event, Event)
    of_stage = payload in ("stage_progressed", "stage_ended")
    state = Fold(Job(stages=[Stage(stage_id=getattr(event, payload).stage_id)] if of_stage else []))
    before, memory = list(_texts(state.job)), state.memory
    event.sequence = 1
    state.apply(event)

    assert (before != list(_texts(state.job))) == (memory < state.memory)


def _texts(message: Message) -> Iterator[object]:
    """The texts of a message, and the names of the messages in it."""
    for field, value in message.ListFields():
        values = value if field.is_repeated else [value]
        for each in values:
            if isinstance(each, Message):
                yield field.name
                yield from _texts(each)
            elif isinstance(each, str | bytes):
                yield each
