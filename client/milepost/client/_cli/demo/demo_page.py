"""The page of the demo's job: its address, a browser that opens it, and as much time as the reader wants."""

from __future__ import annotations

import asyncio
import os
import sys
import webbrowser

from milepost.client._cli.standard_streams import write_stderr

__all__ = ["keep_page", "show_page"]


def show_page(url: str) -> None:
    """Print the address of a page, and open it where somebody sits at a graphical screen."""
    write_stderr(f"page        {url}\n")
    has_screen = sys.platform == "darwin" or {"DISPLAY", "WAYLAND_DISPLAY"} & os.environ.keys()
    if has_screen and sys.stderr.isatty():
        webbrowser.open(url)


async def keep_page(url: str) -> None:
    """Wait for Ctrl-C, or another signal that cancels the command: with the page open that is how the demo ends."""
    write_stderr(f"\nThe page stays until you press Ctrl-C: {url}")
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        task = asyncio.current_task()
        assert task is not None
        task.uncancel()
