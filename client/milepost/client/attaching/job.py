"""A job, as the block that has attached to it sees it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from milepost.client.values import to_struct
from milepost.client.worker.job import JobContext
from milepost.contract.limits import RESULT_SIZE

__all__ = ["AttachedJob"]


class AttachedJob(JobContext):
    """What a handler gets, and a place for what a handler would return."""

    def __init__(self, context: JobContext) -> None:
        super().__init__(context.message, context._reporter)
        self._result: Mapping[str, Any] | None = None

    @property
    def result(self) -> Mapping[str, Any] | None:
        """What came of the job, set in the block: a mapping that JSON can say, of at most 1 MiB; None for nothing.

        Setting it raises:
            TypeError: It holds something that JSON cannot say, or is no mapping.
            ValueError: It holds a number or a text that JSON cannot say, or is too large.
        """
        return self._result

    @result.setter
    def result(self, result: Mapping[str, Any] | None) -> None:
        if result is not None:
            if not isinstance(result, Mapping):
                raise TypeError(f"The result is to be a mapping, or None, not {type(result).__name__}.")
            if (size := to_struct(result, "result").ByteSize()) > RESULT_SIZE:
                raise ValueError(
                    f"The result is {size:,} bytes, and at most {RESULT_SIZE:,} are allowed: "
                    "register an artifact instead."
                )
        self._result = result
