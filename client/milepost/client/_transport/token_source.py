"""The bearer token of a client's calls: text, or asked for on first use and again once the server refuses it."""

from __future__ import annotations

import asyncio
import inspect
import os
import time
from collections.abc import Awaitable, Callable
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from milepost.client.errors import MilepostError, TokenUnavailable, Unauthenticated
from milepost.contract.token_checksums import is_truncated

__all__ = ["CallCredential", "Metadata", "Token", "TokenFile", "TokenSource", "bearer", "checked_token"]

Token: TypeAlias = str | Callable[[], str | Awaitable[str]]
"""A token, or a callable that returns one: a coroutine function, or a plain one, which runs in a thread."""

Metadata: TypeAlias = tuple[tuple[str, str], ...]

TOKEN_TIMEOUT: Final = 30.0
"""Seconds for a callable to return a token."""


SETTLE_TIME: Final = 0.1
"""Seconds for which a token file has to stay as it is before it is used: it may be written in place."""

RENEWAL_TIME: Final = 5.0
"""Seconds of delays after refusals, in all, for which a stream that was open is opened again all the same."""

READ_LIMIT: Final = 10
"""How often an unfinished token file is read, a ``SETTLE_TIME`` apart, until that is an error."""


@dataclass(frozen=True)
class TokenFile:
    """Reads the token from a file, once the file is complete: the server would refuse a part of a token for good."""

    path: Path

    def __call__(self) -> str:
        """The token in the file. It may take a second, so call it in a thread. Raises OSError, ValueError."""
        problem = ""
        for _ in range(READ_LIMIT):
            with self.path.open() as file:
                text = file.read().strip()
                age = time.time() - os.fstat(file.fileno()).st_mtime
            problem = _problem_of(text, age)
            if not problem:
                return text
            time.sleep(SETTLE_TIME)
        raise ValueError(f"the token file {str(self.path)!r} {problem}")


def _problem_of(text: str, age: float) -> str:
    """What keeps a token file from being used, that has this text and was written so many seconds ago; or empty."""
    if not text:
        return "is empty"
    if is_truncated(text):
        return "has a part of a token: its checksum is wrong"
    try:
        checked_token(text)
    except ValueError as error:
        return f"has none: {error}"
    # Clocks of file systems may differ, so the file may seem to be of the future.
    return "is still being written" if abs(age) < SETTLE_TIME else ""


def checked_token(text: object) -> str:
    """The token without space around it. Raises ValueError, which does not quote it."""
    token = text.strip() if isinstance(text, str) else None
    if token is None:
        raise ValueError(f"a token is text, not {type(text).__name__}")
    if not token.isascii() or not token.isprintable() or " " in token:
        raise ValueError("a token has printable ASCII characters only, and no spaces")
    return token


class TokenSource:
    """The token that all calls of a channel share.

    Calls that need a token at the same time share one request for it. It may be used in one event loop after another.
    Once it is closed, whoever needs another token gets RuntimeError.
    """

    def __init__(self, token: Token) -> None:
        """Ask for nothing yet. Raises ValueError for a text that cannot be a token."""
        self._provider = None if isinstance(token, str) else token
        self._metadata = bearer(checked_token(token)) if isinstance(token, str) else None
        self._asking: asyncio.Task[Metadata] | None = None
        self._closed_because = ""

    @property
    def is_renewable(self) -> bool:
        """Whether the token is asked for, and not text."""
        return self._provider is not None

    async def metadata(self, timeout: float = TOKEN_TIMEOUT) -> Metadata:
        """The metadata of a call. Raises TokenUnavailable, also if none is there within `timeout` seconds."""
        if self._metadata is not None:
            return self._metadata
        self._check_open()
        asking = self._asking
        if asking is None or asking.get_loop() is not asyncio.get_running_loop():
            asking = self._asking = asyncio.create_task(self._ask())
            asking.add_done_callback(_consume_error)
        # Cancelling one who waits does not cancel the request of the others.
        done, _ = await asyncio.wait((asking,), timeout=timeout)
        if not done:
            raise TokenUnavailable(f"nothing was returned within {min(timeout, TOKEN_TIMEOUT):.2g} s")
        if asking.cancelled():
            self._check_open()
        try:
            return asking.result()
        finally:
            del asking, done  # its error has this frame

    async def renew(self, refused: Metadata, timeout: float = TOKEN_TIMEOUT) -> bool:
        """Ask for another token than the one that the server refused, unless somebody has done so already.

        Return whether there is another one. Raises what `metadata` does.
        """
        if self._provider is None:
            return False
        if self._metadata == refused:
            self._metadata = None
        return await self.metadata(timeout) != refused

    def close(self, why: str) -> None:
        """Ask no more. Whoever waits for a token in the running loop gets RuntimeError with this text."""
        self._closed_because = why
        if self._asking is not None and self._asking.get_loop() is asyncio.get_running_loop():
            self._asking.cancel()

    def _check_open(self) -> None:
        if self._closed_because:
            raise RuntimeError(self._closed_because)

    async def _ask(self) -> Metadata:
        try:
            async with asyncio.timeout(TOKEN_TIMEOUT):
                self._metadata = bearer(checked_token(await self._call_provider()))
            return self._metadata
        except Exception as error:
            raise TokenUnavailable(_why(error)) from error
        finally:
            self._asking = None

    async def _call_provider(self) -> object:
        assert self._provider is not None
        if inspect.iscoroutinefunction(self._provider):
            return await self._provider()
        # It may block, as reading a file and asking another service do.
        text = await asyncio.to_thread(self._provider)
        return await text if inspect.isawaitable(text) else text


class CallCredential:
    """The token and the client's certificate of a call and its repetition, or of one stream after another.

    A call is repeated with another credential, once. A stream that was open before is opened again for a few seconds:
    another credential may come late, and each node of a server has to learn of it. After that, credentials which the
    server refuses end a watch or a worker instead of keeping it busy.
    """

    def __init__(self, source: TokenSource, certificate_version: Callable[[], object]) -> None:
        """`certificate_version` tells one certificate from the next."""
        self._source = source
        self._certificate_version = certificate_version
        self._used: Metadata = ()
        self._used_certificate: object = None
        self._was_accepted = False
        self._is_refused = False
        # The first refusal of what was used last; None if there was none.
        self._refusal: Unauthenticated | None = None
        self._delayed = 0.0

    async def metadata(self, timeout: float = TOKEN_TIMEOUT) -> Metadata:
        """The metadata of the next call; see `TokenSource.metadata`."""
        used = await self._source.metadata(timeout)
        certificate = self._certificate_version()
        if used != self._used or certificate != self._used_certificate:
            self._refusal = None  # which was of another credential
        self._used, self._used_certificate = used, certificate
        return used

    def accepted(self) -> None:
        """Note that the server accepted the credential."""
        self._was_accepted = True
        self._is_refused = False
        self._refusal = None
        self._delayed = 0.0

    async def renew(self, error: MilepostError, timeout: float = TOKEN_TIMEOUT) -> bool:
        """Whether to call again with another credential, where this error refuses that of the last call.

        Raises what `metadata` does.
        """
        if not isinstance(error, Unauthenticated):
            return False
        is_first = not self._is_refused
        self._is_refused = True
        if self._refusal is None:
            self._refusal = copy(error)  # a traceback would keep the call alive
        is_early = self._was_accepted and self._delayed < RENEWAL_TIME
        if not is_first and not is_early:
            return False
        is_other = await self._source.renew(self._used, timeout) or (
            self._certificate_version() != self._used_certificate
        )
        return is_other or (is_early and self._source.is_renewable)

    def delayed(self, seconds: float) -> None:
        """Note the delay before the next attempt, once `renew` has allowed one.

        These delays are what ends a stream, and not time that passes while the server is away or a callable returns a
        token: neither says that a credential is bad.
        """
        self._delayed += seconds

    def first_of(self, error: MilepostError) -> MilepostError:
        """The first refusal of the credential that this error refuses, which says best why; any other error itself."""
        return self._refusal if self._refusal is not None and isinstance(error, Unauthenticated) else error


def bearer(token: str) -> Metadata:
    """The metadata of a call with this token; none for an empty one."""
    return (("authorization", f"Bearer {token}"),) if token else ()


def _why(error: Exception) -> str:
    match error:
        case TimeoutError() if not str(error):
            return f"nothing was returned within {TOKEN_TIMEOUT:g} s"
        case OSError() if error.filename is not None:
            return f"{str(error.filename)!r} cannot be read: {error.strerror}"
        case ValueError():
            return str(error)
    return f"{type(error).__name__}: {error}"


def _consume_error(asking: asyncio.Task[Metadata]) -> None:
    """Keep asyncio from logging an error that nobody waits for any more."""
    if not asking.cancelled():
        asking.exception()
