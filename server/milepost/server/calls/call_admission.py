"""Admission of calls: who makes each, and whether it may be made now, as far as is known before its request."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Final

from milepost.server.access.authenticator import Authenticator
from milepost.server.access.credentials.client_certificates import AuthContext
from milepost.server.access.credentials.refusals import CredentialRefused
from milepost.server.access.current_principal import current_caller, set_principal
from milepost.server.access.limits.limiter import Limiter
from milepost.server.access.methods import check_method
from milepost.server.access.principal import ANONYMOUS, Principal
from milepost.server.base.refusal import Refusal, draining
from milepost.server.calls.call_counts import CallCounts
from milepost.server.calls.call_record import CallRecord
from milepost.server.calls.call_turns import CallTurns
from milepost.server.calls.paced_ends import PacedEnds
from milepost.server.log.log_errors import StoreError
from milepost.server.scheduling.callers import host_of

# Answered even while the server is stopping.
_HEALTH: Final = "/grpc.health.v1.Health/"

PUBLIC: Final = (_HEALTH, "/grpc.reflection.")
"""How the paths of methods begin that need no credential: health checks, and reflection, whose answers are public in
the contract."""


class CallAdmission:
    """Admits the calls of every surface.

    Attributes:
        call_count: The number of calls so far, refused ones too, but for those that ``refuse_early`` refuses.
        ended: The calls that have ended.
        draining: Set once the server refuses further calls, except health checks.
        turns: Those of the calls that are admitted, and of large messages of streams.
        ends: Those of calls that are cancelled.
    """

    def __init__(self, authenticator: Authenticator, limiter: Limiter) -> None:
        self._authenticator = authenticator
        self._limiter = limiter
        self.turns = CallTurns()
        self.ends = PacedEnds()
        self.call_count = 0
        self.ended = CallCounts()
        self.draining = asyncio.Event()

    async def refuse_early(self, method: str, metadata: Iterable[tuple[str, str | bytes]]) -> Refusal | None:
        """Return the shared refusal of a principal beyond its rate, once the call was delayed.

        None where the call has to be examined, as every call without a token has to be.
        """
        if not self._limiter.throttling or self.draining.is_set() or method.startswith(PUBLIC):
            return None
        try:
            principal = await self._authenticator.authenticate(metadata)
        except (Refusal, StoreError):  # `admit` raises the same, where it can be answered
            return None
        throttled = self._limiter.is_throttled(principal)
        return await self._limiter.refuse_request(principal) if throttled else None

    def count_call(self) -> None:
        """Count a call that has come and is not refused early."""
        self.call_count += 1

    def count_refused(self, peer: str, refusal: Refusal) -> None:
        """Count a call that is refused before its principal is known, instead of logging it, if its host makes many."""
        self._limiter.count_refused(host_of(peer), refusal)

    async def delay_refused(self, peer: str, refusal: Refusal) -> None:
        """Do as ``count_refused``, and delay a call that is counted, so that repeating it at once gains nothing."""
        await self._limiter.delay_refused(host_of(peer), refusal)

    def drain(self) -> None:
        """Refuse further calls, and those that are delayed."""
        self.draining.set()
        self._limiter.throttling.release()

    async def admit(
        self,
        record: CallRecord,
        metadata: Iterable[tuple[str, str | bytes]],
        connection: Callable[[], AuthContext] = dict,
    ) -> Principal:
        """Return the principal of an admitted call, once it is the call's turn. Raises a Refusal.

        It also becomes the ``current_principal`` of the running task.
        """
        if self.draining.is_set() and not record.method.startswith(_HEALTH):
            refusal = draining()
            self.count_refused(record.peer, refusal)
            raise refusal
        if record.method.startswith(PUBLIC):
            if self._limiter.makes_many_public(host_of(record.peer)):
                record.note_counted()
            set_principal(ANONYMOUS, record.peer)
            return ANONYMOUS
        try:
            principal = await self._authenticator.authenticate(metadata, connection)
        except CredentialRefused as refusal:
            if refusal.principal is not None:
                record.note_principal(refusal.principal)
            with _counted_if_given_up(record):
                await self.delay_refused(record.peer, refusal)
            raise
        record.note_principal(principal)
        with _counted_if_given_up(record):
            await self._limiter.admit_request(principal)
        check_method(principal, record.method)
        record.note_admitted()
        set_principal(principal, record.peer)
        await self._limiter.pace.begin(current_caller())
        await self.turns.begin(current_caller())
        return principal


@contextmanager
def _counted_if_given_up(record: CallRecord) -> Iterator[None]:
    """Count a call instead of logging it if its client cancels it here, where only delayed calls wait."""
    try:
        yield
    except asyncio.CancelledError:
        record.note_counted()
        raise
