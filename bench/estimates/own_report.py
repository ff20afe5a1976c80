"""What ``python -m bench estimates --own`` prints and writes."""

from __future__ import annotations

import json
from pathlib import Path

from rich.console import Console

from bench.estimates.own_pipelines import measure_pipelines
from bench.estimates.own_runs import measure, summary, table


def report_own(directory: Path, json_path: Path | None, console: Console) -> None:
    """Run everything in ``directory``; print a table for each example, and write all looks as JSON."""
    titles = {"archive": "archives of twenty trees, twice each"}
    looks = {"archive": measure(directory)}
    for engine, found in measure_pipelines(directory).items():
        titles[engine] = f"transcripts of four recordings, under {engine}"
        looks[engine] = found
    everything = {}
    for name, title in titles.items():
        figures = summary(looks[name])
        console.print(table(title, figures))
        everything[name] = {"figures": figures, "looks": [look._asdict() for look in looks[name]]}
    if json_path is not None:
        json_path.write_text(json.dumps(everything, indent=1) + "\n")
