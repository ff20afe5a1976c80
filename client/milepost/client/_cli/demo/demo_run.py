"""What the demo shows: a job that is followed, cut off and resumed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from milepost.client import Client
from milepost.client._cli.commands.follow import follow
from milepost.client._cli.demo.connection_cut import Interruption
from milepost.client._cli.demo.event_audit import Account
from milepost.client._cli.demo.tcp_relay import Relay
from milepost.client._cli.rendering.view import EventView
from milepost.client._cli.standard_streams import remark
from milepost.v1 import Job, JobState

__all__ = ["show"]

# A job may be over before its connection could be cut: a small one, or any on a machine that is busy with other things.
_TRIES: Final = 4


async def show(
    client: Client,
    direct: Client,
    relay: Relay,
    content: Mapping[str, object],
    view: Callable[[], EventView],
) -> tuple[Job, Account]:
    """Submits an archive job of ``content`` and follows it by way of the relay, which is cut halfway.

    Where the job is over before that, another one is tried. ``direct`` is a connection beside the relay.
    """
    left = _TRIES
    while True:
        left -= 1
        interruption = Interruption(view(), relay, direct)
        submitted = await direct.submit("archive", content)
        job = await follow(client, submitted.proto, interruption, hint=False)
        account = interruption.account([event async for event in direct.watch(job.job_id, follow=False)])
        if account.cut_at or not left or job.state != JobState.JOB_STATE_SUCCEEDED:
            return job, account
        remark("\nIt was over before its connection could be cut. Once more:\n")
