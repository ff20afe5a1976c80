"""What rich draws, as text."""

from __future__ import annotations

import io

from rich.console import Console, RenderableType

__all__ = ["drawn"]


def drawn(picture: RenderableType, width: int) -> str:
    """The drawing as text, without trailing blanks."""
    console = Console(file=io.StringIO(), width=width, force_terminal=False, color_system=None)
    with console.capture() as capture:
        console.print(picture)
    return "\n".join(line.rstrip() for line in capture.get().splitlines())
