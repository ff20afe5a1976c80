"""Events as they are appended: encoded as protobuf does, and folded into their job."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from milepost.fold import Fold
from milepost.server import decide
from milepost.server.decide.event_batch import EventBatch
from milepost.server.messages.event_encoding import EventEncoder, event_frame
from milepost.server.messages.submission import Submission
from milepost.server.messages.timestamps import timestamp
from milepost.v1 import Event, Events, Job, JobState, LogWritten, Stage, SubmitJobRequest

NOW = 1_700_000_000_123_456_789


@given(
    st.lists(
        st.one_of(
            st.integers(0, 1 << 68),
            st.integers(0, 1 << 34).map(lambda seconds: seconds * 10**9),
            st.integers(NOW, NOW + 2 * 10**9),
        ),
        min_size=1,
        max_size=5,
    )
)
def test_times_are_encoded_as_protobuf_does(times: list[int]) -> None:
    """Of whatever instants, one after the other; those after the year 9999 become its end."""
    line = LogWritten(text="x")
    encoder = EventEncoder("job", 0, 1)
    for now in times:
        encoder.set_time(now)
        event = Event(job_id="job", sequence=7, time=timestamp(now), attempt=1, log_written=line)
        assert encoder.log_written(7, line) == event_frame(event)


def test_a_batch_of_events_folds_them_in() -> None:
    """The appended job is the fold, except for the input of a new job."""
    fold = Fold()
    request = SubmitJobRequest(kind="k", stages=[Stage(stage_id="a")])
    request.input["x"] = 1
    job_input = request.input.SerializeToString()
    event = decide.submit(request, "job", NOW)
    batch = EventBatch.apply(fold, [event], NOW, job_input)

    event.job_submitted.job.input.CopyFrom(request.input)
    assert list(Events.FromString(batch.frames).events) == [event]
    assert batch.submission == Submission(request.request_id, job_input)
    assert not Job.FromString(batch.job).HasField("input")
    assert (batch.first, batch.last, batch.state) == (1, 1, JobState.JOB_STATE_QUEUED)
