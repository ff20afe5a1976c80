"""The parts of a run that are compared, as JSON values at the paths that patterns match."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from milepost.client._diff.custom_types import typed_json
from milepost.client._diff.paths import Path, PathPatterns, format_path
from milepost.client._diff.run import Run, state_of
from milepost.client._json import Json
from milepost.client._message_json import to_json
from milepost.v1 import Artifact, Failure, Stage

__all__ = ["Content", "input_of"]

_MIN_REPLACED_ID: Final = 8
"""Characters of an id that is replaced: a shorter one may be a word."""


class Content:
    """The compared content of the jobs of one tree.

    Left out are times, which are compared as durations, texts for people that change as a job runs, and where artifacts
    are stored, which differs between runs that made the same. The ids of jobs differ as well: where a text is the id of
    a job in the tree, or has the id of its own job in it, the path of that job stands in its place.
    """

    def __init__(self, ignored: PathPatterns, paths: Mapping[str, Path]) -> None:
        """Prepare for the jobs of a tree.

        Args:
            ignored: Patterns of what is left out as well.
            paths: The paths of these jobs, by id.
        """
        self._ignored = ignored
        self._placeholders = {
            job_id: f"<id of {format_path(path) or 'the job'}>"
            for job_id, path in paths.items()
            if len(job_id) >= _MIN_REPLACED_ID
        }

    def of_job(self, run: Run, path: Path) -> dict[str, Json]:
        """The state, failure, stages, result and artifacts of the job at ``path``."""
        job = run.job
        found: dict[str, Json] = {"state": state_of(job)}
        if job.HasField("failure"):
            found["failure"] = _failure(job.failure)
        found["stages"] = {stage.stage_id: _stage(stage) for stage in job.stages}
        if job.HasField("result"):
            found["result"] = to_json(job.result)
        found["artifacts"] = {artifact.name: _artifact(artifact) for artifact in job.artifacts}
        return self._of_names(found, path, job.job_id)

    def of_events(self, run: Run, path: Path) -> dict[str, Json]:
        """The content of the custom events of the job at ``path``, in lists by type."""
        found: dict[str, list[Json]] = {}
        for custom in run.customs:
            data = typed_json(custom.proto) if custom.HasField("proto") else to_json(custom.json)
            found.setdefault(custom.type, []).append(data)
        return self._of_names({**found}, (*path, "events"), run.job.job_id)

    def _of_names(self, values: Mapping[str, Json], path: Path, job_id: str) -> dict[str, Json]:
        return {
            name: self._of_value(value, below, job_id)
            for name, value in values.items()
            if not self._ignored.covers(below := (*path, name))
        }

    def _of_value(self, value: Json, path: Path, job_id: str) -> Json:
        match value:
            case dict():
                return self._of_names(value, path, job_id)
            case list():
                return [
                    self._of_value(part, below, job_id)
                    for index, part in enumerate(value)
                    if not self._ignored.covers(below := (*path, index))
                ]
            case str():
                return self._of_text(value, job_id)
        return value

    def _of_text(self, text: str, job_id: str) -> str:
        if (placeholder := self._placeholders.get(text)) is not None:
            return placeholder
        own = self._placeholders.get(job_id)
        return text if own is None else text.replace(job_id, own)


def input_of(run: Run) -> dict[str, Json]:
    """The input of a run."""
    return to_json(run.job.input)


def _stage(stage: Stage) -> dict[str, Json]:
    found: dict[str, Json] = {"state": state_of(stage)}
    if stage.parent_stage_id:
        found["parent"] = stage.parent_stage_id
    if stage.current or stage.HasField("total"):
        found["current"] = _rounded(stage.current)
    if stage.HasField("total"):
        found["total"] = _rounded(stage.total)
    if stage.unit:
        found["unit"] = stage.unit
    if stage.HasField("failure"):
        found["failure"] = _failure(stage.failure)
    return found


def _rounded(amount: float) -> float:
    """To nine digits: an amount is a sum, in which the order of its parts shows after more."""
    return float(f"{amount:.9g}")


def _failure(failure: Failure) -> dict[str, Json]:
    return {"code": failure.code, "message": failure.message}


def _artifact(artifact: Artifact) -> dict[str, Json]:
    compared = Artifact()
    compared.CopyFrom(artifact)
    compared.ClearField("name")
    compared.ClearField("uri")
    return to_json(compared)
