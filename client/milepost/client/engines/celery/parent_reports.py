"""Reports by the parent of a pool, about jobs whose own processes can no longer report.

A process that forks must not use gRPC. So the parent writes to the pipe of a helper process, which it starts when it
has something to say for the first time.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from typing import Any, Final

from milepost.client.engines.celery.task_job import TaskJob

__all__ = ["HELPER_MODULE", "ParentReports"]

_logger = logging.getLogger("milepost.client")

HELPER_MODULE: Final = "milepost.client.engines.celery.helper_main"
# Characters of a failure's text, so that a line has less than 4 KiB, which is written to a pipe whole or not at all.
_MESSAGE_LENGTH: Final = 400


class ParentReports:
    """Cancels and fails jobs from a process that must not use gRPC. Never waits.

    At most 64 KiB, the size of a pipe, wait for the helper; what goes beyond is dropped with a log line. The jobs then
    end when their leases expire.
    """

    def __init__(self, settings: Mapping[str, Any]) -> None:
        """`settings` are those of the helper's client, as JSON has them."""
        self._settings = dict(settings)
        self._lock = threading.Lock()
        self._helper: subprocess.Popen[bytes] | None = None

    def cancel(self, job: TaskJob, reason: str) -> None:
        """Cancel the job of a task that Celery will not run, or has terminated."""
        self._send({"end": "cancel", "job_id": job.job_id, "canvas": job.canvas, "message": reason})

    def fail(
        self, job: TaskJob, instance: str, code: str, message: str, *, retryable: bool, worker_id: str = ""
    ) -> None:
        """End the attempt of a process that is gone.

        Args:
            job: The job of the task.
            instance: That of the claim by the process that is gone.
            code: Code of the failure.
            message: Its text.
            retryable: Whether Celery runs the task again.
            worker_id: The process that is gone; empty for a task that none has had.
        """
        self._send(
            {
                "end": "fail",
                "job_id": job.job_id,
                "canvas": job.canvas,
                "instance": instance,
                "code": code,
                "message": message[:_MESSAGE_LENGTH],
                "retryable": retryable,
                "worker_id": worker_id,
            }
        )

    def close(self) -> None:
        """Let the helper finish, and end."""
        with self._lock:
            helper, self._helper = self._helper, None
            if helper is not None and helper.stdin is not None:
                helper.stdin.close()

    def _send(self, command: Mapping[str, Any]) -> None:
        # In UTF-8, since an escape takes three times as many bytes; a lone surrogate has no other form.
        line = json.dumps(command, ensure_ascii=False).encode(errors="backslashreplace") + b"\n"
        with self._lock:
            for _ in range(2):
                try:
                    self._write(line)
                except BlockingIOError:
                    break
                except OSError:
                    self._helper = None  # the helper died: start another one
                else:
                    return
        _logger.warning("job %s is not reported as ended: %s", command["job_id"], command["message"])

    def _write(self, line: bytes) -> None:
        if self._helper is None or self._helper.poll() is not None:
            self._helper = self._start()
        assert self._helper.stdin is not None
        os.write(self._helper.stdin.fileno(), line)

    def _start(self) -> subprocess.Popen[bytes]:
        helper = subprocess.Popen(
            [sys.executable, "-m", HELPER_MODULE],
            stdin=subprocess.PIPE,
            start_new_session=True,  # a Ctrl-C is for the worker; the helper ends with its stdin
        )
        assert helper.stdin is not None
        os.set_blocking(helper.stdin.fileno(), False)
        os.write(helper.stdin.fileno(), json.dumps(self._settings).encode() + b"\n")
        return helper
