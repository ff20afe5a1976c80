"""Draw on a terminal: escape control characters, redraw a picture, and restore the terminal on exit."""

from __future__ import annotations

import asyncio
import os
import signal
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime, tzinfo
from types import TracebackType
from typing import Final, Self

from rich.console import Console, ConsoleOptions, RenderableType
from rich.live import Live
from rich.segment import Segment

from milepost.client._cli.rendering.canvas import Canvas, marks_for
from milepost.contract.printable import escape

__all__ = ["EscapingConsole", "Screen"]


class EscapingConsole(Console):
    """A console that shows control characters of what it prints, wherever they come from, and obeys only its own."""

    def __init__(self, *, stderr: bool = False) -> None:
        super().__init__(stderr=stderr, highlight=False)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """What is drawn, piece by piece."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=escape(segment.text))


_REFRESH_INTERVAL = 0.1
"""Seconds between two pictures."""
# Signals that stop or end a process by themselves, before which the terminal is put in order.
_RESTORING_SIGNALS: Final = (signal.SIGTSTP, signal.SIGQUIT)


class Screen(ABC):
    """Keeps a picture up to date; the last one stays on the terminal.

    While it is shown the cursor is hidden. However the process is stopped or ended, but for signals that cannot be
    caught, the cursor is back before; a view that is suspended goes on below, once it is in the foreground again.
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
        self._live: Live | None = None
        self._drawing: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        for number in _RESTORING_SIGNALS:
            if signal.getsignal(number) == signal.SIG_DFL:
                loop.add_signal_handler(number, self._restore_and_signal, number)
        self._drawing = asyncio.create_task(self._refresh())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Draws the last picture, and gives the terminal back."""
        for number in _RESTORING_SIGNALS:
            asyncio.get_running_loop().remove_signal_handler(number)
        try:
            if self._drawing is not None:
                self._drawing.cancel()
                with suppress(asyncio.CancelledError):
                    await self._drawing
            self._draw(final=True)
        finally:
            self._stop()

    @abstractmethod
    def picture(self, canvas: Canvas) -> RenderableType | None:
        """What to draw; None while there is nothing."""

    @abstractmethod
    def is_final(self) -> bool:
        """Whether nothing will change any more, so that the last picture may be as high as it is."""

    async def _refresh(self) -> None:
        while True:
            self._draw()
            await asyncio.sleep(_REFRESH_INTERVAL)

    def _draw(self, *, final: bool = False) -> None:
        if not self._is_in_foreground():
            return
        width, height = self._console.size
        marks = marks_for(self._console.encoding)
        final = final and self.is_final()
        picture = self.picture(Canvas(width, height, self._clock(), self._zone, marks, final))
        if picture is None:
            return
        if self._live is None:
            self._live = Live(
                console=self._console, auto_refresh=False, redirect_stdout=False, redirect_stderr=False
            )
            self._live.start()
        # The last one is drawn as this stops: in full, where the terminal is not high enough.
        self._live.update(picture, refresh=not final)

    def _stop(self) -> None:
        """Leaves the picture where it is, and shows the cursor below it."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _restore_and_signal(self, number: signal.Signals) -> None:
        """Has a signal do what it does by default, with the terminal in order."""
        self._stop()
        loop = asyncio.get_running_loop()
        loop.remove_signal_handler(number)
        os.kill(os.getpid(), number)
        # It was SIGTSTP, and somebody has continued the process.
        loop.add_signal_handler(number, self._restore_and_signal, number)

    def _is_in_foreground(self) -> bool:
        """Whether the terminal is this process's to draw on; what is in the background would draw over others."""
        try:
            return os.tcgetpgrp(self._console.file.fileno()) == os.getpgrp()
        except OSError:  # it is no terminal, or not the one that this process belongs to
            return True
