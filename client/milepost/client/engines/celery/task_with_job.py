"""The options of a task's jobs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from types import GenericAlias
from typing import TYPE_CHECKING, Any, ClassVar, ParamSpec, TypeVar

from celery import Task

from milepost.client._options import SubmitOptions

__all__ = ["TaskOptions", "TaskWithJob"]

_Parameters = ParamSpec("_Parameters")
_Result_co = TypeVar("_Result_co", covariant=True)


class TaskOptions(SubmitOptions, total=False):
    """Options of the job of a task; see also `SubmitOptions`.

    Attributes:
        input: Input of the job, of at most 1 MiB as JSON. Default: what `MilepostTask.job_input` returns.
        start_deadline: Maximum time from the publication to the start of the task; None for no limit.
    """

    input: Mapping[str, Any] | None
    start_deadline: float | timedelta | None


if TYPE_CHECKING:
    _Task = Task
else:

    class _Task(Task):
        """Celery's task, which is generic at run time only from 5.7 on."""

        abstract = True
        __class_getitem__ = classmethod(GenericAlias)


class TaskWithJob(_Task[_Parameters, _Result_co]):
    """The part of `MilepostTask` that an application sets, apart from how such a task is published and run.

    Attributes:
        job_kind: Kind of its jobs. Default: the task's name.
        job_options: Options of its jobs, as of `Client.submit`.
    """

    abstract = True

    job_kind: ClassVar[str] = ""
    job_options: ClassVar[TaskOptions] = {}

    def job_input(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """The input of the job. Default: none, since arguments may be secret, and who sees a job sees its input."""
        return None

    def job_result(self, value: Any) -> Mapping[str, Any] | None:
        """The result of the job, of a task that sets none itself. Default: none, since return values may be secret."""
        return None
