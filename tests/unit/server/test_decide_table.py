"""Every state of a job, and everything that may be asked of it: which events follow, or why none do.

The table is the specification. A line is what is asked, a column the state of the job when it is. A cell has the
payloads of the events that follow, where ``job_ended`` is the state that it ends in (``!``: by force); or the reason of
the refusal; or ``-`` where nothing happens. A job that is ``again`` waits since its first attempt was lost; it may have
three.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from google.protobuf.duration_pb2 import Duration

from milepost.contract.reasons import reason_name
from milepost.server.refusal import Refusal
from milepost.v1 import (
    Artifact,
    ArtifactAdded,
    CancelAcknowledged,
    Custom,
    Dispatch,
    Event,
    Failure,
    JobEnded,
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
from tests.unit.server.house import House

TABLE = """
asked           | QUEUED, again              | RUNNING                     | CANCELLING                  | ended
start           | job_started                | LEASE_LOST                  | LEASE_LOST                  | JOB_ENDED
claim           | job_started                | LEASE_LOST                  | LEASE_LOST                  | JOB_ENDED
resume          | LEASE_LOST                 | -                           | -                           | JOB_ENDED
plan            | LEASE_LOST                 | stages_planned              | stages_planned              | JOB_ENDED
start a stage   | LEASE_LOST                 | stage_started               | stage_started               | JOB_ENDED
progress        | LEASE_LOST                 | stage_progressed            | stage_progressed            | JOB_ENDED
end a stage     | LEASE_LOST                 | stage_ended                 | stage_ended                 | JOB_ENDED
log             | LEASE_LOST                 | log_written                 | log_written                 | JOB_ENDED
artifact        | LEASE_LOST                 | artifact_added              | artifact_added              | JOB_ENDED
custom          | LEASE_LOST                 | custom                      | custom                      | JOB_ENDED
acknowledge     | LEASE_LOST                 | INVALID_FIELD               | cancel_acknowledged         | JOB_ENDED
succeed         | LEASE_LOST                 | SUCCEEDED                   | SUCCEEDED                   | JOB_ENDED
fail            | LEASE_LOST                 | FAILED                      | FAILED                      | JOB_ENDED
fail, retryable | LEASE_LOST                 | attempt_ended               | FAILED                      | JOB_ENDED
stop            | LEASE_LOST                 | INVALID_FIELD               | CANCELLED                   | JOB_ENDED
nothing known   | LEASE_LOST                 | INVALID_FIELD               | INVALID_FIELD               | JOB_ENDED
release         | LEASE_LOST                 | attempt_ended               | CANCELLED                   | JOB_ENDED
another's lease | LEASE_LOST                 | LEASE_LOST                  | LEASE_LOST                  | LEASE_LOST
cancel          | cancel_requested CANCELLED | cancel_requested            | -                           | -
cancel sooner   | cancel_requested CANCELLED | cancel_requested            | cancel_requested            | -
cancel at once  | cancel_requested CANCELLED | cancel_requested CANCELLED! | cancel_requested CANCELLED! | -
grace over      | -                          | -                           | CANCELLED!                  | -
lease out       | -                          | attempt_ended               | CANCELLED!                  | -
timeout         | -                          | FAILED                      | FAILED                      | -
"""

ENDED = ("SUCCEEDED", "FAILED", "CANCELLED", "LOST")
GRACE = 30.0
TIMEOUT = 20.0

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
    "nothing known": Update(),
}


def ask(what: str, house: House, job_id: str, token: str) -> Awaitable[object]:
    """Asks what a line of the table asks."""
    if what in UPDATES:
        return house.report(token, UPDATES[what], job_id=job_id)
    asked: dict[str, Callable[[], Awaitable[object]]] = {
        "start": lambda: house.start(job_id),
        "claim": lambda: house.start(job_id, claimed=True),
        "resume": lambda: house.attempts.resume(job_id, token),
        "release": lambda: house.attempts.release(job_id, token),
        "another's lease": lambda: house.report(token[::-1], UPDATES["log"], job_id=job_id),
        "cancel": lambda: house.cancel(GRACE, job_id),
        "cancel sooner": lambda: house.cancel(GRACE / 2, job_id),
        "cancel at once": lambda: house.cancel(0, job_id),
        "grace over": lambda: house.pass_time(GRACE, job_id),
        "lease out": lambda: house.pass_time(0, job_id, lease_is_out=True),
        "timeout": lambda: house.pass_time(TIMEOUT, job_id),
    }
    return asked[what]()


async def bring(house: House, state: str, *, timeout: float) -> str:
    """Makes a job that is in the state, and has it as its id; the last token that was given out for it."""
    await house.submit(
        state,
        dispatch=Dispatch.DISPATCH_EXTERNAL,
        retry_policy=RetryPolicy(max_attempts=1 if state == "LOST" else 3),
        timeout=Duration(seconds=int(timeout)),
    )
    if state == "QUEUED":
        return ""
    token = await house.start(state)
    started = Update(stage_started=StageStarted(stage=Stage(stage_id="s", total=2)))
    await house.report(token, started, job_id=state)
    befalls = {
        "again": "lease out",
        "CANCELLING": "cancel",
        "SUCCEEDED": "succeed",
        "FAILED": "fail",
        "CANCELLED": "cancel at once",
        "LOST": "lease out",
    }
    if state in befalls:
        await ask(befalls[state], house, state, token)
    return token


def lines() -> dict[str, dict[str, str]]:
    """What is expected, by what is asked and the state."""
    head, *rows = ([cell.strip() for cell in row.split("|")] for row in TABLE.strip().splitlines())
    states = [", ".join(ENDED) if name == "ended" else name for name in head]
    return {
        row[0]: {
            state: expected
            for names, expected in zip(states[1:], row[1:], strict=True)
            for state in names.split(", ")
        }
        for row in rows
    }


def described(event: Event) -> str:
    """The event as a cell has it."""
    if event.HasField("job_ended"):
        state = JobState.Name(event.job_ended.state).removeprefix("JOB_STATE_")
        return f"{state}!" if event.job_ended.forced else state
    return str(event.WhichOneof("payload"))


@pytest.mark.parametrize("asked", lines())
async def test_what_follows(house: House, asked: str) -> None:
    """What the table says, and nothing else; a refusal leaves the log as it was."""
    found = {}
    for state in lines()[asked]:
        token = await bring(house, state, timeout=TIMEOUT if asked == "timeout" else 3600)
        before = await house.events(state)
        try:
            await ask(asked, house, state, token)
        except Refusal as refusal:
            found[state] = reason_name(refusal.reason)
            assert before == await house.events(state)
        else:
            events = (await house.events(state))[len(before) :]
            found[state] = " ".join(map(described, events)) or "-"

    assert lines()[asked] == found


def test_the_table_has_every_state_and_every_update() -> None:
    """What is added to the contract is added here."""
    states = {JobState.Name(state).removeprefix("JOB_STATE_") for state in JobState.values() if state}
    updates = {update.WhichOneof("update") for update in UPDATES.values()}

    assert states | {"again"} == set(lines()["start"])
    assert {None, *(field.name for field in Update.DESCRIPTOR.fields)} == updates


async def test_a_job_of_the_queue_cannot_be_claimed(house: House) -> None:
    """Only one that was submitted as EXTERNAL."""
    await house.submit()

    with pytest.raises(Refusal) as caught:
        await house.start(claimed=True)
    assert "INVALID_FIELD" == reason_name(caught.value.reason)


@pytest.mark.parametrize("state", lines()["start"])
async def test_an_id_is_given_once(house: House, state: str) -> None:
    """However far the job is."""
    await bring(house, state, timeout=3600)

    with pytest.raises(Refusal) as caught:
        await house.submit(state)
    assert "JOB_ALREADY_EXISTS" == reason_name(caught.value.reason)
