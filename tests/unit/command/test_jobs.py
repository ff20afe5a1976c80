"""The state of jobs: of one, and of many as a table."""

from __future__ import annotations

from datetime import UTC
from itertools import islice
from textwrap import dedent

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.struct_pb2 import Struct
from rich.cells import cell_len
from rich.console import Group

from milepost.client._cli.rendering.job_details import job_lines, job_picture
from milepost.client._cli.rendering.tables import jobs_lines, jobs_table
from milepost.v1 import (
    Artifact,
    Cancellation,
    Estimate,
    Failure,
    Job,
    JobState,
    RetryPolicy,
    Stage,
    StageState,
)
from tests.unit.command.drawing import drawn
from tests.unit.command.story import JOB_ID, at, canvas, stamp


def struct(**values: str) -> Struct:
    """Build a Struct."""
    made = Struct()
    made.update(values)
    return made


@pytest.fixture
def failed() -> Job:
    """A failed job with all fields set."""
    return Job(
        job_id=JOB_ID,
        kind="archive",
        owner="ann",
        labels={"team": "photos", "env": "test"},
        parent_job_id="whole",
        state=JobState.JOB_STATE_FAILED,
        fraction=0.25,
        fraction_known=True,
        message="gave up",
        stages=[
            Stage(
                stage_id="scan",
                state=StageState.STAGE_STATE_SUCCEEDED,
                current=12,
                unit="files",
                fraction=1.0,
                fraction_known=True,
                start_time=stamp(1),
                end_time=stamp(3),
            ),
            Stage(
                stage_id="scan/deep",
                parent_stage_id="scan",
                title="Deep down",
                state=StageState.STAGE_STATE_SKIPPED,
            ),
            Stage(stage_id="hash", state=StageState.STAGE_STATE_FAILED, failure=Failure(code="DISK")),
        ],
        input=struct(path="/srv/photos"),
        artifacts=[Artifact(name="log", uri="file:///srv/log", size_bytes=2_500)],
        failure=Failure(code="DISK", message="The disk is full.", detail="Traceback:\n  line 1"),
        cancellation=Cancellation(requested_by="ann", reason="too slow"),
        attempt=2,
        retry_policy=RetryPolicy(max_attempts=3),
        worker_id="box-1",
        last_sequence=1234,
        submit_time=stamp(0),
        start_time=stamp(1),
        end_time=stamp(12),
    )


def test_a_job_as_plain_text(failed: Job) -> None:
    """A name and a value per line; values of several lines continue below."""
    expected = dedent(
        f"""\
        job        {JOB_ID}
        kind       archive
        state      failed
        done       25%
        took       00:11
        failure    DISK: The disk is full.
        cancel     cancellation was requested by ann: too slow
        stage      scan: succeeded, 2.0s, 12 files
        stage        Deep down: skipped
        stage      hash: failed, DISK
        artifact   log  2.5 kB  file:///srv/log
        owner      ann
        labels     env=test, team=photos
        part of    whole
        attempt    2 by worker box-1, 3 allowed
        submitted  2026-01-02 12:00:00 UTC
        started    2026-01-02 12:00:01 UTC
        ended      2026-01-02 12:00:12 UTC
        events     1,234
        message    gave up
        input      {{"path":"/srv/photos"}}
        detail     Traceback:
                     line 1"""
    )
    assert "\n".join(job_lines(failed, at(100), UTC)) == expected


def test_a_job_that_runs_as_plain_text() -> None:
    """A job has an estimate if there is evidence; a running stage has its percentage."""
    stage = Stage(
        stage_id="s",
        state=StageState.STAGE_STATE_RUNNING,
        total=4,
        current=1,
        fraction=0.25,
        fraction_known=True,
    )
    job = Job(
        job_id="j",
        kind="k",
        state=JobState.JOB_STATE_RUNNING,
        fraction=0.25,
        fraction_known=True,
        stages=[stage],
        start_time=stamp(0),
        estimate=Estimate(remaining_p50=Duration(seconds=9)),
        last_sequence=3,
    )

    assert list(job_lines(job, at(3), UTC)) == [
        "job        j",
        "kind       k",
        "state      running",
        "done       25%",
        "took       00:03",
        "left       about 00:09",
        "stage      s: running, 25%, 1 of 4",
        "started    2026-01-02 12:00:00 UTC",
        "events     3",
    ]


def test_a_job_on_a_terminal(failed: Job) -> None:
    """The same in a picture."""
    bar = "━" * 20 + "─" * 60
    expected = dedent(
        f"""\
        archive {JOB_ID}  failed{" " * 18}25%  00:11
        {bar}
        ✗ DISK: The disk is full.
        ✗ cancellation was requested by ann: too slow

          ✓ scan         {"━" * 23}  100%  2.0s  12 files
            – Deep down
          ✗ hash         {"─" * 23}              DISK

          log  2.5 kB  file:///srv/log

          owner      ann
          labels     env=test, team=photos
          part of    whole
          attempt    2 by worker box-1, 3 allowed
          submitted  2026-01-02 12:00:00 UTC
          started    2026-01-02 12:00:01 UTC
          ended      2026-01-02 12:00:12 UTC
          events     1,234
          message    gave up
          input      {{"path":"/srv/photos"}}
          detail     Traceback:
                       line 1"""
    )
    assert drawn(job_picture(failed, canvas(80, 100)), 80) == expected


def test_a_job_with_a_title(failed: Job) -> None:
    """The label `title` stands beside the kind, as on pages, and not among the labels; it is cut first."""
    failed.labels["title"] = "weekly\nphotos"
    lines = list(job_lines(failed, at(100), UTC))
    assert lines[1:4] == ["kind       archive", "title      weekly photos", "state      failed"]
    assert "labels     env=test, team=photos" in lines
    assert (
        "  labels     env=test, team=photos" in drawn(job_picture(failed, canvas(80, 100)), 80).splitlines()
    )
    first = [drawn(job_picture(failed, canvas(width, 100)), width).splitlines()[0] for width in (100, 60, 36)]
    assert [line.removesuffix("25%  00:11").rstrip() for line in first] == [
        f"archive weekly photos  {JOB_ID}  failed",
        "archive week…tos  019aa8c2-5f0e-7c1…0a1-9f3e3c1b7a21  failed",
        "archive week…tos  019aa…7a21  failed",
    ]
    wide = failed.labels["title"] = "\u4f1a\u8bae" * 20
    assert drawn(job_picture(failed, canvas(36, 100)), 36).splitlines()[0] == "archive 019a…7a21  failed"
    assert wide in "".join(drawn(job_picture(failed, canvas(36, 100)), 36).split())


def test_a_title_is_to_be_seen_whole(failed: Job) -> None:
    """Of any length: on a line of its own where the header has no room for it."""
    title = failed.labels["title"] = " ".join(f"part {n}" for n in range(31))
    assert f"title      {title}" in job_lines(failed, at(100), UTC)
    assert title in next(islice(jobs_lines([failed], at(100)), 1, None))
    assert f"  title      {title}" in drawn(job_picture(failed, canvas(250, 100)), 250).splitlines()
    failed.labels["title"] = "weekly photos"
    assert "  title " not in drawn(job_picture(failed, canvas(100, 100)), 100)


@pytest.fixture
def jobs(failed: Job) -> list[Job]:
    """Two jobs."""
    queued = Job(job_id="short", kind="transcribe", state=JobState.JOB_STATE_QUEUED, submit_time=stamp(-7200))
    return [failed, queued]


def test_a_table_of_jobs_as_plain_text(jobs: list[Job]) -> None:
    """Aligned columns, nothing cut."""
    assert list(jobs_lines(jobs, at(20))) == [
        "JOB                                   KIND        STATE   DONE  TOOK   AGE  OWNER",
        f"{JOB_ID}  archive     failed  25%   00:11  20s  ann",
        "short                                 transcribe  queued  0%           2h",
    ]


def test_a_table_of_jobs_on_a_terminal(jobs: list[Job]) -> None:
    """No wider than the terminal: kinds and owners are cut, an id is not at 80."""
    assert drawn(Group(*jobs_table(jobs, at(20), 80)), 80).splitlines() == [
        "JOB                                   KIND       STATE   DONE  TOOK   AGE  OWNER",
        f"{JOB_ID}  archive    failed  25%   00:11  20s  ann",
        "short                                 transcri…  queued  0%           2h",
    ]


def test_a_table_of_jobs_with_titles(jobs: list[Job]) -> None:
    """A title stands beside the kind, as far as there is room beside whole ids; in a pipe it is last."""
    jobs[0].labels["title"] = "weekly photos"
    assert list(jobs_lines(jobs, at(20))) == [
        "JOB                                   KIND        STATE   DONE  TOOK   AGE  OWNER  TITLE",
        f"{JOB_ID}  archive     failed  25%   00:11  20s  ann    weekly photos",
        "short                                 transcribe  queued  0%           2h",
    ]
    assert drawn(Group(*jobs_table(jobs, at(20), 90)), 90).splitlines() == [
        "JOB                                   KIND        TITLE    STATE   DONE  TOOK   AGE  OWNER",
        f"{JOB_ID}  archive     weekly…  failed  25%   00:11  20s  ann",
        "short                                 transcribe           queued  0%           2h",
    ]
    narrow = drawn(Group(*jobs_table(jobs, at(20), 80)), 80).splitlines()
    assert narrow[1] == f"{JOB_ID}  archive    failed  25%   00:11  20s  ann"


def test_a_table_without_owners(jobs: list[Job]) -> None:
    """A column that is empty for all jobs is left out."""
    jobs[0].owner = ""

    assert [
        next(jobs_lines(jobs, at(20))).split(),
        next(jobs_table(jobs, at(20), 80)).plain.split(),
    ] == [["JOB", "KIND", "STATE", "DONE", "TOOK", "AGE"]] * 2


def test_a_narrow_table_keeps_the_state(jobs: list[Job]) -> None:
    """Ids are shortened, and the columns after the state left out."""
    assert drawn(Group(*jobs_table(jobs, at(20), 50)), 50).splitlines() == [
        "JOB         KIND   STATE   DONE  TOOK   AGE  OWNER",
        "019aa…7a21  arch…  failed  25%   00:11  20s  ann",
        "short       tran…  queued  0%           2h",
    ]
    assert drawn(Group(*jobs_table(jobs, at(20), 26)), 26).splitlines() == [
        "JOB        KIND   STATE",
        "019a…7a21  arch…  failed",
        "short      tran…  queued",
    ]


def test_a_narrow_table_with_whole_ids(jobs: list[Job]) -> None:
    """Where they do not fit beside the rest, each has a line of its own: `milepost list` is where users copy them."""
    assert drawn(Group(*jobs_table(jobs, at(20), 50, whole_ids=True)), 50).splitlines() == [
        "JOB",
        "  KIND        STATE   DONE  TOOK   AGE  OWNER",
        JOB_ID,
        "  archive     failed  25%   00:11  20s  ann",
        "short",
        "  transcribe  queued  0%           2h",
    ]
    assert drawn(Group(*jobs_table(jobs, at(20), 20, whole_ids=True)), 20).splitlines() == [
        "JOB",
        "  KIND   STATE",
        JOB_ID[:20],
        JOB_ID[20:],
        "  arch…  failed",
        "short",
        "  tran…  queued",
    ]
    assert list(jobs_table(jobs, at(20), 80, whole_ids=True)) == list(jobs_table(jobs, at(20), 80))


@pytest.mark.parametrize("width", [20, 60, 80])
def test_a_table_is_no_wider_than_the_terminal(jobs: list[Job], width: int) -> None:
    """Long kinds and owners are cut, and stay on one line."""
    jobs[1].owner = "somebody with a long name " * 4

    lines = drawn(Group(*jobs_table(jobs, at(20), width)), width).splitlines()

    assert len(lines) == 3
    assert width >= max(map(cell_len, lines))


def test_no_jobs() -> None:
    """The headings alone."""
    assert list(jobs_lines([], at(0))) == ["JOB  KIND  STATE  DONE  TOOK  AGE"]


def test_what_is_done_of_a_job_whose_stages_nobody_planned() -> None:
    """A count without a percentage; nothing if nothing is completed; 0% before the start."""
    stage = Stage(stage_id="s", state=StageState.STAGE_STATE_SUCCEEDED, fraction=1.0, fraction_known=True)
    running = Job(job_id="j", state=JobState.JOB_STATE_RUNNING, fraction=0.5, stages=[stage], attempt=1)
    begun = Job(job_id="k", state=JobState.JOB_STATE_RUNNING, attempt=1)
    queued = Job(job_id="l", state=JobState.JOB_STATE_QUEUED)

    assert [line for line in job_lines(running, at(0), UTC) if line.startswith("done")] == [
        "done       1 stage"
    ]
    assert [line for line in job_lines(begun, at(0), UTC) if line.startswith("done")] == []
    assert [line for line in job_lines(queued, at(0), UTC) if line.startswith("done")] == ["done       0%"]
