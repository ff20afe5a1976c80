"""Comparisons of runs as JSON."""

from __future__ import annotations

from milepost.client._diff.comparison import Comparison, Row
from milepost.client._diff.groups import Group, GroupComparison, Medians
from milepost.client._diff.paths import format_path
from milepost.client._diff.run import seconds, state_of
from milepost.client._diff.sample import Sample
from milepost.client._diff.values import Difference
from milepost.client._json import Json
from milepost.v1 import Job, Stage

__all__ = ["comparison_json", "group_comparison_json"]


def comparison_json(found: Comparison) -> dict[str, Json]:
    """Two runs: whether they are the same, how they differ, and the durations of both."""
    return {
        "same": not found.differences,
        "a": _job(found.a.job),
        "b": _job(found.b.job),
        "differences": [_difference(each) for each in found.differences],
        "inputs": [_difference(each) for each in found.inputs],
        "rows": [_row(row) for row in found.rows],
    }


def group_comparison_json(found: GroupComparison) -> dict[str, Json]:
    """Two groups: whether they are the same, how they differ, and the durations of both."""
    return {
        "same": found.is_same,
        "a": _group(found.a),
        "b": _group(found.b),
        "pairs": found.pairs,
        "presences": [
            {"path": format_path(each.path), "value": each.value, "a": each.a, "b": each.b}
            for each in found.presences
        ],
        "recurring": [
            {
                "path": format_path(each.path),
                "pairs": each.pairs,
                "example": {"a": each.example[0].job.job_id, "b": each.example[1].job.job_id},
                "difference": _difference(each.difference),
            }
            for each in found.recurring
        ],
        "medians": [_medians(row) for row in found.medians],
    }


def _job(job: Job) -> dict[str, Json]:
    return {
        "jobId": job.job_id,
        "kind": job.kind,
        "state": state_of(job),
        "attempt": job.attempt,
        "labels": {**job.labels},
    }


def _difference(found: Difference) -> dict[str, Json]:
    return {"path": format_path(found.path), "change": found.change.value, "a": found.a, "b": found.b}


def _row(row: Row) -> dict[str, Json]:
    return {
        "path": format_path(row.path),
        "a": _side(row.a),
        "b": _side(row.b),
        "ratio": row.ratio,
    }


def _side(of: Job | Stage | None) -> Json:
    if of is None:
        return None
    return {"state": state_of(of), "seconds": seconds(of)}


def _group(group: Group) -> dict[str, Json]:
    return {"value": group.value, "jobIds": [run.job.job_id for run in group.runs]}


def _medians(row: Medians) -> dict[str, Json]:
    judged = None if row.judged is None else row.judged.value
    return {
        "path": format_path(row.path),
        "a": _sample(row.a),
        "b": _sample(row.b),
        "ratio": row.ratio,
        "change": judged,
    }


def _sample(found: Sample | None) -> Json:
    if found is None:
        return None
    return {"count": found.count, "median": found.median, "low": found.low, "high": found.high}
