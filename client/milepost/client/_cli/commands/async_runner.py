"""Run the asynchronous part of a command; a signal cancels it."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine
from typing import Final, TypeVar

from click.exceptions import Exit

from milepost.client._cli.commands.exit_status import ExitStatus

__all__ = ["run"]

_T = TypeVar("_T")


def run(main: Coroutine[None, None, _T]) -> _T:
    """Run ``main`` to its end. The first signal cancels it, so that it can clean up; further ones are ignored.

    Raises:
        Exit: A signal interrupted or terminated it.
    """
    return asyncio.run(_until_signalled(main))


async def _until_signalled(main: Coroutine[None, None, _T]) -> _T:
    loop, task = asyncio.get_running_loop(), asyncio.create_task(main)
    signalled: list[ExitStatus] = []

    def cancel(status: ExitStatus) -> None:
        if not signalled:
            signalled.append(status)
            task.cancel()

    handled = {
        number: status for number, status in _STATUSES.items() if signal.getsignal(number) != signal.SIG_IGN
    }
    for number, status in handled.items():
        loop.add_signal_handler(number, cancel, status)
    try:
        return await task
    except asyncio.CancelledError:
        if signalled:
            raise Exit(signalled[0]) from None
        raise
    finally:
        for number in handled:
            loop.remove_signal_handler(number)


_STATUSES: Final = {
    signal.SIGINT: ExitStatus.INTERRUPTED,
    signal.SIGTERM: ExitStatus.TERMINATED,
    signal.SIGHUP: ExitStatus.TERMINATED,
}
