"""``python -m bench``: runs the measurements, and shows Milepost beside the least that could do the same."""

from __future__ import annotations

import json
import os
import platform
import resource
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
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
    cancel,
    dispatch,
    drops,
    growth,
    idle,
    listing,
    live,
    nodes,
    peers,
    plot,
    replay,
    reports,
    stalled,
    start,
    storm,
    track,
)
from bench.figures import Figure, Settings, table
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
    "nodes": nodes.measure,
    "peers": peers.measure,
    "abuse": abuse.measure,
}
_SHORT = ("replay", "live", "reports")


@click.command(context_settings={"show_default": True})
@click.argument("names", nargs=-1, type=click.Choice([*MEASUREMENTS, "plot"]))
@click.option("--full", is_flag=True, help="All of them where none is named, and at full size: half an hour.")
@click.option("--rounds", type=click.IntRange(min=1), default=5, help="How many rounds of each are counted.")
@click.option(
    "--seconds",
    type=click.FloatRange(min=0),
    default=20.0,
    help="How long a row of the table may take: no further round of it is begun after that.",
)
@click.option(
    "--attack",
    "attacks",
    multiple=True,
    type=click.Choice(list(abuse.ATTACKS)),
    help="Measure only this attack of `abuse`; may be repeated.",
)
@click.option(
    "--directory",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("build"),
    help="Where the stores are made. It is the disk below it that is measured.",
)
@click.option(
    "--json",
    "json_path",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write every round here, in place of what is there of the same measurements.",
)
def main(
    names: Sequence[str],
    full: bool,
    rounds: int,
    seconds: float,
    attacks: Sequence[str],
    directory: Path,
    json_path: Path | None,
) -> None:
    """Measure NAMES (replay, live and reports if none is given).

    A measurement that fails says why in a line; the others go on, and the exit status is 1.

    `plot` draws, from bench/figures.json or the file of --json, the plots in docs/.
    """
    if "plot" in names:
        plot.draw(json_path or Path("bench/figures.json"), Path("docs"))
        return
    _raise_open_files()
    console = Console(width=None if Console().is_terminal else 140)
    directory.mkdir(parents=True, exist_ok=True)
    machine = _machine(directory)
    console.print(", ".join(f"{name} {value}" for name, value in machine.items()))
    figures: list[Figure] = []
    failed = False
    for name in names or (MEASUREMENTS if full else _SHORT):
        begun = time.monotonic()
        with (
            console.status(f"measuring {name} …"),
            tempfile.TemporaryDirectory(prefix="bench-", dir=directory) as fresh,
        ):
            settings = Settings(Path(fresh), rounds, seconds, directory / "bench-stores", full, attacks)
            try:
                figures += MEASUREMENTS[name](settings)
            except (MeasurementFailed, grpc.RpcError, OSError) as error:
                failed = True
                console.print(f"{name} failed: {error}", markup=False)
            else:
                console.print(f"{name} took {time.monotonic() - begun:.0f} s")
        if json_path is not None:
            _save(json_path, machine, figures)
    if figures:
        console.print(table(figures))
    if failed:
        raise Exit(1)


def _save(path: Path, machine: Mapping[str, str], figures: Sequence[Figure]) -> None:
    new = [asdict(figure) for figure in figures]
    measured = {(figure["what"], figure["quantity"]) for figure in new}
    told = json.loads(path.read_text())["figures"] if path.exists() else []
    kept = [figure for figure in told if (figure["what"], figure["quantity"]) not in measured]
    told = {"machine": machine, "figures": [*kept, *new]}
    path.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n")


def _raise_open_files() -> None:
    """For this process and all that it starts: a connection is a file."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


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
