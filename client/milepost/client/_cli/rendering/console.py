"""The terminal that pictures are drawn on."""

from __future__ import annotations

from collections.abc import Iterable

from rich import console
from rich.segment import Segment

from milepost.contract.printable import escape

__all__ = ["Console"]


class Console(console.Console):
    """A console that shows control characters of what it prints, wherever they come from, and obeys only its own."""

    def __init__(self, *, stderr: bool = False) -> None:
        super().__init__(stderr=stderr, highlight=False)

    def render(
        self, renderable: console.RenderableType, options: console.ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """What is drawn, piece by piece."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=escape(segment.text))
