"""Every way to start a watch, on every sort of log: the exact frames, or the exact refusal (rules 1, 3 and 4)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import groupby, product
from pathlib import Path
from typing import Any, NamedTuple

import grpc
import grpc.aio
import pytest
from google.protobuf.duration_pb2 import Duration

from milepost.v1 import (
    DeleteJobRequest,
    GetJobRequest,
    JobFilter,
    OnGap,
    Retention,
    Stage,
    StageProgressed,
    StageStarted,
    Update,
    WatchJobsRequest,
    WatchJobsResponse,
)
from tests.support.rpc import Rpc, connect, error_info, eventually, log_line, succeeded
from tests.support.server import Serve, Server
from tests.support.validators import Frame

EPOCHS = ("none", "right", "wrong")
GAPS = {"unset": OnGap.ON_GAP_UNSPECIFIED, "fail": OnGap.ON_GAP_FAIL, "snapshot": OnGap.ON_GAP_SNAPSHOT}

# In all tables "|" parts alternatives and "*" is for all of them. A watch is asked to end at the head. What comes is
# `opened CURSOR of FIRST-HEAD`, `snapshot` and `caught_up` with their sequences, and events as ranges; or a reason
# with its metadata.

# fresh:   submitted only.                          running: has 4 events.          ended: has 6 events.
# trimmed: runs, 21 to 120 are kept.                emptied: ended, none of its 4 events is kept.
# thinned: ended, progress 4 and 5 is left out.     deleted: was there.
OF_A_JOB = """
fresh    unset|0        none|right  *           opened 0 of 1-1, 1, caught_up 1
fresh    1              none|right  *           opened 1 of 1-1, caught_up 1
fresh    2              none|right  *           SEQUENCE_AHEAD requested=2 first=1 head=1
fresh    unset|0|1|2    wrong       unset|fail  EPOCH_CHANGED
fresh    unset|0|1|2    wrong       snapshot    opened 1 of 1-1, snapshot 1, caught_up 1
fresh    from_snapshot  *           *           opened 1 of 1-1, snapshot 1, caught_up 1
fresh    from_latest    *           *           opened 1 of 1-1, caught_up 1

running  unset|0        none|right  *           opened 0 of 1-4, 1-4, caught_up 4
running  2              none|right  *           opened 2 of 1-4, 3-4, caught_up 4
running  4              none|right  *           opened 4 of 1-4, caught_up 4
running  5              none|right  *           SEQUENCE_AHEAD requested=5 first=1 head=4
running  unset|0|2|4|5  wrong       unset|fail  EPOCH_CHANGED
running  unset|0|2|4|5  wrong       snapshot    opened 4 of 1-4, snapshot 4, caught_up 4
running  from_snapshot  *           *           opened 4 of 1-4, snapshot 4, caught_up 4
running  from_latest    *           *           opened 4 of 1-4, caught_up 4

ended    unset|0        none|right  *           opened 0 of 1-6, 1-6, caught_up 6
ended    2              none|right  *           opened 2 of 1-6, 3-6, caught_up 6
ended    5              none|right  *           opened 5 of 1-6, 6, caught_up 6
ended    6              none|right  *           opened 6 of 1-6, caught_up 6
ended    7              none|right  *           SEQUENCE_AHEAD requested=7 first=1 head=6
ended    unset|0|2|5|6|7  wrong     unset|fail  EPOCH_CHANGED
ended    unset|0|2|5|6|7  wrong     snapshot    opened 6 of 1-6, snapshot 6, caught_up 6
ended    from_snapshot  *           *           opened 6 of 1-6, snapshot 6, caught_up 6
ended    from_latest    *           *           opened 6 of 1-6, caught_up 6

trimmed  unset|0        none|right  unset|fail  SEQUENCE_TRIMMED requested=0 first=21 head=120
trimmed  19             none|right  unset|fail  SEQUENCE_TRIMMED requested=19 first=21 head=120
trimmed  unset|0|19     none|right  snapshot    opened 120 of 21-120, snapshot 120, caught_up 120
trimmed  20             none|right  *           opened 20 of 21-120, 21-120, caught_up 120
trimmed  50             none|right  *           opened 50 of 21-120, 51-120, caught_up 120
trimmed  120            none|right  *           opened 120 of 21-120, caught_up 120
trimmed  121            none|right  *           SEQUENCE_AHEAD requested=121 first=21 head=120
trimmed  unset|0|19|20|50|120|121  wrong  unset|fail  EPOCH_CHANGED
trimmed  unset|0|19|20|50|120|121  wrong  snapshot    opened 120 of 21-120, snapshot 120, caught_up 120
trimmed  from_snapshot  *           *           opened 120 of 21-120, snapshot 120, caught_up 120
trimmed  from_latest    *           *           opened 120 of 21-120, caught_up 120

emptied  unset|0        none|right  unset|fail  SEQUENCE_TRIMMED requested=0 first=5 head=4
emptied  3              none|right  unset|fail  SEQUENCE_TRIMMED requested=3 first=5 head=4
emptied  unset|0|3      none|right  snapshot    opened 4 of 5-4, snapshot 4, caught_up 4
emptied  4              none|right  *           opened 4 of 5-4, caught_up 4
emptied  5              none|right  *           SEQUENCE_AHEAD requested=5 first=5 head=4
emptied  unset|0|3|4|5  wrong       unset|fail  EPOCH_CHANGED
emptied  unset|0|3|4|5  wrong       snapshot    opened 4 of 5-4, snapshot 4, caught_up 4
emptied  from_snapshot  *           *           opened 4 of 5-4, snapshot 4, caught_up 4
emptied  from_latest    *           *           opened 4 of 5-4, caught_up 4

thinned  unset|0        none|right  *           opened 0 of 1-7, 1-3 6-7, caught_up 7
thinned  3              none|right  *           opened 3 of 1-7, 6-7, caught_up 7
thinned  4              none|right  *           opened 4 of 1-7, 6-7, caught_up 7
thinned  7              none|right  *           opened 7 of 1-7, caught_up 7
thinned  8              none|right  *           SEQUENCE_AHEAD requested=8 first=1 head=7
thinned  unset|0|3|4|7|8  wrong     unset|fail  EPOCH_CHANGED
thinned  unset|0|3|4|7|8  wrong     snapshot    opened 7 of 1-7, snapshot 7, caught_up 7
thinned  from_snapshot  *           *           opened 7 of 1-7, snapshot 7, caught_up 7
thinned  from_latest    *           *           opened 7 of 1-7, caught_up 7

deleted  unset|0|1|2|3|from_snapshot|from_latest  *  *  JOB_NOT_FOUND
"""

# Positions by name: job a, submitted (1) and cancelled (2, with two events); job b, submitted (3).
OF_ALL_JOBS = """
whole    unset|0        none|right  *           opened 0 of 1-3, a:1-3 b:1, caught_up 3
whole    1              none|right  *           opened 1 of 1-3, a:2-3 b:1, caught_up 3
whole    2              none|right  *           opened 2 of 1-3, b:1, caught_up 3
whole    3              none|right  *           opened 3 of 1-3, caught_up 3
whole    4              none|right  *           SEQUENCE_AHEAD requested=4 first=1 head=3
whole    unset|0|1|2|3|4  wrong     unset|fail  EPOCH_CHANGED
whole    unset|0|1|2|3|4  wrong     snapshot    opened 3 of 1-3, snapshot a:3, snapshot b:1, caught_up 3
whole    from_snapshot  *           *           opened 3 of 1-3, snapshot a:3, snapshot b:1, caught_up 3
whole    from_latest    *           *           opened 3 of 1-3, caught_up 3
"""

# Job a is deleted (4): cursors up to 2 cannot be continued, except by starting over.
DROPPED = """
dropped  unset|0        none|right  *           opened 0 of 3-4, b:1, deleted a, caught_up 4
dropped  1              none|right  unset|fail  SEQUENCE_TRIMMED requested=1 first=3 head=4
dropped  1              none|right  snapshot    opened 4 of 3-4, snapshot b:1, caught_up 4
dropped  2              none|right  *           opened 2 of 3-4, b:1, deleted a, caught_up 4
dropped  3              none|right  *           opened 3 of 3-4, deleted a, caught_up 4
dropped  4              none|right  *           opened 4 of 3-4, caught_up 4
dropped  5              none|right  *           SEQUENCE_AHEAD requested=5 first=3 head=4
dropped  unset|0|1|2|3|4|5  wrong   unset|fail  EPOCH_CHANGED
dropped  unset|0|1|2|3|4|5  wrong   snapshot    opened 4 of 3-4, snapshot b:1, caught_up 4
dropped  from_snapshot  *           *           opened 4 of 3-4, snapshot b:1, caught_up 4
dropped  from_latest    *           *           opened 4 of 3-4, caught_up 4
"""


class Case(NamedTuple):
    """A cell of the matrix."""

    log: str
    start: str
    epoch: str
    on_gap: str


def cases(table: str) -> dict[Case, str]:
    """The cells of a table, with alternatives expanded. Each cell is defined once."""
    found: dict[Case, str] = {}
    for line in filter(None, table.splitlines()):
        log, starts, epochs, gaps, expected = line.split(maxsplit=4)
        alternatives = (
            starts.split("|"),
            EPOCHS if epochs == "*" else epochs.split("|"),
            GAPS if gaps == "*" else gaps.split("|"),
        )
        for start, epoch, on_gap in product(*alternatives):
            case = Case(log, start, epoch, on_gap)
            assert case not in found, case
            found[case] = expected
    rows = {(case.log, case.start) for case in found}
    assert {Case(*row, epoch, gap) for row in rows for epoch in EPOCHS for gap in GAPS} == set(found)
    return found


class Places:
    """Maps the numbers of a table to cursors: equal for a job; positions may have gaps."""

    def __init__(self, *cursors: int) -> None:
        self._cursors = cursors

    def cursor(self, place: int) -> int:
        """The cursor of a number; numbers after the last are ahead of the head."""
        if place < len(self._cursors):
            return self._cursors[place]
        return self._cursors[-1] + 1 if self._cursors else place

    def place(self, cursor: int) -> int:
        """The number of a cursor, or of the next one after it."""
        if not self._cursors:
            return cursor
        if cursor in self._cursors:
            return self._cursors.index(cursor)
        return self._cursors.index(cursor - 1) + 1


IN_A_JOB = Places()


def request_of(case: Case, epoch: str, cursor: str, places: Places = IN_A_JOB) -> dict[str, Any]:
    """The fields that requests of both RPCs share; ``cursor`` is the name of the cursor's field."""
    fields: dict[str, Any] = {"no_follow": True, "on_gap": GAPS[case.on_gap]}
    fields["epoch"] = {"none": "", "right": epoch, "wrong": "another"}[case.epoch]
    if case.start.isdigit():
        fields[cursor] = places.cursor(int(case.start))
    elif case.start != "unset":
        fields[case.start] = True
    return fields


async def described(call: Any, names: dict[str, str], places: Places = IN_A_JOB) -> str:
    """The answer in the notation of the tables; ``names`` are those of the jobs, empty for one job."""
    try:
        return ", ".join([describe(frame, names, places) async for frame in call])
    except grpc.aio.AioRpcError as error:
        info = error_info(error)
        metadata = {} if info.reason == "EPOCH_CHANGED" else info.metadata
        shown = [
            f"{name}={places.place(int(metadata[name]))}"
            for name in ("requested", "first", "head")
            if name in metadata
        ]
        return " ".join([info.reason, *shown])


def describe(frame: Frame, names: dict[str, str], places: Places) -> str:
    """A frame in the notation of the tables."""

    def of(job_id: str) -> str:
        return f"{names[job_id]}:" if names else ""

    match frame.WhichOneof("frame"):
        case "opened":
            opened = frame.opened
            cursor, first, head = map(
                places.place, (opened.cursor, opened.first_sequence, opened.head_sequence)
            )
            return f"opened {cursor} of {first}-{head}"
        case "snapshot":
            return f"snapshot {of(frame.snapshot.job.job_id)}{frame.snapshot.job.last_sequence}"
        case "events":
            grouped = groupby(frame.events.events, lambda event: event.job_id)
            return " ".join(of(job_id) + " ".join(ranges([e.sequence for e in es])) for job_id, es in grouped)
        case "caught_up":
            return f"caught_up {places.place(frame.caught_up.sequence)}"
        case "deleted" if isinstance(frame, WatchJobsResponse):
            return f"deleted {names[frame.deleted.job_id]}"
    return str(frame)


def ranges(sequences: list[int]) -> Iterator[str]:
    """Consecutive sequences as ranges."""
    for _, run in groupby(enumerate(sequences), lambda pair: pair[1] - pair[0]):
        numbers = [sequence for _, sequence in run]
        yield str(numbers[0]) if len(numbers) == 1 else f"{numbers[0]}-{numbers[-1]}"


async def make_jobs(rpc: Rpc) -> dict[str, str]:
    """Create jobs with the logs of the table; return their ids by name."""
    jobs: dict[str, str] = {}
    start = Update(stage_started=StageStarted(stage=Stage(stage_id="s", total=10)))
    progress = [Update(stage_progressed=StageProgressed(stage_id="s", current=n)) for n in range(3)]
    reports: dict[str, tuple[Retention, list[list[Update]]]] = {
        "running": (Retention(), [[log_line("1"), log_line("2")]]),
        "ended": (Retention(), [[log_line("1")], [log_line("2"), log_line("3"), succeeded()]]),
        "trimmed": (Retention(max_events=100), [[log_line("x")] * 18, [log_line("x")] * 100]),
        "emptied": (Retention(keep_events=Duration()), [[log_line("1"), succeeded()]]),
        "thinned": (Retention(), [[start, *progress, succeeded()]]),
        "deleted": (Retention(), [[succeeded()]]),
    }
    async with rpc.session() as session:
        for name, (retention, batches) in reports.items():
            await rpc.submit(retention=retention)
            job, token = await session.take()
            jobs[name], said = job.job_id, 0
            for batch in batches:
                await session.report(job.job_id, token, said + 1, *batch)
                await session.acknowledged(said := said + len(batch))
    jobs["fresh"] = (await rpc.submit(kind=f"{rpc.kind}-waiting")).job_id
    await rpc.jobs.DeleteJob(DeleteJobRequest(job_id=jobs["deleted"]))

    async def is_swept() -> bool:
        trimmed, emptied, thinned = [
            (await rpc.jobs.GetJob(GetJobRequest(job_id=jobs[name]))).job
            for name in ("trimmed", "emptied", "thinned")
        ]
        return (trimmed.first_sequence, emptied.first_sequence, thinned.thinned_sequence) == (21, 5, 7)

    await eventually(is_swept)
    return jobs


async def test_watch_job(tmp_path: Path, serve: Serve) -> None:
    """Exactly the frames of the table come, or the call ends with its reason."""
    options = ("--sweep-interval", "0.05", "--keep-progress", "0")
    with serve(tmp_path / "data", *options) as server:
        async with connect(server.address) as rpc:
            jobs = await make_jobs(rpc)
            expected = cases(OF_A_JOB)
            calls = [
                rpc.watch(jobs[case.log], **request_of(case, server.epoch, "after_sequence"))
                for case in expected
            ]
            found = await asyncio.gather(*(described(call, {}) for call in calls))
    assert dict(zip(expected, found, strict=True)) == expected


async def test_watch_jobs(server: Server) -> None:
    """The same with positions."""
    async with connect(server.address) as rpc:
        first = (await rpc.submit()).job_id
        positions = [0, await head(rpc)]
        await rpc.cancel(first)
        positions.append(await head(rpc))
        second = (await rpc.submit()).job_id
        positions.append(await head(rpc))
        names = {first: "a", second: "b"}
        for table in (OF_ALL_JOBS, DROPPED):
            if table is DROPPED:
                await rpc.jobs.DeleteJob(DeleteJobRequest(job_id=first))
                positions.append(await head(rpc))
            places = Places(*positions)
            expected = cases(table)
            calls = [
                rpc.jobs.WatchJobs(
                    WatchJobsRequest(
                        filter=JobFilter(kinds=[rpc.kind]),
                        **request_of(case, server.epoch, "after_position", places),
                    )
                )
                for case in expected
            ]
            found = await asyncio.gather(*(described(call, names, places) for call in calls))
            assert dict(zip(expected, found, strict=True)) == expected


async def head(rpc: Rpc) -> int:
    """The newest position."""
    request = WatchJobsRequest(filter=JobFilter(kinds=[rpc.kind]), from_latest=True, no_follow=True)
    frames = [frame async for frame in rpc.jobs.WatchJobs(request)]
    return frames[0].opened.head_sequence


def test_each_cell_is_reported_once() -> None:
    """The tables are complete."""
    with pytest.raises(AssertionError):
        cases("fresh 1 none * x\nfresh 1 * * x")
    with pytest.raises(AssertionError):
        cases("fresh 1 none * x")
