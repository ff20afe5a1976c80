"""A prompt future calls back at once, whatever ends it, and is an ordinary future besides."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest

from milepost.server.scheduling.prompt_future import PromptFuture


class _Ended(Exception):
    pass


@pytest.mark.parametrize("end", ["result", "error", "cancelled"])
async def test_callbacks_are_called_as_soon_as_it_is_done(end: str) -> None:
    """In their order, with the future, before what ended it returns."""
    future: PromptFuture[int] = PromptFuture()
    calls: list[tuple[str, bool]] = []

    def note(name: str, done: PromptFuture[int]) -> None:
        calls.append((name, done is future and done.done()))

    future.call_back(partial(note, "first"))
    future.call_back(partial(note, "second"))
    if end == "result":
        future.set_result(7)
    elif end == "error":
        future.set_exception(_Ended())
    else:
        future.cancel()

    assert calls == [("first", True), ("second", True)]
    expected: type[BaseException] | None = {"error": _Ended, "cancelled": asyncio.CancelledError}.get(end)
    if expected is None:
        assert await future == 7
    else:
        with pytest.raises(expected):
            await future
    assert not future.cancel()
    assert len(calls) == 2


async def test_a_late_callback_is_called_in_the_next_pass() -> None:
    """Never by ``call_back`` itself, so that its caller goes on first."""
    future: PromptFuture[None] = PromptFuture()
    future.set_result(None)
    calls: list[PromptFuture[None]] = []
    future.call_back(calls.append)
    before = list(calls)
    await asyncio.sleep(0)

    assert (before, calls) == ([], [future])


@pytest.mark.parametrize("error", [_Ended, asyncio.CancelledError])
async def test_a_callback_that_fails_does_not_keep_others_from_theirs(error: type[BaseException]) -> None:
    """Nor does it fail what made the future done, which may have more to do."""
    future: PromptFuture[int] = PromptFuture()
    calls: list[PromptFuture[int]] = []

    def fail(_: PromptFuture[int]) -> None:
        raise error

    future.call_back(fail)
    future.call_back(calls.append)
    future.set_result(7)

    assert (calls, await future) == ([future], 7)
