"""Open calls by principal, which end when their credential does."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Final

from milepost.server.access.authenticator import Authenticator
from milepost.server.access.principal import ANONYMOUS, Principal
from milepost.server.base.refusal import Refusal
from milepost.server.base.repeating import repeat

CHECK_INTERVAL: Final = 1.0
"""Seconds between two checks of changed credential files and of the credentials of open calls."""

ENDED_PER_PASS: Final = 50
"""Calls that are ended in one pass of the event loop: a credential may have thousands."""

# For calls without a credential, which nothing ends. They share one object, since each call holds it while it is open.
_SERVING_ANYBODY: Final = nullcontext()


class OpenCalls:
    """Ends each open call with TOKEN_EXPIRED soon after its credential has expired or was revoked."""

    def __init__(self, authenticator: Authenticator) -> None:
        self._authenticator = authenticator
        self._open: dict[tuple[Principal, str], dict[asyncio.Task[object], Refusal | None]] = {}

    def serving(self, principal: Principal) -> AbstractContextManager[None]:
        """Serve a call of the principal in the running task. Raises TOKEN_EXPIRED when its credential ends."""
        return _SERVING_ANYBODY if principal is ANONYMOUS else self._serving(principal)

    @contextmanager
    def _serving(self, principal: Principal) -> Iterator[None]:
        # Its request may have come long after its token was authenticated.
        self._authenticator.check(principal)
        task = asyncio.current_task()
        assert task is not None
        credential = principal, principal.key
        calls = self._open.setdefault(credential, {})
        calls[task] = None
        try:
            yield
        except asyncio.CancelledError:
            refusal = calls[task]
            if refusal is None:
                raise
            task.uncancel()
            raise refusal from None
        finally:
            del calls[task]
            if not calls and self._open.get(credential) is calls:
                del self._open[credential]

    async def run(self) -> None:
        """Check the credentials until cancelled."""
        await repeat(self._refresh_and_check, CHECK_INTERVAL)

    async def check(self) -> None:
        """End the calls whose credential is no longer in force, some in each pass of the event loop."""
        for (principal, _), calls in list(self._open.items()):
            try:
                self._authenticator.check(principal)
            except Refusal as refusal:
                for number, task in enumerate(list(calls), start=1):
                    if calls.get(task, refusal) is None:  # otherwise it has ended, or is being ended
                        calls[task] = refusal
                        task.cancel()
                    if number % ENDED_PER_PASS == 0:
                        await asyncio.sleep(0)

    async def _refresh_and_check(self) -> None:
        try:
            await self._authenticator.refresh(tuple(principal for principal, _ in self._open))
        finally:  # what has expired has expired, whatever the refresh met
            await self.check()
