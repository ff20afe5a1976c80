"""Shares of jobs: issue their tokens, and tell whether one is still in force."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from typing import Final, NamedTuple, Protocol

from milepost.server.access.credentials.refusals import token_expired, unauthenticated
from milepost.server.access.credentials.share_tokens import Share, decode, encode, is_share_token
from milepost.server.access.current_principal import caller_of
from milepost.server.access.principal import Principal
from milepost.server.base.clock import Clock
from milepost.server.base.refusal import Refusal, job_not_found
from milepost.server.scheduling.callers import SERVER

CREDENTIAL_PREFIX: Final = "share:"
"""Of the credential ids of shares."""


class SharedJob(NamedTuple):
    """The attributes of a job that its shares depend on.

    Attributes:
        owner: See ``Job.owner``.
        key: See ``JobIdentity.key``.
        generation: See ``JobIdentity.share_generation``.
    """

    owner: str
    key: int
    generation: int


class SharedJobs(Protocol):
    """The jobs of a store."""

    def secret(self) -> bytes:
        """The secret of share tokens. Raises STORE_UNAVAILABLE while the store starts."""

    async def find(self, job_id: str, caller: str) -> SharedJob | None:
        """The job as of now, read in the caller's turn; None if there is none. Raises STORE_UNAVAILABLE."""


class Shares:
    """Shares of a store's jobs. Revoking a job's shares begins another generation of them."""

    def __init__(self, clock: Clock, jobs: SharedJobs) -> None:
        self._clock = clock
        self._jobs = jobs
        self._current: dict[str, str] = {}
        """The versions of the jobs of open calls, as of the last ``refresh``."""

    async def issue(
        self, sharer: Principal, job_id: str, seconds: float, *, can_cancel: bool, caller: str = SERVER
    ) -> tuple[str, int]:
        """Make a token for the job; return it and when it expires, in nanoseconds since 1970.

        Raises JOB_NOT_FOUND.
        """
        job = await self._jobs.find(job_id, caller)
        if job is None or not sharer.owns(job.owner):
            raise job_not_found(job_id)
        expire_time = self._clock.now() // 10**9 + max(1, round(seconds))
        share = Share(job_id, job.key, job.generation, expire_time, can_cancel, sharer.subject)
        return encode(share, self._jobs.secret()), expire_time * 10**9

    async def principal(self, token: str) -> Principal:
        """The principal of a token. Raises UNAUTHENTICATED, TOKEN_EXPIRED."""
        if not is_share_token(token):
            raise unauthenticated(
                "The token is malformed: its form or its checksum is wrong. Was it truncated?"
            )
        share = decode(token, self._jobs.secret())
        if share is None:
            raise unauthenticated(
                "The share is of another server, or older than the last restore of this server's store."
            )
        version = _version(share.key, share.generation)
        digest = hashlib.sha256(token.encode()).hexdigest()[:8]
        principal = Principal(
            subject=share.subject,
            owners=frozenset(),
            scopes=share.scopes,
            job_id=share.job_id,
            expire_time=share.expire_time * 10**9,
            credential_id=f"{CREDENTIAL_PREFIX}{version}:{digest}",
        )
        self._check_time(principal)
        job = await self._jobs.find(share.job_id, caller_of(principal, ""))
        if job is None or _version(job.key, job.generation) != version:
            raise _revoked(principal)
        if share.job_id in self._current:  # that may be of before a revocation, or of a job that was deleted
            self._current[share.job_id] = version
        return replace(principal, owners=frozenset({job.owner}))

    async def refresh(self, principals: Iterable[Principal]) -> None:
        """Look up the jobs of these principals again, those of shares. Raises STORE_UNAVAILABLE."""
        shared = {each.job_id for each in principals if each.credential_id.startswith(CREDENTIAL_PREFIX)}
        self._current = {job_id: version for job_id, version in self._current.items() if job_id in shared}
        for job_id in shared:
            job = await self._jobs.find(job_id, SERVER)
            self._current[job_id] = "" if job is None else _version(job.key, job.generation)

    def check(self, principal: Principal) -> None:
        """Check that the share of an open call is still in force, as of the last ``refresh``. Raises TOKEN_EXPIRED."""
        self._check_time(principal)
        version = principal.credential_id.removeprefix(CREDENTIAL_PREFIX).partition(":")[0]
        if self._current.get(principal.job_id, version) != version:
            raise _revoked(principal)

    def _check_time(self, principal: Principal) -> None:
        assert principal.expire_time is not None
        if self._clock.now() >= principal.expire_time:
            raise token_expired(
                "The share has expired. Ask whoever shared the job for another one.", principal
            )


def _revoked(principal: Principal) -> Refusal:
    return token_expired("The shares of the job were revoked, or the job was deleted.", principal)


def _version(key: int, generation: int) -> str:
    return f"{key}.{generation}"
