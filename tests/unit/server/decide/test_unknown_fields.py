"""Progress with fields that this version does not know: in these protobuf checks no text."""

from __future__ import annotations

import pytest

from milepost.fold import Fold
from milepost.server import decide
from milepost.server.base.refusal import job_ended
from milepost.server.messages.event_encoding import event_frame, varint
from milepost.v1 import Stage, StageProgressed, StageStarted, SubmitJobRequest, Update

NOW = 1_700_000_000_123_456_789
NO_TEXT = b"\xff\xfe\xfd"


def running() -> Fold:
    """A job with a stage that runs."""
    fold = Fold()
    stage = Stage(stage_id="a", total=10)
    fold.apply(decide.submit(SubmitJobRequest(kind="k", stages=[stage]), "job", NOW))
    fold.apply(decide.start(fold.job, "w", NOW))
    fold.apply(decide.report(fold, Update(stage_started=StageStarted(stage=stage)), NOW))
    return fold


def text_field(number: int, content: bytes) -> bytes:
    """A field of less than 128 bytes."""
    return varint(number << 3 | 2) + varint(len(content)) + content


def update_of(*, message: str = "", current: float = 3, within: bytes = b"", after: bytes = b"") -> Update:
    """Progress with these bytes at its end, and at that of the update."""
    progress = StageProgressed(stage_id="a", current=current, message=message).SerializeToString() + within
    update = Update(stage_progressed=StageProgressed.FromString(progress))
    return Update.FromString(update.SerializeToString() + after)


@pytest.mark.parametrize(
    "update",
    [
        update_of(after=text_field(StageProgressed.MESSAGE_FIELD_NUMBER, NO_TEXT)),
        update_of(
            current=0, after=varint(StageProgressed.CURRENT_FIELD_NUMBER << 3 | 1) + bytes(6) + b"\xf0\x3f"
        ),
        # Together with the field after it, the message has the length of one whose length takes two bytes.
        update_of(message="\x01xyz!", within=text_field(100, NO_TEXT * 42)),
    ],
    ids=["like a message", "like an amount", "after a message"],
)
def test_fields_of_other_versions_do_not_become_those_of_progress(update: Update) -> None:
    """The event is the one of an update that is decided by its fields, in a report of one and of many."""
    decided, fold, plain_fold = running(), running(), running()
    event = decide.report(decided, update, NOW)
    decided.apply(event)
    batches = decide.report_batches(
        fold, [update], 1, NOW, size=0, batch_bytes=1 << 16, over=job_ended, updates_size=None
    )
    frames = [batch.events.frames for batch in batches if batch is not None]

    assert (b"".join(frames), fold.job) == (event_frame(event), decided.job)
    assert decide.PlainReports(plain_fold, "token").decide([update], NOW, 0) is None
    assert plain_fold.job == running().job
