"""Every state of a job, everything that may be asked of it, and by whom: which events follow, or why none do.

The table is the specification. A line is who asks for what, a column the state of the job when that is asked. A cell
has the events that follow, by the names that ``EVENTS`` gives to their payloads; or the reason of the refusal; or ``-``
where nothing happens. A job that is ``again`` waits since its first attempt was lost; it may have three. What has
``ended`` has done so in any of the four ways.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from milepost.contract.reasons import reason_name
from milepost.server.base.refusal import Refusal
from milepost.server.messages.timestamps import SECOND, instant, timestamp
from milepost.v1 import (
    Artifact,
    ArtifactAdded,
    AttemptEnded,
    CancelAcknowledged,
    Cancellation,
    CancelRequested,
    Custom,
    Dispatch,
    Event,
    Failure,
    JobEnded,
    JobStarted,
    JobState,
    LogWritten,
    RetryPolicy,
    Stage,
    StageEnded,
    StageProgressed,
    StagesPlanned,
    StageStarted,
    StageState,
    Update,
)
from tests.unit.server.core import Core

TABLE = """
who         | asks                     | QUEUED             | again              | RUNNING            | CANCELLING         | ended
dispatcher  | start                    | started            | started            | LEASE_LOST         | LEASE_LOST         | JOB_ENDED
engine      | claim                    | started            | started            | LEASE_LOST         | LEASE_LOST         | JOB_ENDED
submitter   | submit the same id       | JOB_ALREADY_EXISTS | JOB_ALREADY_EXISTS | JOB_ALREADY_EXISTS | JOB_ALREADY_EXISTS | JOB_ALREADY_EXISTS

holder      | resume                   | LEASE_LOST         | LEASE_LOST         | -                  | -                  | JOB_ENDED
holder      | release                  | LEASE_LOST         | LEASE_LOST         | given back         | stopped            | JOB_ENDED
holder      | plan                     | LEASE_LOST         | LEASE_LOST         | planned            | planned            | JOB_ENDED
holder      | start a stage            | LEASE_LOST         | LEASE_LOST         | stage started      | stage started      | JOB_ENDED
holder      | progress                 | LEASE_LOST         | LEASE_LOST         | progressed         | progressed         | JOB_ENDED
holder      | end a stage              | LEASE_LOST         | LEASE_LOST         | stage ended        | stage ended        | JOB_ENDED
holder      | log                      | LEASE_LOST         | LEASE_LOST         | line               | line               | JOB_ENDED
holder      | artifact                 | LEASE_LOST         | LEASE_LOST         | artifact           | artifact           | JOB_ENDED
holder      | custom                   | LEASE_LOST         | LEASE_LOST         | custom             | custom             | JOB_ENDED
holder      | acknowledge              | LEASE_LOST         | LEASE_LOST         | INVALID_FIELD      | acknowledged       | JOB_ENDED
holder      | succeed                  | LEASE_LOST         | LEASE_LOST         | succeeded          | succeeded          | JOB_ENDED
holder      | fail                     | LEASE_LOST         | LEASE_LOST         | failed             | failed             | JOB_ENDED
holder      | fail, retryable          | LEASE_LOST         | LEASE_LOST         | will be retried    | failed for good    | JOB_ENDED
holder      | stop                     | LEASE_LOST         | LEASE_LOST         | INVALID_FIELD      | stopped            | JOB_ENDED
holder      | be lost                  | LEASE_LOST         | LEASE_LOST         | INVALID_FIELD      | INVALID_FIELD      | JOB_ENDED
holder      | nothing known            | LEASE_LOST         | LEASE_LOST         | INVALID_FIELD      | INVALID_FIELD      | JOB_ENDED

stale lease | resume                   | LEASE_LOST         | LEASE_LOST         | LEASE_LOST         | LEASE_LOST         | LEASE_LOST
stale lease | release                  | LEASE_LOST         | LEASE_LOST         | LEASE_LOST         | LEASE_LOST         | LEASE_LOST
stale lease | any update               | LEASE_LOST         | LEASE_LOST         | LEASE_LOST         | LEASE_LOST         | LEASE_LOST
nobody      | resume                   | LEASE_LOST         | LEASE_LOST         | LEASE_LOST         | LEASE_LOST         | LEASE_LOST
nobody      | release                  | LEASE_LOST         | LEASE_LOST         | LEASE_LOST         | LEASE_LOST         | LEASE_LOST
nobody      | any update               | LEASE_LOST         | LEASE_LOST         | LEASE_LOST         | LEASE_LOST         | LEASE_LOST

its run     | never heard of it        | -                  | -                  | lost on its way    | stopped            | -
its run     | never heard of another   | -                  | -                  | -                  | -                  | -

canceller   | cancel                   | asked, cancelled   | asked, cancelled   | asked, 30 s        | -                  | -
canceller   | cancel sooner            | asked, cancelled   | asked, cancelled   | asked, 15 s        | asked, 15 s        | -
canceller   | cancel at once           | asked, cancelled   | asked, cancelled   | asked, forced      | asked, forced      | -
canceller   | cancel, past the timeout | asked, cancelled   | asked, cancelled   | asked, 20 s        | -                  | -

clock       | grace over               | -                  | -                  | -                  | forced, 30 s       | -
clock       | lease out                | -                  | -                  | worker lost        | forced, lost       | -
clock       | timeout                  | -                  | timed out          | timed out          | forced, 20 s       | -
clock       | attempt timeout          | -                  | -                  | attempt over       | forced, 20 s       | -
clock       | start deadline           | never started      | -                  | -                  | -                  | -
"""  # noqa: E501 - a table is wide

ENDED = ("SUCCEEDED", "FAILED", "CANCELLED", "LOST")
GRACE = 30.0
BOUND = 20.0
BOUNDS = {
    "cancel, past the timeout": "timeout",
    "timeout": "timeout",
    "attempt timeout": "attempt_timeout",
    "start deadline": "start_deadline",
}
"""What bounds the job of a line, in so many seconds."""

UPDATES = {
    "plan": Update(stages_planned=StagesPlanned(stages=[Stage(stage_id="new")])),
    "start a stage": Update(stage_started=StageStarted(stage=Stage(stage_id="new"))),
    "progress": Update(stage_progressed=StageProgressed(stage_id="s", current=1)),
    "end a stage": Update(stage_ended=StageEnded(stage_id="s", state=StageState.STAGE_STATE_SUCCEEDED)),
    "log": Update(log_written=LogWritten(text="x")),
    "artifact": Update(artifact_added=ArtifactAdded(artifact=Artifact(name="a", uri="file:///a"))),
    "custom": Update(custom=Custom(type="t")),
    "acknowledge": Update(cancel_acknowledged=CancelAcknowledged()),
    "succeed": Update(job_ended=JobEnded(state=JobState.JOB_STATE_SUCCEEDED)),
    "fail": Update(job_ended=JobEnded(state=JobState.JOB_STATE_FAILED, failure=Failure(code="X"))),
    "fail, retryable": Update(
        job_ended=JobEnded(state=JobState.JOB_STATE_FAILED, failure=Failure(code="X", retryable=True))
    ),
    "stop": Update(job_ended=JobEnded(state=JobState.JOB_STATE_CANCELLED)),
    "be lost": Update(job_ended=JobEnded(state=JobState.JOB_STATE_LOST)),
    "nothing known": Update(),
}


def at(seconds: float) -> Timestamp:
    """A time in seconds after the job got into its state."""
    return timestamp(round(seconds * SECOND))


def _ended(state: JobState.ValueType, code: str = "", message: str = "", *, retryable: bool = False) -> Event:
    failure = Failure(code=code, message=message, retryable=retryable) if code else None
    return Event(job_ended=JobEnded(state=state, failure=failure))


def _forced(message: str) -> Event:
    return Event(job_ended=JobEnded(state=JobState.JOB_STATE_CANCELLED, forced=True, message=message))


def _attempt_ended(code: str, message: str, after: float) -> Event:
    failure = Failure(code=code, message=message, retryable=True)
    return Event(attempt_ended=AttemptEnded(failure=failure, retry_time=at(after)))


def _asked(seconds: float) -> Event:
    cancellation = Cancellation(reason="r", requested_by="b", request_time=at(0), deadline=at(seconds))
    return Event(cancel_requested=CancelRequested(cancellation=cancellation))


_CANCELLED = _ended(JobState.JOB_STATE_CANCELLED)
_PLANNED = Stage(stage_id="new", state=StageState.STAGE_STATE_PENDING)
_RUNS = Stage(stage_id="new", state=StageState.STAGE_STATE_RUNNING)
_NO_STOP = "Worker 'w' did not stop within its grace period of {} s and lost its lease."

EVENTS = {
    "started": [Event(job_started=JobStarted(worker_id="w", instance="i"))],
    "given back": [_attempt_ended("RELEASED", "Given back by worker 'w'.", 0)],
    "lost on its way": [_attempt_ended("RELEASED", "The assignment did not reach worker 'w'.", 0)],
    "worker lost": [_attempt_ended("WORKER_LOST", "Worker 'w' was not heard from again.", 1)],
    "will be retried": [_attempt_ended("X", "", 1)],
    "attempt over": [
        _attempt_ended("ATTEMPT_TIMEOUT", "Attempt 1 ran longer than its attempt_timeout of 20 s.", BOUND + 1)
    ],
    "planned": [Event(stages_planned=StagesPlanned(stages=[_PLANNED]))],
    "stage started": [Event(stage_started=StageStarted(stage=_RUNS))],
    "progressed": [
        Event(
            stage_progressed=StageProgressed(stage_id="s", current=1, total=2, fraction=0.5, job_fraction=0.5)
        )
    ],
    "stage ended": [
        Event(stage_ended=StageEnded(stage_id="s", state=StageState.STAGE_STATE_SUCCEEDED, job_fraction=1))
    ],
    "line": [Event(log_written=LogWritten(text="x"))],
    "artifact": [Event(artifact_added=ArtifactAdded(artifact=Artifact(name="a", uri="file:///a")))],
    "custom": [Event(custom=Custom(type="t"))],
    "acknowledged": [Event(cancel_acknowledged=CancelAcknowledged())],
    "succeeded": [_ended(JobState.JOB_STATE_SUCCEEDED)],
    "failed": [_ended(JobState.JOB_STATE_FAILED, "X")],
    "failed for good": [_ended(JobState.JOB_STATE_FAILED, "X", retryable=True)],
    "stopped": [_CANCELLED],
    "timed out": [_ended(JobState.JOB_STATE_FAILED, "TIMEOUT", "Took longer than its timeout of 20 s.")],
    "never started": [
        _ended(
            JobState.JOB_STATE_FAILED,
            "START_DEADLINE",
            "Did not start within its start_deadline of 20 s.",
        )
    ],
    "asked, cancelled": [_asked(0), _CANCELLED],
    "asked, 30 s": [_asked(30)],
    "asked, 20 s": [_asked(20)],
    "asked, 15 s": [_asked(15)],
    "asked, forced": [_asked(0), _forced(_NO_STOP.format(0))],
    "forced, 20 s": [_forced(_NO_STOP.format(20))],
    "forced, 30 s": [_forced(_NO_STOP.format(30))],
    "forced, lost": [_forced("Worker 'w' was not heard from again and lost its lease.")],
    "-": [],
}
"""The payloads by the names that the table has for them."""


def ask(core: Core, what: str, job_id: str, token: str) -> Awaitable[object]:
    """Apply the request of a line of the table."""
    if what in UPDATES:
        return core.report(token, UPDATES[what], job_id=job_id)
    asked: dict[str, Callable[[], Awaitable[object]]] = {
        "start": lambda: core.start(job_id),
        "claim": lambda: core.start(job_id, claimed=True),
        "submit the same id": lambda: core.submit(job_id),
        "resume": lambda: core.attempts.resume(job_id, token),
        "release": lambda: core.attempts.release(job_id, token),
        "never heard of it": lambda: core.undo_start(job_id, 1),
        "never heard of another": lambda: core.undo_start(job_id, 2),
        "cancel": lambda: core.cancel(GRACE, job_id),
        "cancel, past the timeout": lambda: core.cancel(GRACE, job_id),
        "cancel sooner": lambda: core.cancel(GRACE / 2, job_id),
        "cancel at once": lambda: core.cancel(0, job_id),
        "grace over": lambda: core.pass_time(GRACE, job_id),
        "lease out": lambda: core.pass_time(0, job_id, lease_is_out=True),
        "timeout": lambda: core.pass_time(BOUND, job_id),
        "attempt timeout": lambda: core.pass_time(BOUND, job_id),
        "start deadline": lambda: core.pass_time(BOUND, job_id),
    }
    return asked[what]()


async def bring(core: Core, state: str, who: str, what: str) -> str:
    """Create a job in the state, with the state as its id; return the requester's lease token."""
    bounds = {BOUNDS[what]: Duration(seconds=round(BOUND))} if what in BOUNDS else {}
    await core.submit(
        state,
        dispatch=Dispatch.DISPATCH_EXTERNAL,
        retry_policy=RetryPolicy(max_attempts=1 if state == "LOST" else 3),
        **bounds,
    )
    stale = token = core.token(state, 1)
    if state != "QUEUED":
        token = await core.start(state)
        if who == "stale lease":
            await core.attempts.release(state, token)
            token = await core.start(state)
        planned = Update(stages_planned=StagesPlanned(stages=[Stage(stage_id="s")]))
        started = Update(stage_started=StageStarted(stage=Stage(stage_id="s", total=2)))
        await core.report(token, planned, started, job_id=state)
    befalls = {
        "again": "lease out",
        "CANCELLING": "cancel",
        "SUCCEEDED": "succeed",
        "FAILED": "fail",
        "CANCELLED": "cancel at once",
        "LOST": "lease out",
    }
    if state in befalls:
        await ask(core, befalls[state], state, token)
    return {"stale lease": stale, "nobody": token[::-1]}.get(who, token)


def lines() -> dict[tuple[str, str], dict[str, str]]:
    """The expected results, by request and state."""
    rows = [[cell.strip() for cell in row.split("|")] for row in TABLE.splitlines() if row]
    states = [", ".join(ENDED) if name == "ended" else name for name in rows[0]]
    found = {}
    for who, what, *cells in rows[1:]:
        expected = {
            state: cell for names, cell in zip(states[2:], cells, strict=True) for state in names.split(", ")
        }
        found[who, what] = expected
    return found


def since(begun: int, event: Event) -> Event:
    """The payload of an event, with times relative to ``at``."""
    bare = Event()
    bare.CopyFrom(event)
    for name in ("job_id", "sequence", "time", "attempt"):
        bare.ClearField(name)
    times = []
    if bare.HasField("attempt_ended"):
        times = [bare.attempt_ended.retry_time]
    if bare.HasField("cancel_requested"):
        cancellation = bare.cancel_requested.cancellation
        times = [cancellation.request_time, cancellation.deadline]
    for time in times:
        time.CopyFrom(timestamp(instant(time) - begun))
    return bare


async def follows(core: Core, what: str, state: str, token: str, begun: int) -> str | list[Event]:
    """The result of a request: a reason, or events; a refusal appends nothing."""
    before = await core.events(state)
    try:
        await ask(core, what, state, token)
    except Refusal as refusal:
        assert before == await core.events(state)
        return reason_name(refusal.reason)
    return [since(begun, event) for event in (await core.events(state))[len(before) :]]


@pytest.mark.parametrize(("who", "what"), lines())
async def test_each_update_has_its_outcome_in_each_state(core: Core, who: str, what: str) -> None:
    """Exactly the events or the refusal of the table follow."""
    for state, cell in lines()[who, what].items():
        begun = core.clock.now()
        token = await bring(core, state, who, what)
        for each in UPDATES if what == "any update" else [what]:
            found = await follows(core, each, state, token, begun)
            assert (state, each, EVENTS.get(cell, cell)) == (state, each, found)


def test_the_table_has_every_state_and_every_update() -> None:
    """Additions to the contract must be added here; and every name is used."""
    states = {JobState.Name(state).removeprefix("JOB_STATE_") for state in JobState.values() if state}
    updates = {update.WhichOneof("update") for update in UPDATES.values()}
    cells = {cell for row in lines().values() for cell in row.values()}

    assert set(lines()["dispatcher", "start"]) == states | {"again"}
    assert updates == {None, *(field.name for field in Update.DESCRIPTOR.fields)}
    assert set(UPDATES) == {what for who, what in lines() if who == "holder"} - {"resume", "release"}
    assert {cell for cell in cells if not cell.isupper()} == set(EVENTS)


async def test_a_job_of_the_queue_cannot_be_claimed(core: Core) -> None:
    """Only a job that was submitted as EXTERNAL can be claimed."""
    await core.submit()

    with pytest.raises(Refusal) as caught:
        await core.start(claimed=True)
    assert reason_name(caught.value.reason) == "INVALID_FIELD"
