"""The job of a task: what is submitted for it, and how its messages carry that."""

from __future__ import annotations

import base64
import binascii
import logging
import re
import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Self

from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import DecodeError

from milepost.client._job_calls import submit_request
from milepost.client._worker.json_values import to_lossy_struct
from milepost.client.engines.celery.canvas_stamp import CanvasStamp
from milepost.client.engines.celery.task_with_job import TaskOptions, TaskWithJob
from milepost.client.engines.labels import ENGINE
from milepost.contract import limits
from milepost.v1 import Dispatch, RetryPolicy, SubmitJobRequest

__all__ = ["HEADER", "TaskJob"]

_logger = logging.getLogger("milepost.client")

HEADER: Final = "milepost"
"""Header of a task's message. Retries and redelivered messages keep it."""

# The server's code for an attempt whose lease has expired.
_WORKER_LOST: Final = "WORKER_LOST"
_NOT_IN_A_KIND: Final = re.compile(r"[^a-z0-9._-]")
# Job ids of tasks whose own id cannot be one are derived from it in this namespace.
_NAMESPACE: Final = uuid.UUID("5d2a5f0e-6f0b-4a3e-9d53-0c5b7d1f4a77")


@dataclass(frozen=True, slots=True)
class TaskJob:
    """The job of one task.

    Attributes:
        task_id: The id of the task; retries keep it.
        request: What is submitted; once that is done only its ids and kind.
        instance: Secret of the task's messages, which proves that a claim is for the same work.
        is_submitted: Whether the publisher has submitted it. Otherwise whoever starts the task does.
        canvas: The text of the `CanvasStamp` of its canvas, whose parent ends with the last task; empty for none.
    """

    task_id: str
    request: SubmitJobRequest
    instance: str
    is_submitted: bool = False
    canvas: str = ""

    @property
    def job_id(self) -> str:
        """The id of the job."""
        return self.request.job_id

    @classmethod
    def of(
        cls,
        task: TaskWithJob[..., Any],
        task_id: str,
        args: Any,
        kwargs: Any,
        options: TaskOptions,
        instance: str = "",
        canvas: str = "",
    ) -> Self:
        """The job of a task that is published, or, then with its `instance`, that came without a header.

        Its job_id is the task's id, so that whoever has the one has the other.

        Values of the input without a JSON form are submitted in the nearest form.

        Raises:
            TypeError: There is no such option.
            ValueError: The value of an option is out of its bounds.
        """
        merged: dict[str, Any] = {**task.job_options, **options}
        values = merged.pop("input", None)
        if values is None:
            values = task.job_input(args or (), kwargs or {})
        merged["labels"] = {
            ENGINE: "celery",
            **(task.job_options.get("labels") or {}),
            **(options.get("labels") or {}),
        }
        if canvas:
            merged.setdefault("parent_job_id", CanvasStamp.from_text(canvas).parent_job_id)
        merged.setdefault("job_id", job_id_of_task(task_id))
        merged.setdefault("retry_policy", _retry_policy(acks_late=task.acks_late))
        merged["request_id"] = task_id if len(task_id) <= limits.NAME_LENGTH else merged["job_id"]
        request = submit_request(
            task.job_kind or kind_of_task(task.name),
            None,
            Dispatch.DISPATCH_EXTERNAL,
            merged.pop("start_deadline", None),
            **merged,
        )
        if values is not None:
            request.input.CopyFrom(to_lossy_struct(values, "input", limits.INPUT_SIZE, _warn))
        return cls(task_id, request, instance or secrets.token_urlsafe(16), canvas=canvas)

    @classmethod
    def of_message(cls, headers: Mapping[str, Any] | None, task_id: str) -> Self:
        """The job of a message, of which only the ids are known if a publisher without Milepost has sent it."""
        derived = cls(task_id, SubmitJobRequest(job_id=job_id_of_task(task_id)), instance=task_id)
        return cls.from_headers(headers, task_id) or derived

    @classmethod
    def without_job(cls, task_id: str) -> Self:
        """What stands for the job of a task whose job cannot be made: the ids, and no kind."""
        return cls.of_message(None, task_id).submitted()

    @classmethod
    def from_headers(cls, headers: Mapping[str, Any] | None, task_id: str) -> Self | None:
        """The job in the headers of a message; None if there is none, or that of another task."""
        header = (headers or {}).get(HEADER)
        if not isinstance(header, Mapping) or header.get("task_id") != task_id:
            return None
        try:
            request = SubmitJobRequest.FromString(base64.b64decode(header["request"], validate=True))
        except (KeyError, TypeError, binascii.Error, DecodeError):
            return None
        return cls(
            task_id,
            request,
            str(header.get("instance", "")),
            bool(header.get("submitted")),
            str(header.get("canvas", "")),
        )

    def to_header(self) -> dict[str, str | bool]:
        """The header of the messages of the task, for any serializer."""
        return {
            "task_id": self.task_id,
            "job_id": self.request.job_id,
            "request": base64.b64encode(self.request.SerializeToString(deterministic=True)).decode(),
            "instance": self.instance,
            "submitted": self.is_submitted,
            "canvas": self.canvas,
        }

    def submitted(self) -> Self:
        """The same job once it is submitted: the messages need not carry all of it."""
        known = SubmitJobRequest(job_id=self.request.job_id, kind=self.request.kind)
        return replace(self, request=known, is_submitted=True)


def _warn(path: str, text: str) -> None:
    _logger.warning("input of a task's job: %s: %s", path, text)


def job_id_of_task(task_id: str) -> str:
    """The task's id, or one that is derived from it, where it cannot be the id of a job."""
    return task_id if limits.JOB_ID.fullmatch(task_id) else str(uuid.uuid5(_NAMESPACE, task_id))


def kind_of_task(name: str) -> str:
    """The name of a task as a kind: ``studio.tasks.Convert`` is ``studio.tasks.convert``; its end, if it is long."""
    return _NOT_IN_A_KIND.sub("-", name.lower())[-64:].lstrip("._-") or "task"


def _retry_policy(*, acks_late: bool) -> RetryPolicy:
    """Let Celery decide about each retry. Only a message that is acknowledged late comes again after a lost worker."""
    final = () if acks_late else (_WORKER_LOST,)
    return RetryPolicy(max_attempts=limits.ATTEMPTS, initial_backoff=Duration(), final_codes=final)
