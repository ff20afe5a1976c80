"""What a start held is free once it has failed, without the garbage collector."""

from __future__ import annotations

from milepost.server.dispatch.dispatcher import Dispatcher
from milepost.server.dispatch.job_starts import JobStart
from milepost.server.log.log_errors import Conflict, StoreFull
from milepost.v1 import Dispatch
from tests.support.instances import instances
from tests.support.rpc import eventually
from tests.unit.server.core import Core
from tests.unit.server.dispatching import hears, takes, worker


async def test_a_start_that_another_node_has_overtaken(
    core: Core, dispatcher: Dispatcher, no_collector: None
) -> None:
    """It would keep the session of its worker."""
    before = {id(each) for each in instances(JobStart)}
    await core.submit()
    core.log.errors.append(Conflict("j"))
    assert await takes(worker(dispatcher, "w")) == "j"
    await _are_free(before)


async def test_a_claim_that_the_store_refuses(core: Core, dispatcher: Dispatcher, no_collector: None) -> None:
    """As a start."""
    before = {id(each) for each in instances(JobStart)}
    await core.submit(dispatch=Dispatch.DISPATCH_EXTERNAL)
    core.log.errors.append(StoreFull("full"))
    session = worker(dispatcher, "w")
    claiming = dispatcher.claim(session, "j")
    await hears(session, "rejected")
    await claiming
    del claiming
    await _are_free(before)


async def _are_free(before: set[int]) -> None:
    async def are_free() -> bool:
        return all(id(each) in before for each in instances(JobStart))

    await eventually(are_free)
