"""The places of jobs in their queue, of which a list of a thousand jobs asks for a thousand."""

from __future__ import annotations

from milepost.server.dispatch.job_queues import JobQueues, QueuedJob, QueuePlace


def queued(job_id: str, owner: str, priority: int = 0) -> QueuedJob:
    """A job; those with greater ids were submitted later."""
    return QueuedJob(job_id, "k", owner, priority, int(job_id), None, 0)


def test_a_place_is_found_without_a_look_at_other_owners() -> None:
    """There may be ten thousand of them, with a job each."""
    queues = JobQueues()
    for job in (queued("1", "o"), queued("2", "o", 5), queued("3", "o", -5), queued("4", "o")):
        queues.add(job)
    for number in range(5, 9):
        queues.add(queued(f"{number}", f"other {number}"))
    assert [queues.ahead(job_id) for job_id in ("2", "1", "4", "5")] == [0, 1, 6, 2]
    for of_owner in list(queues._queues_of_kind["k"].values())[1:]:
        for queue in of_owner:
            queue.priority, queue.order = 9, [(0, "")] * 100
    assert [queues.place(job_id) for job_id in ("1", "2", "3", "4")] == [
        QueuePlace(1, 4, is_limited=False),
        QueuePlace(0, 4, is_limited=False),
        QueuePlace(3, 4, is_limited=False),
        QueuePlace(2, 4, is_limited=False),
    ]


def test_nothing_is_left_of_jobs_that_have_left() -> None:
    """Neither of their owners nor of their kinds."""
    queues = JobQueues()
    for job in (queued("1", "o"), queued("2", "o", 5), queued("3", "p")):
        queues.add(job)
    for job_id in ("1", "2", "3"):
        queues.remove(job_id)
    assert (queues._queues_of_kind, queues.place("1"), queues.ahead("1")) == ({}, None, 0)
