"""The page of the demo's job: its address, a browser that opens it, and the time to look at it."""

from __future__ import annotations

import asyncio
import os
import sys
import webbrowser

from milepost.client._cli.standard_streams import write_stderr

__all__ = ["show_page", "wait_for_enter"]


def show_page(url: str) -> None:
    """Print the address of a page, and open it where somebody sits at a graphical screen."""
    write_stderr(f"page        {url}\n")
    has_screen = sys.platform == "darwin" or {"DISPLAY", "WAYLAND_DISPLAY"} & os.environ.keys()
    if has_screen and sys.stderr.isatty():
        webbrowser.open(url)


async def wait_for_enter() -> None:
    """Wait until somebody at the terminal presses Enter; return at once where nobody is."""
    if not sys.stdin.isatty():
        return
    write_stderr("\nThe page stays until you press Enter.")
    loop, pressed = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(sys.stdin, pressed.set)
    try:
        await pressed.wait()
    finally:
        loop.remove_reader(sys.stdin)
    sys.stdin.readline()
