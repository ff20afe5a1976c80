"""What is known of a kind, as the contract has it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median

from milepost.server.forecasting.kind_history import KindHistory
from milepost.server.messages.timestamps import duration
from milepost.server.scheduling.steps import Steps
from milepost.v1 import GetHistoryResponse, StageHistory


def kind_summary(history: KindHistory) -> Steps[GetHistoryResponse]:
    """Summarise a history."""
    hindsight = yield from history.hindsight()
    response = GetHistoryResponse(
        runs=len(history.runs),
        estimates=hindsight.runs,
        coverage=hindsight.coverage,
        median_error=hindsight.median_error,
        mean_error=hindsight.mean_error,
    )
    if history.runs:
        durations = [run.duration for run in history.runs]
        response.duration_p50.CopyFrom(duration(median(durations)))
        response.duration_p90.CopyFrom(duration(_percentile_90(durations)))
    weights = history.weights()
    total = sum(weights.values())
    for stage_id, seconds in weights.items():
        share = seconds / total if total else 0.0
        response.stages.append(StageHistory(stage_id=stage_id, duration_p50=duration(seconds), share=share))
    return response


def _percentile_90(values: Sequence[float]) -> float:
    """The nearest rank."""
    return sorted(values)[math.ceil(0.9 * len(values)) - 1]
