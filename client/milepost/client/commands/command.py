"""What all commands have in common: how they begin, and how errors leave them."""

from __future__ import annotations

import functools
import os
import sys

import click
from click.exceptions import Exit

from milepost.client.commands.errors import Refusal
from milepost.client.commands.status import Status
from milepost.client.errors import MilepostError

__all__ = ["Command", "command"]


class Command(click.Command):
    """A command whose errors leave it as a `Refusal`, in the form that its output has."""

    def invoke(self, ctx: click.Context) -> object:
        """Runs it."""
        try:
            return super().invoke(ctx)
        except MilepostError as error:
            raise Refusal(error, json=ctx.params.get("output") == "json") from error
        except BrokenPipeError:
            # Nobody reads on, as after `milepost list | head -1`. What is still in the buffers goes nowhere.
            nowhere = os.open(os.devnull, os.O_WRONLY)
            for stream in (sys.stdout, sys.stderr):
                os.dup2(nowhere, stream.fileno())
            raise Exit(Status.READER_GONE) from None


command = functools.partial(click.command, cls=Command)
"""Makes a `Command` of a function."""
