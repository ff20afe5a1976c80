"""Calls that are open when their credential ends."""

from __future__ import annotations

import asyncio
from typing import cast

import pytest
from structlog.testing import capture_logs

from milepost.server.access.authenticator import Authenticator
from milepost.server.access.principal import Principal
from milepost.server.base.refusal import Refusal
from milepost.server.calls import open_calls
from milepost.server.calls.open_calls import ENDED_PER_PASS, OpenCalls
from milepost.v1 import ErrorReason


class _Revoking:
    """An authenticator of one credential that is revoked at some time."""

    def __init__(self) -> None:
        self.is_revoked = False
        self.failures = 0
        """Refreshes that fail from now on."""

    async def refresh(self, principals: object) -> None:
        """See ``Authenticator``."""
        if self.failures:
            self.failures -= 1
            raise OSError("too many open files")

    def check(self, principal: Principal) -> None:
        """See ``Authenticator``."""
        if self.is_revoked:
            raise Refusal(
                ErrorReason.ERROR_REASON_TOKEN_EXPIRED, f"The token of {principal.subject!r} is revoked."
            )


async def test_the_calls_of_a_credential_end_a_few_in_each_pass() -> None:
    """All of them with its refusal, and it may have thousands."""
    authenticator = _Revoking()
    calls = OpenCalls(cast("Authenticator", authenticator))
    principal = Principal("s", None, frozenset())
    count = 3 * ENDED_PER_PASS
    ended: list[int] = []

    async def call(number: int) -> None:
        with calls.serving(principal):
            try:
                await asyncio.Event().wait()
            finally:
                ended.append(number)

    tasks = [asyncio.create_task(call(number)) for number in range(count)]
    await asyncio.sleep(0)
    authenticator.is_revoked = True
    checking = asyncio.create_task(calls.check())
    passes = []
    while len(ended) < count:
        await asyncio.sleep(0)
        passes.append(len(ended))
    await checking
    most = max(after - before for before, after in zip([0, *passes], passes, strict=False))
    assert (sorted(ended), most) == ([*range(count)], ENDED_PER_PASS)
    for each in tasks:
        with pytest.raises(Refusal):
            await each


async def test_credentials_are_checked_after_a_check_that_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever its error was: a revoked credential would be in force for as long as the server runs."""
    monkeypatch.setattr(open_calls, "CHECK_INTERVAL", 0.0)
    authenticator = _Revoking()
    authenticator.failures = 2
    calls = OpenCalls(cast("Authenticator", authenticator))

    async def call() -> None:
        with calls.serving(Principal("s", None, frozenset())):
            await asyncio.Event().wait()

    is_open = asyncio.create_task(call())
    checking = asyncio.create_task(calls.run())
    await asyncio.sleep(0)
    authenticator.is_revoked = True
    with capture_logs() as lines:
        async with asyncio.timeout(120):
            with pytest.raises(Refusal):
                await is_open
    checking.cancel()
    assert [(line["event"], line["work"]) for line in lines] == [
        ("repeated work failed", "OpenCalls._refresh_and_check")
    ]
