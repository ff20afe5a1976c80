"""The shape of a run: which parts it has, whatever their values, so that runs with different inputs compare."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, TypeAlias

from milepost.client._diff.content import Content
from milepost.client._diff.paths import Path, PathPatterns
from milepost.client._diff.run import Run, seconds
from milepost.client._json import Json
from milepost.v1 import Job, Stage

__all__ = ["DROPPED", "Part", "durations", "parts", "without_indexes"]

Part: TypeAlias = tuple[Path, str]
"""A path without indexes, and the value there if it is one of a few, such as a state; else empty."""

DROPPED: Final = "dropped"
"""The value of ``events`` where the server no longer has all of them."""
_ENUMERATIONS: Final = frozenset({"state", "code"})


def without_indexes(path: Path) -> Path:
    """The path that all elements of a list share."""
    return tuple(element for element in path if isinstance(element, str))


def parts(run: Run, ignored: PathPatterns) -> set[Part]:
    """The parts of a run and of its children. Events, some of which the server has dropped, are one part, `DROPPED`."""
    return set(_parts_of_run(run, (), Content(ignored, {}), ignored))


def durations(run: Run, ignored: PathPatterns, path: Path = ()) -> Iterator[tuple[Path, float]]:
    """Seconds that a run, its stages and its children took, by the paths of these without indexes."""
    of_parts: list[tuple[Path, Job | Stage]] = [(path, run.job)]
    of_parts += [((*path, "stages", stage.stage_id), stage) for stage in run.job.stages]
    for below, part in of_parts:
        if (took := seconds(part)) is not None and not ignored.covers((*below, "duration")):
            yield without_indexes(below), took
    for below, child in run.numbered_children():
        if not ignored.covers(path + below):
            yield from durations(child, ignored, path + below)


def _parts_of_run(run: Run, path: Path, content: Content, ignored: PathPatterns) -> Iterator[Part]:
    found: dict[str, Json] = content.of_job(run, path)
    if not ignored.covers(events := (*path, "events")):
        if run.has_dropped_events:
            yield without_indexes(events), DROPPED
        else:
            found["events"] = content.of_events(run, path)
    # A job's own names are enumerations; those within its result and its events are the application's.
    for name, value in found.items():
        yield from _parts(value, (*path, name), of_application=name in ("result", "events"))
    for below, child in run.numbered_children():
        if not ignored.covers(path + below):
            yield without_indexes(path + below), ""
            yield from _parts_of_run(child, path + below, content, ignored)


def _parts(value: Json, path: Path, *, of_application: bool) -> Iterator[Part]:
    match value:
        case dict():
            yield without_indexes(path), ""
            for name, part in value.items():
                yield from _parts(part, (*path, name), of_application=of_application)
        case list():
            yield without_indexes(path), ""
            for index, part in enumerate(value):
                yield from _parts(part, (*path, index), of_application=of_application)
        case str() if not of_application and path[-1] in _ENUMERATIONS:
            yield without_indexes(path), value
        case _:
            yield without_indexes(path), ""
