"""Following a job: rules 1 to 9 at the wire."""

from __future__ import annotations

from itertools import groupby

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration

from milepost.fold import fold
from milepost.v1 import GetJobRequest, OnGap, WatchJobResponse
from tests.support.rpc import Rpc, WatchCall, connect, error_info, eventually, kinds, log_line, succeeded
from tests.support.server import Server
from tests.support.validators import History, Recording, check


async def finished_job(rpc: Rpc, lines: int) -> str:
    """Run a job with this many log lines to its end: submitted (1), started (2), lines, ended."""
    async with rpc.session() as session:
        submitted = await rpc.submit()
        job, token = await session.take()
        await session.report(job.job_id, token, 1, *[log_line(str(n)) for n in range(lines)], succeeded())
        await session.acknowledged(lines + 1)
    return submitted.job_id


async def frames_of(rpc: Rpc, job_id: str, **request: object) -> list[WatchJobResponse]:
    """Read all frames of a watch that ends."""
    return [frame async for frame in rpc.watch(job_id, **request)]


async def next_frame(watch: WatchCall) -> WatchJobResponse:
    """Receive the next frame of an open watch."""
    frame = await watch.read()
    assert isinstance(frame, WatchJobResponse), "the stream ended"
    return frame


def names(frames: list[WatchJobResponse]) -> list[str | None]:
    """The names of the frames."""
    return [frame.WhichOneof("frame") for frame in frames]


def sequences(frames: list[WatchJobResponse]) -> list[int]:
    """The sequences of all events in the frames."""
    return [event.sequence for frame in frames for event in frame.events.events]


async def test_whole_log(rpc: Rpc) -> None:
    """Rule 1: an unset start is the whole log. `opened` comes first, `caught_up` once, and the end after job_ended."""
    job_id = await finished_job(rpc, lines=3)
    frames = await frames_of(rpc, job_id)
    assert [name for name, _ in groupby(names(frames))] == ["opened", "events", "caught_up"]
    opened = frames[0].opened
    assert (
        opened.epoch,
        opened.first_sequence,
        opened.head_sequence,
        opened.cursor,
    ) == ((await rpc.get(job_id)).epoch, 1, 6, 0)
    assert sequences(frames) == [1, 2, 3, 4, 5, 6]
    assert kinds([event for frame in frames for event in frame.events.events]) == [
        "job_submitted",
        "job_started",
        "log_written",
        "log_written",
        "log_written",
        "job_ended",
    ]
    assert frames[-1].caught_up.sequence == 6


async def test_fold_of_the_log_is_the_job(rpc: Rpc) -> None:
    """The job that the server returns is the fold of the log that it sends."""
    job_id = await finished_job(rpc, lines=3)
    result = (await rpc.jobs.GetJob(GetJobRequest(job_id=job_id))).job
    folded = fold(await rpc.log(job_id))
    folded.epoch, folded.first_sequence = result.epoch, result.first_sequence
    assert folded == result


@pytest.mark.parametrize("cursor", range(7))
async def test_resume_from_each_sequence(rpc: Rpc, cursor: int) -> None:
    """Rule 1: a cursor is exclusive; from each one the rest of the log follows, complete and once (rule 2)."""
    job_id = await finished_job(rpc, lines=3)
    frames = await frames_of(rpc, job_id, after_sequence=cursor)
    assert list(range(cursor + 1, 7)) == sequences(frames)
    assert cursor == frames[0].opened.cursor
    check(Recording.of(frames, cursor=cursor), History.of_log(await rpc.log(job_id)))


@pytest.mark.parametrize("most", [1, 2, 5, 10_000])
async def test_max_batch_events(rpc: Rpc, most: int) -> None:
    """No frame has more events than requested, and all events come."""
    job_id = await finished_job(rpc, lines=10)
    frames = await frames_of(rpc, job_id, max_batch_events=most)
    assert list(range(1, 14)) == sequences(frames)
    assert most >= max(len(frame.events.events) for frame in frames)
    check(Recording.of(frames), History.of_log(await rpc.log(job_id)))


async def test_live_events(rpc: Rpc) -> None:
    """Rules 5 and 6: replay and live are one stream, which ends after job_ended and only then."""
    async with rpc.session() as session:
        submitted = await rpc.submit()
        job, token = await session.take()
        watch = rpc.watch(submitted.job_id)
        seen = [await next_frame(watch)]
        while seen[-1].WhichOneof("frame") != "caught_up":
            seen.append(await next_frame(watch))
        for number in range(1, 6):
            await session.report(job.job_id, token, number, log_line(str(number)))
            frame = await next_frame(watch)
            assert [str(number)] == [event.log_written.text for event in frame.events.events]
            seen.append(frame)
        await session.report(job.job_id, token, 6, succeeded())
        seen.append(await next_frame(watch))
        assert await watch.read() is grpc.aio.EOF
        assert list(range(1, 9)) == sequences(seen)
        assert await watch.code() == grpc.StatusCode.OK
        check(Recording.of(seen), History.of_log(await rpc.log(job.job_id)))


async def test_no_follow(rpc: Rpc) -> None:
    """With no_follow the stream ends at the head of a running job."""
    job = await rpc.submit()
    assert names(await frames_of(rpc, job.job_id, no_follow=True)) == ["opened", "events", "caught_up"]


async def test_status_on_an_idle_stream(rpc: Rpc) -> None:
    """An idle stream sends a status at the requested interval."""
    job = await rpc.submit()
    watch = rpc.watch(job.job_id, after_sequence=1, status_interval=Duration(seconds=1))
    assert names([await next_frame(watch) for _ in range(3)]) == ["opened", "caught_up", "status"]
    status = (await next_frame(watch)).status
    assert (status.cursor, status.head_sequence, status.fraction) == (1, 1, 0.0)
    watch.cancel()


async def test_snapshot_then_events(rpc: Rpc) -> None:
    """`from_snapshot` is the job as of a sequence, and then the events after it."""
    job_id = await finished_job(rpc, lines=3)
    frames = await frames_of(rpc, job_id, from_snapshot=True)
    assert names(frames) == ["opened", "snapshot", "caught_up"]
    assert (await rpc.jobs.GetJob(GetJobRequest(job_id=job_id))).job == frames[1].snapshot.job
    assert frames[0].opened.cursor == 6
    check(Recording.of(frames, cursor=None), History.of_log(await rpc.log(job_id)))


async def test_from_latest(rpc: Rpc) -> None:
    """`from_latest` sends only later events."""
    job_id = await finished_job(rpc, lines=3)
    frames = await frames_of(rpc, job_id, from_latest=True)
    assert names(frames) == ["opened", "caught_up"]
    check(Recording.of(frames, cursor=None), History.of_log(await rpc.log(job_id)))


async def test_cursor_ahead(rpc: Rpc) -> None:
    """Rule 4: a cursor ahead of the head is refused with the cursor and the head."""
    job_id = await finished_job(rpc, lines=3)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await frames_of(rpc, job_id, after_sequence=7)
    assert caught.value.code() == grpc.StatusCode.OUT_OF_RANGE
    info = error_info(caught.value)
    assert (
        info.reason,
        dict(info.metadata),
    ) == ("SEQUENCE_AHEAD", {"requested": "7", "first": "1", "head": "6"})


async def test_cursor_ahead_waits_for_the_log(rpc: Rpc) -> None:
    """Rule 4: the log has a moment to reach the cursor."""
    async with rpc.session() as session:
        await rpc.submit()
        job, token = await session.take()
        watch = rpc.watch(job.job_id, after_sequence=3)
        await session.report(job.job_id, token, 1, log_line("3"), log_line("4"))
        opened = await next_frame(watch)
        assert opened.opened.cursor == 3
        assert [event.log_written.text for event in (await next_frame(watch)).events.events] == ["4"]
        watch.cancel()


async def test_epoch(shared_server: Server, rpc: Rpc) -> None:
    """Rule 4: a cursor of another epoch is refused, or answered with a snapshot if requested."""
    job_id = await finished_job(rpc, lines=3)
    assert sequences(await frames_of(rpc, job_id, after_sequence=3, epoch=shared_server.epoch)) == [4, 5, 6]
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await frames_of(rpc, job_id, after_sequence=3, epoch="another")
    assert caught.value.code() == grpc.StatusCode.FAILED_PRECONDITION
    info = error_info(caught.value)
    metadata = {"requested": "another", "epoch": (await rpc.get(job_id)).epoch}
    assert ("EPOCH_CHANGED", metadata) == (info.reason, dict(info.metadata))
    frames = await frames_of(rpc, job_id, after_sequence=3, epoch="another", on_gap=OnGap.ON_GAP_SNAPSHOT)
    assert names(frames) == ["opened", "snapshot", "caught_up"]


async def test_unknown_job(rpc: Rpc) -> None:
    """A watch of a job that does not exist is NOT_FOUND."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await frames_of(rpc, "nobody")
    assert caught.value.code() == grpc.StatusCode.NOT_FOUND
    assert error_info(caught.value).reason == "JOB_NOT_FOUND"


async def test_leaving_cancels_nothing(server: Server) -> None:
    """Rule 9: subscribers that come and go do not affect the job."""
    async with connect(server.address) as rpc, rpc.session() as session:
        await rpc.submit()
        job, token = await session.take()
        for _ in range(20):
            watch = rpc.watch(job.job_id)
            await watch.read()
            watch.cancel()

        async def all_left() -> bool:
            lines = [
                line for line in server.log() if line.get("method") == "/milepost.v1.JobService/WatchJob"
            ]
            return len(lines) == 20

        await eventually(all_left)
        await session.report(job.job_id, token, 1, succeeded())
        await session.acknowledged(1)
        assert kinds(await rpc.log(job.job_id)) == ["job_submitted", "job_started", "job_ended"]
