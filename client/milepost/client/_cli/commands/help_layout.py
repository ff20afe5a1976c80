"""Lay out help for the width of the terminal."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import click

from milepost.client._cli.commands.number_ranges import in_words

__all__ = ["HelpContext", "use_layout"]

_NARROW_WIDTH: Final = 70
"""Cells, below which options of usual length stand on a line of their own, so that their descriptions have room."""


class _HelpLayout(click.HelpFormatter):
    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        """Write options or commands with their descriptions."""
        narrow = min(col_max, max(self.width // 4, 1))
        super().write_dl(rows, col_max if self.width >= _NARROW_WIDTH else narrow, col_spacing)


class HelpContext(click.Context):
    """A context whose help is laid out here."""

    formatter_class = _HelpLayout


def use_layout(command: click.Command) -> None:
    """Have the help of a command, and of its subcommands, laid out here, with the whole first sentence of each."""
    command.context_class = HelpContext
    in_words(command)
    if isinstance(command, click.Group):
        for subcommand in command.commands.values():
            use_layout(subcommand)
            if subcommand.short_help is None:
                subcommand.short_help = _first_sentence(subcommand.help or "")


def _first_sentence(text: str) -> str:
    first, stop, _ = " ".join(text.split()).partition(". ")
    return f"{first}." if stop else first
