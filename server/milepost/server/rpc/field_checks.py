"""The bounds of each field, as the contract gives them. A ``Check`` collects what is wrong and refuses it as one."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence, Sized

from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.struct_pb2 import Struct, Value

from milepost.contract import limits
from milepost.server.rpc.refusal import Refusal, Violation
from milepost.v1 import Artifact, ErrorReason, Failure, Retention, RetryPolicy, Stage

# google.protobuf.Duration's own bound: about 10,000 years.
_DURATION_MOST = 315_576_000_000


class Check:
    """Collects violations. Fields are named by their path from the request, as in ``google.rpc.BadRequest``."""

    def __init__(self) -> None:
        self._violations: list[Violation] = []
        self._reason: ErrorReason.ValueType = ErrorReason.ERROR_REASON_INVALID_FIELD

    def refuse(self) -> None:
        """Raises a Refusal (INVALID_FIELD, or TOO_LARGE where that came first) if anything was wrong."""
        if self._violations:
            first = self._violations[0]
            raise Refusal(
                self._reason,
                f"{first.field}: {first.description}",
                metadata={"field": first.field},
                violations=tuple(self._violations),
            )

    def wrong(self, field: str, description: str) -> None:
        """Notes a violation."""
        self._violations.append(Violation(field, description))

    def too_large(self, field: str, description: str) -> None:
        """Notes that something is over its limit."""
        if not self._violations:
            self._reason = ErrorReason.ERROR_REASON_TOO_LARGE
        self.wrong(field, description)

    def pattern(self, field: str, value: str, pattern: re.Pattern[str], *, optional: bool = False) -> None:
        """A text that must match as a whole."""
        if not (optional and not value) and pattern.fullmatch(value) is None:
            self.wrong(field, f"{_shown(value)} does not match {pattern.pattern}")

    def length(self, field: str, value: str, most: int, *, least: int = 0) -> None:
        """A text of so many characters."""
        if len(value) > most:
            self.too_large(field, f"has {len(value):,} characters; at most {most:,} are allowed")
        elif len(value) < least:
            self.wrong(field, "must not be empty")

    def amount(self, field: str, value: float, most: float = limits.AMOUNT) -> None:
        """A number from 0 to ``most``; so neither NaN nor infinite."""
        if not 0 <= value <= most:
            self.wrong(field, f"is {value:g}; it must be between 0 and {most:g}")

    def between(self, field: str, value: int, least: int, most: int) -> None:
        """A number within bounds."""
        if not least <= value <= most:
            self.wrong(field, f"is {value}; it must be between {least} and {most}")

    def count(self, field: str, values: Sized, most: int) -> bool:
        """So many values. Whether it holds: where it does not, there is no end of looking at each."""
        if len(values) > most:
            self.too_large(field, f"has {len(values):,} entries; at most {most:,} are allowed")
        return len(values) <= most

    def patterns(self, field: str, values: Sequence[str], pattern: re.Pattern[str], most: int) -> None:
        """So many texts that must each match as a whole."""
        if self.count(field, values, most):
            for index, value in enumerate(values):
                self.pattern(f"{field}[{index}]", value, pattern)

    def size(self, field: str, message: Message, most: int) -> bool:
        """A message of so many bytes, encoded. Whether it holds."""
        size = message.ByteSize()
        if size > most:
            self.too_large(field, f"is {size:,} bytes encoded; at most {most:,} are allowed")
        return size <= most

    def struct(self, field: str, value: Struct, most: int) -> None:
        """A JSON object of so many bytes, encoded; not too deep, and of nothing that JSON does not have."""
        if not self.size(field, value, most):
            return None
        depth, level = 1, list(value.fields.values())
        while level:
            deeper: list[Value] = []
            for inner in level:
                match inner.WhichOneof("kind"):
                    case "number_value" if not math.isfinite(inner.number_value):
                        return self.wrong(
                            field, f"holds the number {inner.number_value:g}, which JSON does not have"
                        )
                    case "struct_value":
                        deeper.extend(inner.struct_value.fields.values())
                    case "list_value":
                        deeper.extend(inner.list_value.values)
                    case None:
                        return self.wrong(field, "holds a value of no kind; null is one")
            depth, level = depth + 1, deeper
            if level and depth > limits.STRUCT_DEPTH:
                return self.too_large(field, f"is over {limits.STRUCT_DEPTH} levels deep")
        return None

    def duration(self, field: str, value: Duration, least: float = 0.0, most: float = _DURATION_MOST) -> None:
        """A well-formed duration of so many seconds."""
        well_formed = abs(value.nanos) < 10**9 and value.seconds * value.nanos >= 0
        if not well_formed or not (least <= value.seconds + value.nanos / 1e9 <= most):
            self.wrong(
                field,
                f"is {value.seconds} s and {value.nanos} ns; it must be between {least:g} s and {most:g} s",
            )

    def known(self, field: str, value: int, names: Mapping[int, object]) -> None:
        """A value of an open enum that this version knows."""
        if value not in names:
            self.wrong(field, f"{value} is not one of its values")


def _shown(value: str) -> str:
    return repr(value if len(value) <= 200 else value[:200] + "…")


def labels(check: Check, field: str, value: Mapping[str, str]) -> None:
    """Labels of a job, or of a filter."""
    if not check.count(field, value, limits.LABELS):
        return
    for key, text in value.items():
        path = f"{field}[{_shown(key)}]"
        check.pattern(path, key, limits.LABEL_KEY)
        check.length(path, text, limits.LABEL_VALUE_LENGTH)


def stage_plan(check: Check, field: str, stages: Sequence[Stage], known: Mapping[str, object]) -> None:
    """A plan of stages: ids unique, each parent ``known`` or earlier in the plan, which also rules out cycles."""
    if not check.count(field, stages, limits.STAGES):
        return
    later = {stage.stage_id for stage in stages}
    seen: set[str] = set()
    for index, stage in enumerate(stages):
        path = f"{field}[{index}]"
        stage_fields(check, path, stage)
        if stage.stage_id in seen:
            check.wrong(f"{path}.stage_id", f"{_shown(stage.stage_id)} is in the plan twice")
        parent = stage.parent_stage_id
        if parent and parent not in seen and parent not in known:
            place = "the stage itself, or later in the plan" if parent in later else "not a stage of the job"
            check.wrong(
                f"{path}.parent_stage_id", f"{_shown(parent)} is {place}; parents come before their children"
            )
        seen.add(stage.stage_id)


def stage_fields(check: Check, path: str, stage: Stage) -> None:
    """What a plan or a start says of one stage."""
    check.pattern(f"{path}.stage_id", stage.stage_id, limits.STAGE_ID)
    check.length(f"{path}.title", stage.title, limits.TITLE_LENGTH)
    check.length(f"{path}.unit", stage.unit, limits.UNIT_LENGTH)
    check.length(f"{path}.message", stage.message, limits.MESSAGE_LENGTH)
    check.amount(f"{path}.weight", stage.weight)
    check.amount(f"{path}.total", stage.total)
    check.amount(f"{path}.current", stage.current)
    check.amount(f"{path}.fraction", stage.fraction, most=1.0)


def failure(check: Check, path: str, value: Failure) -> None:
    """A failure as a worker tells it."""
    check.pattern(f"{path}.code", value.code, limits.FAILURE_CODE)
    check.length(f"{path}.message", value.message, limits.MESSAGE_LENGTH)
    if len(value.detail.encode()) > limits.FAILURE_DETAIL_SIZE:
        check.too_large(f"{path}.detail", f"is over {limits.FAILURE_DETAIL_SIZE:,} bytes")


def artifact(check: Check, path: str, value: Artifact) -> None:
    """An artifact as a worker tells it."""
    check.length(f"{path}.name", value.name, limits.ARTIFACT_NAME_LENGTH, least=1)
    check.length(f"{path}.uri", value.uri, limits.ARTIFACT_URI_LENGTH, least=1)
    check.length(f"{path}.media_type", value.media_type, limits.ARTIFACT_NAME_LENGTH)
    check.amount(f"{path}.size_bytes", value.size_bytes)
    check.pattern(f"{path}.sha256", value.sha256, limits.SHA256, optional=True)


def retention(check: Check, path: str, value: Retention) -> None:
    """How long a job is kept, as it is submitted."""
    check.duration(f"{path}.keep_events", value.keep_events)
    check.duration(f"{path}.keep_job", value.keep_job)
    if value.max_events != 0 and value.max_events < limits.MAX_EVENTS_MIN:
        check.wrong(
            f"{path}.max_events", f"is {value.max_events}; it must be 0, or {limits.MAX_EVENTS_MIN} or more"
        )


def retry_policy(check: Check, path: str, value: RetryPolicy) -> None:
    """A retry policy as it is submitted."""
    check.amount(f"{path}.max_attempts", value.max_attempts, most=limits.ATTEMPTS)
    check.duration(f"{path}.initial_backoff", value.initial_backoff)
    check.duration(f"{path}.max_backoff", value.max_backoff)
    if value.multiplier != 0 and not 1 <= value.multiplier <= 100:
        check.wrong(f"{path}.multiplier", f"is {value.multiplier:g}; it must be between 1 and 100")
    check.patterns(
        f"{path}.retryable_codes", value.retryable_codes, limits.FAILURE_CODE, limits.RETRYABLE_CODES
    )
