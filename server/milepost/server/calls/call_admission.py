"""Admission of calls: who makes each, and whether it may be made now, as far as is known before its request."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Final

from milepost.server.access.authenticator import Authenticator
from milepost.server.access.client_certificates import AuthContext
from milepost.server.access.current import set_principal
from milepost.server.access.limiter import Limiter
from milepost.server.access.methods import check_method
from milepost.server.access.principal import ANONYMOUS, Principal
from milepost.server.access.refusals import CredentialRefused
from milepost.server.base.refusal import draining
from milepost.server.calls.call_record import CallRecord

# Answered even while the server is stopping.
_HEALTH: Final = "/grpc.health.v1.Health/"

# What needs no credential: health checks, and reflection, which tells what the contract does.
_PUBLIC: Final = (_HEALTH, "/grpc.reflection.")


class CallAdmission:
    """Admits the calls of every surface.

    Attributes:
        call_count: The number of calls so far, refused ones too.
        draining: Set once the server refuses further calls, except health checks.
    """

    def __init__(self, authenticator: Authenticator, limiter: Limiter) -> None:
        self._authenticator = authenticator
        self._limiter = limiter
        self.call_count = 0
        self.draining = asyncio.Event()

    async def admit(
        self,
        record: CallRecord,
        metadata: Iterable[tuple[str, str | bytes]],
        connection: Callable[[], AuthContext] = dict,
    ) -> Principal:
        """The principal of a call that it may make. Raises a Refusal.

        From here on the task knows whom it serves.
        """
        if self.draining.is_set() and not record.method.startswith(_HEALTH):
            raise draining()
        if record.method.startswith(_PUBLIC):
            set_principal(ANONYMOUS, record.peer)
            return ANONYMOUS
        try:
            principal = await self._authenticator.authenticate(metadata, connection)
        except CredentialRefused as refusal:
            if refusal.principal is not None:
                record.note_principal(refusal.principal)
            raise
        record.note_principal(principal)
        await self._limiter.admit_request(principal)
        check_method(principal, record.method)
        record.note_admitted()
        set_principal(principal, record.peer)
        return principal
