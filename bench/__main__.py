"""``python -m bench``: run the measurements, and compare Milepost with minimal baselines."""

from __future__ import annotations

import json
import os
import platform
import resource
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path

import click
import grpc
import psutil
from click.exceptions import Exit
from rich.console import Console

from bench import (
    abuse,
    acknowledge,
    authorise,
    cancel,
    celery_overhead,
    dispatch,
    drops,
    ends,
    estimates,
    growth,
    hatchet_overhead,
    holds,
    http,
    idle,
    listing,
    live,
    nodes,
    pages,
    peers,
    plot,
    replay,
    reports,
    stalled,
    start,
    storm,
    timing,
    track,
)
from bench.checkouts import Checkout, checked_out
from bench.figures import Figure, Settings, rounds_table, table
from bench.processes import MeasurementFailed

MEASUREMENTS: Mapping[str, Callable[[Settings], list[Figure]]] = {
    "replay": replay.measure,
    "live": live.measure,
    "reports": reports.measure,
    "acknowledge": acknowledge.measure,
    "stalled": stalled.measure,
    "idle": idle.measure,
    "storm": storm.measure,
    "growth": growth.measure,
    "listing": listing.measure,
    "drops": drops.measure,
    "start": start.measure,
    "track": track.measure,
    "dispatch": dispatch.measure,
    "cancel": cancel.measure,
    "ends": ends.measure,
    "celery": celery_overhead.measure,
    "hatchet": hatchet_overhead.measure,
    "nodes": nodes.measure,
    "peers": peers.measure,
    "abuse": abuse.measure,
    "holds": holds.measure,
    "http": http.measure_replay,
    "http_live": http.measure_live,
    "http_idle": http.measure_idle,
    "http_mounted": http.measure_mounted,
    "pages": pages.measure,
    "timing": timing.measure,
    "authorise": authorise.measure,
}
_DEFAULT = ("replay", "live", "reports")

_IN_TURNS = ("replay", "live", "reports", "http_live")
"""Those that take ``--against`` and ``--rows``."""


@click.command(context_settings={"show_default": True})
@click.argument("names", nargs=-1, type=click.Choice([*MEASUREMENTS, "estimates", "plot"]))
@click.option(
    "--full", is_flag=True, help="At full size, and without NAMES all measurements: more than an hour."
)
@click.option("--rounds", type=click.IntRange(min=1), default=5, help="Measured rounds of each contestant.")
@click.option(
    "--seconds",
    type=click.FloatRange(min=0),
    default=20.0,
    help="Time limit of a comparison: after it no further round starts.",
)
@click.option(
    "--against",
    metavar="COMMIT",
    help="Measure the server of this commit, too, in turns with this one: replay, live, reports, http_live.",
)
@click.option(
    "--rows", default="", help="Measure only rows with this in their name: replay, live, reports, http_live."
)
@click.option(
    "--attack",
    "attacks",
    multiple=True,
    type=click.Choice(list(abuse.ATTACKS)),
    help="Measure only this attack of `abuse`; may be repeated.",
)
@click.option(
    "--runs",
    "recorded",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="File of recorded runs for `estimates`; may be repeated.",
)
@click.option(
    "--own",
    is_flag=True,
    help="Let `estimates` run the examples, one job after the other, in place of --runs.",
)
@click.option(
    "--directory",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("build"),
    help="Directory of the stores; its disk is measured.",
)
@click.option(
    "--json",
    "json_path",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write every round to this file, replacing earlier figures of the same measurements.",
)
def main(
    names: Sequence[str],
    full: bool,
    rounds: int,
    seconds: float,
    against: str | None,
    rows: str,
    attacks: Sequence[str],
    recorded: Sequence[Path],
    own: bool,
    directory: Path,
    json_path: Path | None,
) -> None:
    """Measure NAMES (replay, live and reports if none is given).

    A failed measurement prints the reason; the others continue, and the exit status is 1.

    `plot` draws the plots in docs/ from bench/figures.json, or from the file of --json. `estimates` replays the
    recorded runs of --runs, or with --own makes some.
    """
    if "plot" in names:
        plot.draw(json_path or Path("bench/figures.json"), Path("docs"))
        return
    if "estimates" in names:
        console = Console(width=None if Console().is_terminal else 140)
        if own:
            directory.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix="bench-", dir=directory) as fresh:
                estimates.report_own(Path(fresh), json_path, console)
        elif recorded:
            estimates.report(recorded, json_path, console)
        else:
            raise click.UsageError(
                "`estimates` needs --own, or --runs FILE: recorded runs, a line of JSON each."
            )
        return
    measured = names or (MEASUREMENTS if full else _DEFAULT)
    if (against or rows) and not set(measured) <= set(_IN_TURNS):
        raise click.UsageError(
            f"--against and --rows are for {', '.join(_IN_TURNS)} only; name one of these."
        )
    _raise_open_files()
    console = Console(width=None if Console().is_terminal else 140)
    directory.mkdir(parents=True, exist_ok=True)
    machine = _machine(directory)
    console.print(", ".join(f"{name} {value}" for name, value in machine.items()))
    figures: list[Figure] = []
    failed = False
    with ExitStack() as stack:
        other = stack.enter_context(_checked_out(against, directory)) if against else None
        for name in measured:
            started = time.monotonic()
            with (
                console.status(f"measuring {name} …"),
                tempfile.TemporaryDirectory(prefix="bench-", dir=directory) as fresh,
            ):
                stores = directory / "bench-stores"
                settings = Settings(Path(fresh), rounds, seconds, stores, full, attacks, other, rows)
                try:
                    figures += MEASUREMENTS[name](settings)
                except (MeasurementFailed, grpc.RpcError, OSError, subprocess.SubprocessError) as error:
                    failed = True
                    console.print(f"{name} failed: {error}", markup=False)
                else:
                    console.print(f"{name} took {time.monotonic() - started:.0f} s")
            if json_path is not None:
                _save(json_path, machine, figures)
    if figures:
        console.print(table(figures))
        if other is not None:
            console.print(rounds_table(figures, other.name))
    if failed:
        raise Exit(1)


@contextmanager
def _checked_out(commit: str, directory: Path) -> Iterator[Checkout]:
    with tempfile.TemporaryDirectory(prefix="bench-", dir=directory) as fresh, ExitStack() as stack:
        try:
            yield stack.enter_context(checked_out(commit, Path(fresh) / "checkout"))
        except subprocess.CalledProcessError as error:
            raise click.ClickException(
                f"{commit} could not be checked out: {error}\n{error.output}"
            ) from error


def _save(path: Path, machine: Mapping[str, str], figures: Sequence[Figure]) -> None:
    new = [asdict(figure) for figure in figures]
    measured = {(figure["what"], figure["quantity"]) for figure in new}
    earlier = json.loads(path.read_text())["figures"] if path.exists() else []
    kept = [figure for figure in earlier if (figure["what"], figure["quantity"]) not in measured]
    document = {"machine": machine, "figures": [*kept, *new]}
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")


def _raise_open_files() -> None:
    """Raise the limit of open files for this process and its children: each connection is one."""
    _, hard_limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard_limit, hard_limit))


def _machine(directory: Path) -> dict[str, str]:
    place = directory.resolve()
    mounts = [part for part in psutil.disk_partitions(all=True) if place.is_relative_to(part.mountpoint)]
    return {
        "cores": str(len(os.sched_getaffinity(0))),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "Python": platform.python_version(),
        "grpcio": grpc.__version__,
        "file system": max(mounts, key=lambda part: len(part.mountpoint)).fstype if mounts else "unknown",
    }


if __name__ == "__main__":
    main()
