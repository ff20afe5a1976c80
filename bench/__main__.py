"""``python -m bench``: runs the measurements, and shows Milepost beside the least that could do the same."""

from __future__ import annotations

import json
import os
import platform
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import click
import grpc
import psutil
from rich.console import Console

from bench import live, replay, reports
from bench.figures import Figure, Settings, table

_MEASUREMENTS: Mapping[str, Callable[[Settings], list[Figure]]] = {
    "replay": replay.measure,
    "live": live.measure,
    "reports": reports.measure,
}


@click.command(context_settings={"show_default": True})
@click.argument("names", nargs=-1, type=click.Choice(list(_MEASUREMENTS)))
@click.option("--rounds", type=click.IntRange(min=1), default=5, help="How many rounds of each are counted.")
@click.option(
    "--seconds",
    type=click.FloatRange(min=0),
    default=20.0,
    help="How long a row of the table may take: no further round of it is begun after that.",
)
@click.option(
    "--directory",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("build"),
    help="Where the stores are made, and removed again. It is the disk below it that is measured.",
)
@click.option(
    "--json", "json_path", type=click.Path(dir_okay=False, path_type=Path), help="Write every round here."
)
def main(names: Sequence[str], rounds: int, seconds: float, directory: Path, json_path: Path | None) -> None:
    """Measure NAMES (all of them if none is given): replay, live, reports."""
    console = Console(width=None if Console().is_terminal else 140)
    directory.mkdir(parents=True, exist_ok=True)
    machine = _machine(directory)
    console.print(", ".join(f"{name} {value}" for name, value in machine.items()))
    figures: list[Figure] = []
    for name in names or _MEASUREMENTS:
        with (
            console.status(f"measuring {name} …"),
            tempfile.TemporaryDirectory(prefix="bench-", dir=directory) as fresh,
        ):
            figures += _MEASUREMENTS[name](Settings(Path(fresh), rounds, seconds))
    console.print(table(figures))
    if json_path is not None:
        told = {"machine": machine, "figures": [asdict(figure) for figure in figures]}
        json_path.write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n")


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
