"""The token of a client: text, callable or file."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from milepost.client._transport import token_source
from milepost.client._transport.token_source import (
    READ_LIMIT,
    RENEWAL_TIME,
    SETTLE_TIME,
    CallCredential,
    Metadata,
    TokenFile,
    TokenSource,
)
from milepost.client.errors import (
    JobNotFound,
    PermissionDenied,
    TokenExpired,
    TokenUnavailable,
    Unauthenticated,
    Unreachable,
)
from milepost.server.access.credentials import tokens
from milepost.server.access.credentials.share_tokens import Share, encode
from tests.support.rpc import eventually

EXPIRED = TokenExpired("It has expired.")


def bearer(token: str) -> Metadata:
    """The metadata of a token."""
    return (("authorization", f"Bearer {token}"),)


def credential(provider: Provider) -> CallCredential:
    """The credential of a call, without a certificate."""
    return CallCredential(TokenSource(provider), lambda: None)


class Provider:
    """A callable that returns one token after the other; ``held`` keeps it from returning."""

    def __init__(self, *tokens: Any) -> None:
        self._tokens = list(tokens)
        self.calls = 0
        self.held: asyncio.Event | None = None

    async def __call__(self) -> Any:
        """The next token; an exception is raised."""
        self.calls += 1
        token = self._tokens.pop(0)
        if self.held is not None:
            await self.held.wait()
        if isinstance(token, Exception):
            raise token
        return token


async def test_text_stays() -> None:
    """Text is the token of all calls, and there is no other one."""
    source = TokenSource(" secret\n")
    assert await source.metadata() == bearer("secret")
    assert await source.renew(bearer("secret")) is False
    assert await TokenSource("").metadata() == ()


@pytest.mark.parametrize("text", ["two words", "lf\nhere", "späte", "\x7f"])
def test_text_that_cannot_be_a_token(text: str) -> None:
    """The error does not quote it."""
    with pytest.raises(ValueError, match="printable ASCII") as error:
        TokenSource(text)
    assert text not in str(error.value)


async def test_a_callable_is_asked_once_per_token() -> None:
    """On first use, and again when its token is refused."""
    provider = Provider("one", "two")
    source = TokenSource(provider)
    assert [await source.metadata() for _ in range(3)] == [bearer("one")] * 3
    assert provider.calls == 1
    assert await source.renew(bearer("one")) is True
    # Somebody else had the first token, too, and notices later.
    assert await source.renew(bearer("one")) is True
    assert await source.metadata() == bearer("two")
    assert provider.calls == 2


async def test_concurrent_requests_are_one() -> None:
    """Whoever gives up waiting does not cancel it for the others."""
    provider = Provider("one")
    provider.held = asyncio.Event()
    source = TokenSource(provider)
    waiting = [asyncio.create_task(source.metadata()) for _ in range(100)]
    await asyncio.sleep(0)
    waiting.pop(0).cancel()
    provider.held.set()
    assert await asyncio.gather(*waiting) == [bearer("one")] * 99
    assert provider.calls == 1


async def test_concurrent_renewals_are_one() -> None:
    """All streams of a client lose their token at once."""
    provider = Provider("one", "two")
    source = TokenSource(provider)
    used = await source.metadata()
    assert await asyncio.gather(*(source.renew(used) for _ in range(100))) == [True] * 100
    assert provider.calls == 2


@pytest.mark.parametrize(
    ("provider", "why"),
    [
        (Provider(RuntimeError("no network")), "RuntimeError: no network"),
        (Provider(7), "a token is text, not int"),
        (Provider("two words"), "a token has printable ASCII characters only, and no spaces"),
        (TokenFile(Path("/missing/token")), "'/missing/token' cannot be read: No such file or directory"),
    ],
)
async def test_a_callable_that_fails(provider: Any, why: str) -> None:
    """The error says why; the next call asks again."""
    source = TokenSource(provider)
    with pytest.raises(TokenUnavailable) as error:
        await source.metadata()
    assert str(error.value) == f"No token could be obtained: {why}."
    if isinstance(provider, Provider):
        provider._tokens.append("later")
        assert await source.metadata() == bearer("later")


async def test_a_file_without_a_token(tmp_path: Path) -> None:
    """The error names the file, as a wrong one may have been given, and does not quote it."""
    path = tmp_path / "jobs.py"
    path.write_text("import time\n")
    with pytest.raises(TokenUnavailable) as error:
        await TokenSource(TokenFile(path)).metadata()
    rule = "a token has printable ASCII characters only, and no spaces"
    assert str(error.value) == f"No token could be obtained: the token file '{path}' has none: {rule}."


async def test_a_callable_that_does_not_return() -> None:
    """Is waited for as long as the call may take."""
    provider = Provider("one")
    provider.held = asyncio.Event()
    with pytest.raises(TokenUnavailable, match=r"nothing was returned within 0\.01 s"):
        await TokenSource(provider).metadata(0.01)


@pytest.mark.parametrize("make", [lambda text: text, lambda text: asyncio.sleep(0, text)])
async def test_a_plain_callable(make: Callable[[str], Any]) -> None:
    """Runs in a thread, since it may block; it may return an awaitable."""
    threads = []

    def provider() -> Any:
        threads.append(threading.current_thread())
        return make("one")

    assert await TokenSource(provider).metadata() == bearer("one")
    assert threading.current_thread() not in threads


def test_one_event_loop_after_another() -> None:
    """A request that one loop has left behind is not waited for in another one."""
    provider = Provider("one", "two")
    source = TokenSource(provider)

    async def is_asked() -> bool:
        return provider.calls == 1

    async def abandon() -> None:
        provider.held = asyncio.Event()
        first = asyncio.create_task(source.metadata())
        await eventually(is_asked)  # in a thread, which may take a while to start
        with pytest.raises(TokenUnavailable):
            await source.metadata(0.01)
        first.cancel()

    async def use() -> Metadata:
        provider.held = None
        return await source.metadata()

    asyncio.run(abandon())
    assert asyncio.run(use()) == bearer("two")


async def test_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is read again when its token is refused; the same token is no other one."""
    monkeypatch.setattr(token_source, "SETTLE_TIME", 0.01)
    path = tmp_path / "token"
    path.write_text("one\n")
    source = TokenSource(TokenFile(path))
    assert await source.metadata() == bearer("one")
    assert await source.renew(bearer("one")) is False
    path.write_text("two\n")
    assert await source.renew(bearer("one")) is True
    path.write_text("\n")
    with pytest.raises(TokenUnavailable, match=f"the token file '{path}' is empty"):
        await source.renew(bearer("two"))


TOKENS = {
    "token": tokens.new_token(),
    "share": encode(Share("job", 1, 1, 1, False, "ann"), b"secret"),
    "JWT": "eyJhbGciOiJFZERTQSJ9.e30.c2ln",
}


def write_later(monkeypatch: pytest.MonkeyPatch, *steps: Callable[[], object]) -> list[float]:
    """Take a step each time that a file is waited for, in place of the time; return the times."""
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) <= len(steps):
            steps[len(waits) - 1]()

    monkeypatch.setattr(time, "sleep", wait)
    return waits


def write(path: Path, text: str, *, long_ago: bool) -> None:
    """Write the file in place."""
    path.write_text(text)
    if long_ago:
        os.utime(path, (1, 1))


@pytest.mark.parametrize("begun", [0, 1, 2, 3, 4, 20, -1])
@pytest.mark.parametrize("name", ["token", "share"])
def test_a_file_whose_writer_pauses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, begun: int
) -> None:
    """However long that is, no part of a token is used."""
    path, text = tmp_path / "token", TOKENS[name]
    write(path, text[:begun], long_ago=True)
    waits = write_later(
        monkeypatch, lambda: None, lambda: None, lambda: write(path, f"{text}\n", long_ago=True)
    )
    assert TokenFile(path)() == text
    assert waits == [SETTLE_TIME] * 3


@pytest.mark.parametrize("name", TOKENS)
def test_a_file_that_is_being_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """It is read once it stays as it is: tokens of other issuers have no checksum."""
    path, text = tmp_path / "token", TOKENS[name]
    write(path, text[:-5], long_ago=False)
    waits = write_later(
        monkeypatch, lambda: write(path, text, long_ago=False), lambda: write(path, text, long_ago=True)
    )
    assert TokenFile(path)() == text
    assert waits == [SETTLE_TIME] * 2


@pytest.mark.parametrize("name", ["token", "share"])
async def test_a_file_that_stays_unfinished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """It is an error that does not quote it; the next call reads the file again."""
    path, text = tmp_path / "token", TOKENS[name]
    write(path, text[:-3], long_ago=True)
    source = TokenSource(TokenFile(path))
    waits = write_later(monkeypatch)
    with pytest.raises(TokenUnavailable, match="has a part of a token: its checksum is wrong") as error:
        await source.metadata()
    assert text[:20] not in str(error.value)
    assert waits == [SETTLE_TIME] * READ_LIMIT
    write(path, text, long_ago=True)
    assert await source.metadata() == bearer(text)


@pytest.mark.parametrize(
    ("error", "renewed"),
    [
        (EXPIRED, True),
        (Unauthenticated("?"), True),
        (PermissionDenied("no"), False),
        (JobNotFound("j"), False),
    ],
)
async def test_which_errors_ask_for_another_token(error: Any, renewed: bool) -> None:
    """Those that say that the server refused it."""
    token = credential(Provider("one", "two"))
    await token.metadata()
    assert await token.renew(error) is renewed


async def test_tokens_that_are_refused_one_after_the_other() -> None:
    """One more is asked for, until the server accepts one."""
    token = credential(Provider("one", "two", "three", "four"))
    await token.metadata()
    assert await token.renew(EXPIRED) is True
    await token.metadata()
    assert await token.renew(EXPIRED) is False
    token.accepted()
    assert await token.renew(EXPIRED) is True


async def test_a_stream_that_was_open_waits_for_a_token_that_comes_late() -> None:
    """For some seconds, whether it comes late to the client, or to the server, which refuses it until then."""
    token = credential(Provider("one", "one", "two", "two", "two", "three"))
    await token.metadata()
    token.accepted()
    used = []
    for _ in range(4):
        assert await token.renew(EXPIRED) is True
        used.append(await token.metadata())
    assert used == [bearer("one"), bearer("two"), bearer("two"), bearer("two")]
    token.delayed(RENEWAL_TIME - 1)
    assert await token.renew(EXPIRED) is True
    token.delayed(1)
    assert await token.renew(EXPIRED) is False


async def test_time_in_which_the_server_is_away_or_a_callable_thinks(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not counted: only the delays after refusals are, so that a credential which works is not given up."""
    now = 0.0
    monkeypatch.setattr(token_source, "time", SimpleNamespace(monotonic=lambda: now))
    token = credential(Provider("one", "two", "three", "four"))
    await token.metadata()
    token.accepted()
    assert await token.renew(EXPIRED) is True
    assert await token.renew(Unreachable("localhost:1")) is False
    now = 10 * RENEWAL_TIME
    await token.metadata()
    assert await token.renew(EXPIRED) is True


async def test_which_refusal_is_shown() -> None:
    """The first one of the credential in use, since later ones say less; not that of a credential before."""
    token = credential(Provider("one", "one", "two", "two", "two"))
    await token.metadata()
    token.accepted()
    revoked, unknown, foreign = (
        TokenExpired("revoked"),
        Unauthenticated("unknown"),
        Unauthenticated("foreign"),
    )
    shown = []
    for error in (revoked, unknown, foreign, unknown):
        await token.renew(error)
        shown.append(str(token.first_of(error)))
        await token.metadata()
    assert shown == ["revoked", "revoked", "foreign", "foreign"]
    assert token.first_of(JobNotFound("j")).args == JobNotFound("j").args


async def test_a_renewal_ends_with_the_call() -> None:
    """A callable that does not return keeps a call no longer than its timeout."""
    provider = Provider("one", "two")
    token = credential(provider)
    await token.metadata()
    provider.held = asyncio.Event()
    with pytest.raises(TokenUnavailable, match=r"nothing was returned within 0\.01 s"):
        await token.renew(EXPIRED, 0.01)


async def test_a_token_that_is_text_never_comes_late() -> None:
    """Its stream ends at once."""
    token = CallCredential(TokenSource("one"), lambda: None)
    await token.metadata()
    token.accepted()
    assert await token.renew(EXPIRED) is False


async def test_another_certificate() -> None:
    """Is another credential, too."""
    versions = ["old", "old", "old", "new"]
    found = CallCredential(TokenSource(""), lambda: versions.pop(0))
    outcomes = []
    for _ in range(2):
        await found.metadata()
        outcomes.append(await found.renew(EXPIRED))
        found.accepted()
    assert outcomes == [False, True]
