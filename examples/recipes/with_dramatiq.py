"""Dramatiq: the actor has a job, which its retries continue.

In two terminals: ``dramatiq examples.recipes.with_dramatiq`` and ``python -m examples.recipes.with_dramatiq``;
MILEPOST_ADDRESS and REDIS_URL say where.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import dramatiq
from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware import CurrentMessage

from examples.recipes.pages import THREE_ATTEMPTS, convert
from milepost.client import Cancelled, SyncClient
from milepost.client.errors import JobEndedError
from milepost.v1 import Dispatch

broker = RedisBroker(url=os.environ.get("REDIS_URL", "redis://127.0.0.1"))
broker.add_middleware(CurrentMessage())
dramatiq.set_broker(broker)


@dramatiq.actor(max_retries=2, min_backoff=100)
def convert_pages(job_id: str) -> None:
    """The actor. A retry is the same message, and so the same instance."""
    message = CurrentMessage.get_current_message()
    assert message is not None
    try:
        with SyncClient() as client, client.attach(job_id, instance=message.message_id, wait=60) as job:
            job.result = convert(job)
    except (Cancelled, JobEndedError):
        return  # nothing to do any more, and nothing to retry


def submit(input_values: Mapping[str, Any]) -> str:
    """Submit a job, and send the message that claims it."""
    with SyncClient() as client:
        job = client.submit(
            "convert", input_values, dispatch=Dispatch.DISPATCH_EXTERNAL, retry_policy=THREE_ATTEMPTS
        )
    convert_pages.send(job.job_id)
    return job.job_id


if __name__ == "__main__":
    print(submit({"pages": 5, "seconds": 1}))
