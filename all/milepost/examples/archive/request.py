"""The request: the directory to archive, and the file to write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from milepost.examples.archive.errors import ArchiveError
from milepost.examples.archive.formats import FORMATS, Format, format_of

__all__ = ["Request", "parse"]


@dataclass(frozen=True)
class Request:
    """The parsed input of a job.

    Attributes:
        root: The directory, an absolute path without symbolic links.
        output: The archive to write, in a directory that is an absolute path without symbolic links.
        form: The archive's format.
        exclude: Patterns of names to leave out.
    """

    root: Path
    output: Path
    form: Format
    exclude: tuple[str, ...] = ()


def parse(values: Mapping[str, object]) -> Request:
    """Parse the input of a job: ``path``, ``output`` and optionally ``exclude``.

    Relative paths start in the worker's directory.

    Raises:
        ArchiveError: BAD_INPUT, with the invalid value and the alternatives.
    """
    path = _path(values, "path")
    output = _path(values, "output")
    form = format_of(output.name)
    if form is None:
        suffixes = " or ".join(form.suffix for form in FORMATS)
        raise ArchiveError("BAD_INPUT", f"output is {str(output)!r}; its name must end with {suffixes}.")
    return Request(_resolved(path), _resolved(output.parent) / output.name, form, _patterns(values))


def _path(values: Mapping[str, object], name: str) -> Path:
    value = values.get(name)
    if not isinstance(value, str) or not value or "\0" in value:
        raise ArchiveError("BAD_INPUT", f"{name} is {value!r}; it must be a path, as text.")
    return Path(value)


def _resolved(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError) as error:  # links that lead in a circle
        raise ArchiveError("BAD_INPUT", f"{str(path)!r} leads nowhere: {error}.") from error


def _patterns(values: Mapping[str, object]) -> tuple[str, ...]:
    value = values.get("exclude", [])
    if not isinstance(value, list) or not all(isinstance(pattern, str) for pattern in value):
        raise ArchiveError("BAD_INPUT", f"exclude is {value!r}; it must be a list of patterns, as text.")
    return tuple(value)
