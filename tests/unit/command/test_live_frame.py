"""A picture that is redrawn in place: what remains of it, and output of others meanwhile."""

from __future__ import annotations

import io
import sys
from typing import TextIO, cast

import pytest
from rich.console import Console, Group
from rich.text import Text

from milepost.client._cli.rendering.live_frame import LiveFrame
from tests.support.command import terminal
from tests.support.reflowing import ReflowingTerminal


class Shown:
    """A live picture on a terminal of 120 columns, under a line that was there before."""

    def __init__(self, lines: int = 24) -> None:
        self.terminal = ReflowingTerminal(120)
        self.terminal.write("$ milepost watch j\n")
        self.console = Console(file=cast("TextIO", self.terminal), force_terminal=True, highlight=False)
        self.lines = lines
        self.resize(120)
        self.frame = LiveFrame(self.console)

    def resize(self, width: int) -> None:
        """Resize the terminal."""
        self.terminal.width = width
        self.console.size = self.console.size._replace(width=width, height=self.lines)

    def draw(self, *lines: str, final: bool = False) -> list[str]:
        """Draw lines that are cut at the width; return what the terminal shows below the earlier line."""
        width = self.terminal.width
        picture = Group(*(Text(line[:width], no_wrap=True) for line in lines))
        self.frame.draw(picture, final=final)
        return self.below()

    def below(self) -> list[str]:
        """The terminal's content below the earlier line."""
        before, *rows = self.terminal.rows
        assert before == "$ milepost watch j"
        return rows


PICTURE = ("archive j" + " " * 100 + "running 12%", "━" * 120, "", "  hash  61.2 of 130.4 MB", "● live")


@pytest.mark.parametrize("widths", [(120, 60, 40), (120, 40, 120, 50), (60, 59, 58, 20), (40, 120)])
def test_a_picture_leaves_nothing_behind_on_a_terminal_that_is_resized(widths: tuple[int, ...]) -> None:
    """Its lines take more rows on a narrower terminal."""
    shown = Shown()
    shown.frame.start()
    for width in widths:
        shown.resize(width)

        assert shown.draw(*PICTURE) == [line[:width].rstrip() for line in PICTURE]
    shown.frame.stop()

    assert shown.below() == [line[: widths[-1]].rstrip() for line in PICTURE]


def test_a_picture_becomes_lower_and_higher() -> None:
    """Unused rows are erased."""
    shown = Shown()
    shown.frame.start()

    assert shown.draw("a", "b", "c") == ["a", "b", "c"]
    assert shown.draw("x") == ["x"]
    assert shown.draw("x", "y") == ["x", "y"]


def test_a_picture_that_is_higher_than_the_terminal() -> None:
    """It is cut, since rows that scrolled away cannot be redrawn; the last picture is not cut."""
    shown = Shown(lines=3)
    shown.frame.start()

    assert shown.draw("a", "b", "c", "d") == ["a", "b", "…"]
    assert shown.draw("a", "b", "c", "d", final=True) == ["a", "b", "c", "d"]


def test_lines_are_printed_above_the_picture() -> None:
    """In their order, in full, and once: the next picture does not erase them."""
    shown = Shown()
    shown.frame.start()
    shown.draw("a", "b")
    shown.frame.print_above("first")
    shown.frame.print_above("x" * 130 + "\nthird")
    printed = ["first", "x" * 120, "x" * 10, "third"]

    assert shown.below() == [*printed, "a", "b"]
    assert shown.draw("c") == [*printed, "c"]


WRITERS = """
import logging, sys, threading, warnings
from rich.text import Text
from milepost.client._cli.rendering.live_frame import LiveFrame
from milepost.client._cli.rendering.terminal import EscapingConsole

def fails():
    raise ValueError("from a thread")

frame = LiveFrame(EscapingConsole(stderr=True))
frame.start()
frame.draw(Text("picture"))
logging.getLogger("somebody").warning("from a logger")
warnings.showwarning("from warnings", UserWarning, "file.py", 7, line="")
print("from print")
print("from two ", end="", file=sys.stderr)
frame.draw(Text("picture"))
print("prints", file=sys.stderr)
thread = threading.Thread(target=fails)
thread.start()
thread.join()
print("unfinished \x1b[2J", end="")
frame.stop()
print("after it")
"""


async def test_nothing_is_written_past_the_picture() -> None:
    """Output to the terminal's streams appears by the line, outside the picture; its escape sequences are escaped."""
    async with terminal(program=(sys.executable, "-c", WRITERS)) as shown:
        status = await shown.process.wait()
        await shown.shows(lambda text: "after it" in text)
    screen = ReflowingTerminal(80)
    screen.write(shown.raw)
    rows = screen.rows

    assert status == 0
    assert rows[:4] == [
        "from a logger",
        "file.py:7: UserWarning: from warnings",
        "from print",
        "from two prints",
    ]
    assert rows[-4:] == ["ValueError: from a thread", r"unfinished \x1b[2J", "picture", "after it"]
    assert screen.cursor_shown


def test_a_stream_that_is_no_terminal_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A result that goes to a file goes there."""
    shown = Shown()
    file = io.StringIO()
    monkeypatch.setattr(sys, "stdout", file)
    shown.frame.start()
    shown.draw("picture")
    print("result")

    assert (file.getvalue(), shown.below()) == ("result\n", ["picture"])
