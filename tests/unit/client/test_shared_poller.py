"""The socket that grpc.aio registers in the loops of several threads."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Iterator
from functools import partial
from typing import Any, NoReturn

import pytest

from milepost.client._transport.shared_poller import tolerating_other_loops


@pytest.fixture
def readable() -> Iterator[int]:
    """A descriptor with something to read."""
    reading, writing = os.pipe()
    os.write(writing, b"1")
    yield reading
    os.close(reading)
    os.close(writing)


async def reported(readable: int, error: Exception) -> list[BaseException | None]:
    """What the loop reports of a callback that raises `error`, after that was called."""
    loop = asyncio.get_running_loop()
    errors: list[BaseException | None] = []
    called = asyncio.Event()
    loop.set_exception_handler(lambda _, context: errors.append(context.get("exception")))

    def fail() -> NoReturn:
        loop.remove_reader(readable)
        called.set()
        raise error

    with tolerating_other_loops():
        loop.add_reader(readable, fail)
    async with asyncio.timeout(120):
        await called.wait()
    return errors


async def test_an_event_that_another_loop_has_taken_is_silent(
    readable: int, caplog: pytest.LogCaptureFixture
) -> None:
    """It is no error, and as frequent as events are."""
    caplog.set_level(logging.DEBUG, "milepost.client")

    assert (await reported(readable, BlockingIOError()), caplog.messages) == ([], [])


async def test_a_failed_hand_over_is_in_the_debug_log(
    readable: int, caplog: pytest.LogCaptureFixture
) -> None:
    """With its error, which may be another than that the other loop is closed."""
    caplog.set_level(logging.DEBUG, "milepost.client")
    error = RuntimeError("dictionary changed size during iteration")

    assert await reported(readable, error) == []
    assert [
        (record.levelname, record.exc_info and record.exc_info[1])
        for record in caplog.records
        if record.name == "milepost.client"
    ] == [("DEBUG", error)]


async def test_any_other_error_is_left_to_the_loop(readable: int) -> None:
    """As without the SDK."""
    error = ValueError("defect")

    assert await reported(readable, error) == [error]


async def test_the_registration_of_before_is_the_loops_again() -> None:
    """Its class's, or one that somebody else has given to this loop."""
    loop: Any = asyncio.get_running_loop()
    given = partial(loop.add_reader)
    with tolerating_other_loops():
        pass
    assert "add_reader" not in vars(loop)

    loop.add_reader = given
    with tolerating_other_loops():
        pass
    assert loop.add_reader is given
