"""Draw on a terminal: escape control characters, redraw a picture, and restore the terminal on exit."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime, tzinfo
from types import TracebackType
from typing import Final, Self

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from milepost.client._cli.rendering.canvas import Canvas, marks_for
from milepost.client._cli.rendering.live_frame import LiveFrame
from milepost.contract.printable import escape

__all__ = ["EscapingConsole", "Screen", "can_draw"]


class EscapingConsole(Console):
    """A console that escapes control characters in text; only its own reach the terminal."""

    def __init__(self, *, stderr: bool = False) -> None:
        # The stream of now: a live picture puts another one in its place.
        super().__init__(file=sys.stderr if stderr else sys.stdout, highlight=False)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Render segments with their text escaped."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=escape(segment.text))


# Seconds between two pictures.
_REFRESH_INTERVAL: Final = 0.1
# Signals whose default action stops or ends the process; the terminal is restored first.
_RESTORING_SIGNALS: Final = (signal.SIGTSTP, signal.SIGQUIT)


def can_draw(console: Console) -> bool:
    """Whether the console is a real terminal that can move its cursor."""
    return console.file.isatty() and console.is_terminal and not console.is_dumb_terminal


class Screen(ABC):
    """Redraw a picture in place; the last one stays on the terminal.

    The cursor is hidden meanwhile, and restored before the process stops or ends, except by signals that cannot be
    caught. After a suspension the picture continues below, once the process is in the foreground again.
    """

    def __init__(
        self,
        console: Console,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        zone: tzinfo | None = None,
    ) -> None:
        self._console = console
        self._clock = clock
        self._zone = zone
        self._frame: LiveFrame | None = None
        self._refresh_task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        for number in _RESTORING_SIGNALS:
            if signal.getsignal(number) == signal.SIG_DFL:
                loop.add_signal_handler(number, self._restore_and_signal, number)
        self._refresh_task = asyncio.create_task(self._refresh())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Draw the last picture and restore the terminal."""
        for number in _RESTORING_SIGNALS:
            asyncio.get_running_loop().remove_signal_handler(number)
        try:
            if self._refresh_task is not None:
                self._refresh_task.cancel()
                with suppress(asyncio.CancelledError):
                    await self._refresh_task
            self._draw(final=True)
        finally:
            self._stop()

    @abstractmethod
    def picture(self, canvas: Canvas) -> RenderableType | None:
        """The picture to draw; None if there is nothing to show yet."""

    @abstractmethod
    def is_final(self) -> bool:
        """Whether the content no longer changes, so that the last picture may exceed the terminal's height."""

    async def _refresh(self) -> None:
        while True:
            self._draw()
            await asyncio.sleep(_REFRESH_INTERVAL)

    def _draw(self, *, final: bool = False) -> None:
        if not self._is_in_foreground():
            return
        width, height = self._console.size
        marks = marks_for(self._console.encoding)
        stopped, final = final, final and self.is_final()
        picture = self.picture(Canvas(width, height, self._clock(), self._zone, marks, final, stopped))
        if picture is None:
            return
        if self._frame is None:
            self._frame = LiveFrame(self._console)
            self._frame.start()
        self._frame.draw(picture, final=final)

    def _stop(self) -> None:
        """Leave the picture and show the cursor below it."""
        if self._frame is not None:
            self._frame.stop()
            self._frame = None

    def _restore_and_signal(self, number: signal.Signals) -> None:
        """Restore the terminal, then let the signal take its default action."""
        self._stop()
        loop = asyncio.get_running_loop()
        loop.remove_signal_handler(number)
        os.kill(os.getpid(), number)
        # Reached after SIGTSTP, once the process is continued.
        loop.add_signal_handler(number, self._restore_and_signal, number)

    def _is_in_foreground(self) -> bool:
        """Whether this process is in the foreground; in the background it would draw over other output."""
        try:
            return os.tcgetpgrp(self._console.file.fileno()) == os.getpgrp()
        except OSError:
            # Not a terminal, or not the controlling one of this process.
            return True
