"""Attributes of the event loop: each pass reads some twenty of them."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from milepost.server.runtime.server import Server, Settings
from milepost.v1 import Claim, Dispatch
from tests.support.rpc import connect, log_line


class Loop(asyncio.SelectorEventLoop):
    """Counts who asks for its ``__dict__``."""

    asked = 0

    @property
    def __dict__(self) -> dict[str, Any]:  # type: ignore[override]
        """As of any object."""
        Loop.asked += 1
        found: dict[str, Any] = asyncio.AbstractEventLoop.__dict__["__dict__"].__get__(self)
        return found


def test_nobody_asks_for_its_dictionary(tmp_path: Path) -> None:
    """From then on Python would look up each attribute in a dictionary, which takes twice as long."""

    async def serve() -> None:
        server = Server(Settings("127.0.0.1:0", tmp_path / "data"))
        await server.start()
        try:
            async with connect(server.address) as rpc, rpc.session(kinds=[]) as session:
                job = await rpc.submit(dispatch=Dispatch.DISPATCH_EXTERNAL)
                await session.send(claim=Claim(job_id=job.job_id))
                _, token = await session.take()
                frames = aiter(rpc.watch(job.job_id))
                while not (await anext(frames)).HasField("caught_up"):
                    pass
                await session.report(job.job_id, token, 1, log_line("live"))
                await session.acknowledged(1)
                while not (await anext(frames)).HasField("events"):
                    pass
        finally:
            await server.stop()

    with asyncio.Runner(loop_factory=Loop) as runner:
        runner.run(serve())
    assert Loop.asked == 0
