"""A later job with the id of a deleted one is another job: nothing that is left of the first one reaches it."""

from __future__ import annotations

import uuid

from milepost.v1 import DeleteJobRequest, ErrorReason, JobEnded, JobState, Resume, Update
from tests.support.rpc import Rpc, log_line, succeeded


async def test_an_old_lease_is_not_that_of_a_later_job(rpc: Rpc) -> None:
    """What a worker reports late of the first one, an end among it, is refused, and so is its resumption."""
    job_id, kind = uuid.uuid4().hex, uuid.uuid4().hex
    await rpc.submit(job_id=job_id, kind=kind)
    async with rpc.session(kinds=[kind]) as first:
        _, old = await first.take()
        await first.report(job_id, old, 1, log_line("old"))
        await first.receive("acknowledged")
        await rpc.cancel(job_id, 0)
    await rpc.jobs.DeleteJob(DeleteJobRequest(job_id=job_id))
    await rpc.submit(job_id=job_id, kind=kind)
    async with rpc.session(kinds=[kind]) as second, rpc.session(kinds=["none"]) as late:
        _, new = await second.take()
        await late.send(resume=Resume(job_id=job_id, lease_token=old))
        assert (await late.receive("rejected")).rejected.reason == ErrorReason.ERROR_REASON_LEASE_LOST
        ended = Update(job_ended=JobEnded(state=JobState.JOB_STATE_FAILED))
        for updates in ([log_line("old"), ended], [ended]):
            await late.report(job_id, old, 1, *updates)
            refused = (await late.receive("rejected")).rejected
            assert (refused.lease_token, refused.reason) == (old, ErrorReason.ERROR_REASON_LEASE_LOST)
        await second.report(job_id, new, 1, log_line("new"))
        await second.acknowledged(1)
        await second.report(job_id, new, 2, succeeded())
        await second.acknowledged(2)
    texts = [event.log_written.text for event in await rpc.ended(job_id) if event.HasField("log_written")]
    assert texts == ["new"]
    assert (await rpc.get(job_id)).state == JobState.JOB_STATE_SUCCEEDED
