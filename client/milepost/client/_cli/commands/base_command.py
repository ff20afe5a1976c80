"""Base class of all commands: error handling and the layout of their help."""

from __future__ import annotations

import functools
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import click

from milepost.contract.limits import KIND

__all__ = ["Command", "command"]


class Command(click.Command):
    """A command that shows warnings and errors of the SDK in its output format; errors become a `CommandError`.

    Its module is also loaded for help and shell completion, so it imports the SDK only when it runs.
    """

    def __init__(self, *args: Any, examples: Sequence[str] = (), **settings: Any) -> None:
        super().__init__(*args, **settings)
        self._examples = examples

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments.

        Raises:
            click.UsageError: There are more of them than the command takes.
            click.BadParameter: A text is none that a message can have, as it is no UTF-8.
        """
        takes_more = ctx.allow_extra_args
        ctx.allow_extra_args = True
        rest = super().parse_args(ctx, args)
        if rest and not takes_more and not ctx.resilient_parsing:
            ctx.fail(self._unexpected(rest))
        for parameter in self.params:
            takes_bytes = parameter.type is click.UNPROCESSED or isinstance(parameter.type, click.Path)
            if not takes_bytes and not _is_unicode(ctx.params.get(parameter.name or "")):
                # Without the value, which may be a secret.
                raise click.BadParameter("It has bytes that are no UTF-8.", ctx, parameter)
        return rest

    def _unexpected(self, words: Sequence[str]) -> str:
        """The error for arguments that the command does not take; a kind is most often meant as an option."""
        from milepost.client._cli.rendering import text

        takes_kind = any("--kind" in parameter.opts for parameter in self.params)
        hint = f" Did you mean `--kind {words[0]}`?" if takes_kind and KIND.fullmatch(words[0]) else ""
        if any(isinstance(parameter, click.Argument) for parameter in self.params):
            return f"{text.one_line(words[0])!r} is one argument too many.{hint}"
        return f"{text.one_line(words[0])!r} is an argument, and this command takes options only.{hint}"

    def invoke(self, ctx: click.Context) -> object:
        """Run the command."""
        from milepost.client._cli.commands.outcome import as_command_error
        from milepost.client._cli.commands.server_settings import context_in_use
        from milepost.client._cli.commands.warning_lines import warning_lines
        from milepost.client.errors import JobNotFound, MilepostError, Unreachable

        json = ctx.params.get("output") == "json"
        try:
            with warning_lines(json=json):
                return super().invoke(ctx)
        except MilepostError as error:
            asks_where = isinstance(error, JobNotFound | Unreachable)
            context = context_in_use(ctx, ctx.params) if asks_where else ""
            raise as_command_error(error, json=json, context=context) from error

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples and the environment variables of the options."""
        if self._examples:
            with formatter.section("Examples"):
                formatter.write(
                    "".join(f"{' ' * formatter.current_indent}{line}\n" for line in self._examples)
                )
        super().format_epilog(ctx, formatter)
        if environment := self._environment(ctx):
            formatter.write_paragraph()
            formatter.write_text(environment)

    def _environment(self, ctx: click.Context) -> str:
        own: list[tuple[str, str]] = []
        shared: list[tuple[str, str]] = []
        for parameter in self.params:
            if isinstance(parameter, click.Option) and parameter.envvar is None:
                own.append(
                    (max(parameter.opts, key=len), f"{ctx.auto_envvar_prefix}_{parameter.name}".upper())
                )
            elif isinstance(parameter, click.Option):
                pair = parameter.opts[0], str(parameter.envvar)
                (own if pair[1].startswith(f"{ctx.auto_envvar_prefix}_") else shared).append(pair)
        sentences = []
        if own:
            sentences.append(
                f"Every option is also read from the environment, such as {own[0][0]} from {own[0][1]}."
            )
        if shared:
            sentences.append(
                f"Options that commands share are read from the environment as {', '.join(name for _, name in shared)}."
            )
        return " ".join(sentences)


def _is_unicode(value: object) -> bool:
    """Whether all texts of a value are Unicode: Python makes lone surrogates of other bytes in arguments."""
    if isinstance(value, str):
        return value.isascii() or not any("\ud800" <= character <= "\udfff" for character in value)
    if isinstance(value, Mapping):
        value = value.items()
    return not isinstance(value, Collection) or all(map(_is_unicode, value))


command = functools.partial(click.command, cls=Command)
"""Decorate a function as a `Command`; ``examples`` are command lines for its help."""
