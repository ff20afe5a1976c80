"""Running the asynchronous part of a command, so that signals end it in good order."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine
from typing import TypeVar

from click.exceptions import Exit

from milepost.client.commands.status import Status

__all__ = ["run"]

_T = TypeVar("_T")


def run(main: Coroutine[None, None, _T]) -> _T:
    """Runs ``main`` to its end. A signal cancels it, so that it can put back what it has changed.

    Raises:
        KeyboardInterrupt: It was interrupted.
        Exit: It was terminated.
    """
    return asyncio.run(_until_signalled(main))


async def _until_signalled(main: Coroutine[None, None, _T]) -> _T:
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    signalled: list[signal.Signals] = []

    def end(number: signal.Signals) -> None:
        signalled.append(number)
        if task is not None:
            task.cancel()

    numbers = (signal.SIGTERM, signal.SIGHUP)
    for number in numbers:
        loop.add_signal_handler(number, end, number)
    try:
        return await main
    except asyncio.CancelledError:
        if signalled:
            raise Exit(Status.TERMINATED) from None
        raise
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)
