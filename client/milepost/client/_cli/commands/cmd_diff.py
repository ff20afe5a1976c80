"""`milepost diff`."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
from click.core import ParameterSource
from click.exceptions import Exit

from milepost.client._cli.commands import completion
from milepost.client._cli.commands.base_command import command
from milepost.client._cli.commands.exit_status import ExitStatus
from milepost.client._cli.commands.options import ServerOptions, option, output_option, server_options
from milepost.client._cli.commands.parameter_types import seconds
from milepost.client._cli.rendering.json_line import dump_json
from milepost.client._cli.standard_streams import write_stderr, write_stdout

if TYPE_CHECKING:
    from milepost.client._cli.commands.run_reader import RunReader
    from milepost.client._diff.comparison import Comparison
    from milepost.client._diff.groups import Group, GroupComparison
    from milepost.client._diff.paths import PathPatterns
    from milepost.client._diff.run import Run

__all__ = ["diff"]

_LAST_LIMIT: Final = 1000
_EXAMPLES: Final = (
    "milepost diff A B --ignore result.request_id --tolerance 50%",
    "milepost diff A B --ignore events --ignore 'stages.*.current' --output json",
    "milepost diff --kind album --by milepost.dev/engine=worker,celery --last 20",
)


def _ratio(value: str) -> float:
    from milepost.client._diff.tolerance import parse_ratio

    try:
        return parse_ratio(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def _add_descriptors(context: click.Context, parameter: click.Parameter, paths: tuple[Path, ...]) -> None:
    from milepost.client._diff.custom_types import add_descriptors

    for path in paths:
        try:
            add_descriptors(path.read_bytes())
        except (OSError, ValueError) as error:
            raise click.BadParameter(f"{path}: {error}") from error


def _patterns(context: click.Context, parameter: click.Parameter, texts: tuple[str, ...]) -> PathPatterns:
    from milepost.client._diff.paths import PathPatterns

    try:
        return PathPatterns(texts)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


@command(examples=_EXAMPLES)
@click.argument("job_ids", metavar="[A [B]]", nargs=-1, shell_complete=completion.ended_job_ids)
@option(
    "--kind",
    default="",
    metavar="KIND",
    shell_complete=completion.kinds,
    help="Compare groups of jobs of this kind; requires --by.",
)
@option(
    "--by",
    default="",
    metavar="LABEL[=A,B]",
    help="The label whose values are the groups. Default values: those of the newest runs, the newest one's as B.",
)
@option(
    "--last",
    type=click.IntRange(1, _LAST_LIMIT),
    default=10,
    metavar="N",
    help="Number of runs of each group, newest first.",
)
@option(
    "--ignore",
    "ignored",
    envvar="MILEPOST_DIFF_IGNORE",
    multiple=True,
    callback=_patterns,
    metavar="PATH",
    help="Leave out this part, such as result.request_id, events.TOPIC or stages.*.current; repeat for several.",
)
@option(
    "--descriptors",
    envvar="MILEPOST_DIFF_DESCRIPTORS",
    type=click.Path(path_type=Path, dir_okay=False),
    multiple=True,
    callback=_add_descriptors,
    expose_value=False,
    metavar="FILE",
    help="A FileDescriptorSet, as `buf build -o FILE` writes, with the types of custom events; repeat for several. "
    "Events of other types are compared by the numbers of their fields.",
)
@option(
    "--tolerance",
    type=_ratio,
    metavar="RATIO",
    help="Durations differ if the longer one is more than this times the other one: 1.5, or 50%. "
    "Default: they are shown, and never differ.",
)
@option(
    "--slack",
    type=seconds,
    default="1s",
    metavar="TIME",
    help="Durations may differ by this in any case.",
)
@option(
    "--children/--no-children",
    default=True,
    help="Whether the children of the jobs are compared.",
)
@output_option
@server_options
def diff(
    server: ServerOptions,
    job_ids: tuple[str, ...],
    kind: str,
    by: str,
    last: int,
    ignored: PathPatterns,
    tolerance: float | None,
    slack: float,
    children: bool,
    output: str,
) -> None:
    """Compare two runs, or two groups of runs, and exit with 1 if they differ.

    With jobs A and B: their states, failures, stages, results, artifacts and custom events, and all of that for their
    children. Children of one kind pair by their labels, then by their order. Events of one type may come in any order.
    With A alone, B is the job that a pipeline ran as its shadow.

    With --kind and --by: the median durations of two groups of jobs, and each run with its shadow; without shadows,
    what runs of the one group have and runs of the other one do not.
    """
    from milepost.client._cli.commands.async_runner import run
    from milepost.client._diff.comparison import compare
    from milepost.client._diff.groups import compare_groups
    from milepost.client._diff.tolerance import Tolerance
    from milepost.client.engines.labels import SHADOW_OF

    label, values = _checked(job_ids, kind, by)
    context = click.get_current_context()
    if not kind and context.get_parameter_source("last") == ParameterSource.COMMANDLINE:
        raise click.UsageError(
            "--last is the number of runs of each group: it takes --kind and --by, and no jobs."
        )
    judging = Tolerance(math.inf if tolerance is None else tolerance, slack)
    reading = _Reading(server, events=not ignored.covers(("events",)), children=children)
    if kind:
        a, b = run(reading.groups(kind, label, values, last))
        groups = compare_groups(a, b, SHADOW_OF, ignored, judging)
        same = groups.is_same
        _print_groups(groups, kind, label, output, judges_durations=tolerance is not None)
    else:
        runs = compare(*run(reading.runs(job_ids)), ignored, judging)
        same = not runs.differences
        _print_runs(runs, output, judges_durations=tolerance is not None)
    # The environment may name what only other runs have.
    if context.get_parameter_source("ignored") == ParameterSource.COMMANDLINE:
        for pattern in ignored.unused:
            write_stderr(f"--ignore {pattern!r} left nothing out.")
    raise Exit(ExitStatus.SUCCEEDED if same else ExitStatus.FAILED)


@dataclass(frozen=True)
class _Reading:
    """The runs to read, and the server to read them from."""

    server: ServerOptions
    events: bool
    children: bool

    async def runs(self, job_ids: Sequence[str]) -> tuple[Run, Run]:
        """The runs of two jobs, or of a job and its shadow."""
        from milepost.client.engines.labels import SHADOW_OF

        async with self._reader() as reader:
            a = await reader.run(job_ids[0])
            return a, await (
                reader.run(job_ids[1]) if job_ids[1:] else reader.shadow_of(job_ids[0], SHADOW_OF)
            )

    async def groups(self, kind: str, label: str, values: Sequence[str], last: int) -> tuple[Group, Group]:
        """Two groups of runs."""
        async with self._reader() as reader:
            return await reader.groups(kind, label, values, last)

    @asynccontextmanager
    async def _reader(self) -> AsyncIterator[RunReader]:
        from milepost.client._cli.commands.run_reader import RunReader

        async with self.server.client() as client:
            yield RunReader(client, events=self.events, children=self.children)


def _checked(job_ids: Sequence[str], kind: str, by: str) -> tuple[str, Sequence[str]]:
    """Check which runs are meant; return the label and the values of groups, if these are."""
    if bool(kind) != bool(by):
        raise click.UsageError("Groups of runs take both --kind and --by, the label that tells them apart.")
    if kind and job_ids:
        raise click.UsageError("Give either jobs, or --kind and --by.")
    if not kind and not 1 <= len(job_ids) <= 2:
        raise click.UsageError("Give two jobs, one job that has a shadow, or --kind and --by.")
    label, equals, rest = by.partition("=")
    values = rest.split(",") if equals else []
    if equals and (len(values) != 2 or values[0] == values[1] or not label):
        raise click.UsageError(f"--by {by!r} is not of the form LABEL=A,B, with two values.")
    return label, values


def _print_runs(found: Comparison, output: str, *, judges_durations: bool) -> None:
    from milepost.client._cli.commands.printing import print_report
    from milepost.client._cli.rendering.comparison_json import comparison_json
    from milepost.client._cli.rendering.run_report import run_report

    if output == "json":
        write_stdout(dump_json(comparison_json(found)))
    else:
        print_report(run_report(found, judges_durations=judges_durations), output)


def _print_groups(
    found: GroupComparison, kind: str, label: str, output: str, *, judges_durations: bool
) -> None:
    from milepost.client._cli.commands.printing import print_report
    from milepost.client._cli.rendering.comparison_json import group_comparison_json
    from milepost.client._cli.rendering.group_report import group_report

    if output == "json":
        write_stdout(dump_json(group_comparison_json(found)))
    else:
        print_report(group_report(kind, label, found, judges_durations=judges_durations), output)
