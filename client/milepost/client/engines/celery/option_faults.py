"""Which option of a task's job cannot be used, for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from milepost.client._job_calls import submit_request
from milepost.v1 import Dispatch

__all__ = ["describe_fault", "find_fault"]


def describe_fault(error: Exception, **sources: object) -> str:
    """Describe why the job of a task could not be made, which raised `error`.

    Args:
        error: The exception.
        sources: Where options come from, and what is there.
    """
    return find_fault(**sources) or f"job_input raised {error!r}"


def find_fault(**sources: object) -> str | None:
    """The first option that cannot be used, and why; None if it is none.

    protobuf does not say which value it refuses. So each option is tried alone.

    Args:
        sources: Where options come from, and what is there.
    """
    for source, options in sources.items():
        if not isinstance(options, Mapping):
            return f"{source} is {options!r}, which must be a mapping of options"
        for name, value in options.items():
            if (fault := _fault(name, value)) is not None:
                return f"the option {name!r} in {source} cannot be {value!r}: {fault}"
    return None


def _fault(name: str, value: Any) -> Exception | None:
    if name == "input":
        return None
    start_deadline = value if name == "start_deadline" else None
    options = {} if name == "start_deadline" else {name: value}
    try:
        submit_request("task", None, Dispatch.DISPATCH_EXTERNAL, start_deadline, **options)
    except Exception as error:  # noqa: BLE001 - whatever a value of any type leads to
        return error
    return None
