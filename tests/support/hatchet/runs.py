"""The state of the in-test Hatchet engine: workflows, runs and workers. It knows nothing of gRPC and HTTP.

What Hatchet's engine decides, as far as its SDK sees it: a task waits for its parents and for a worker with its action;
a failed attempt is followed by another one while the task has retries, unless the SDK says that it must not be.
"""

from __future__ import annotations

import json
import queue
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from hatchet_sdk.contracts.dispatcher_pb2 import (
    CANCEL_STEP_RUN,
    START_STEP_RUN,
    STEP_EVENT_TYPE_COMPLETED,
    STEP_EVENT_TYPE_FAILED,
    STEP_EVENT_TYPE_STARTED,
    ActionType,
    AssignedAction,
    StepActionEvent,
)
from hatchet_sdk.contracts.v1.shared.trigger_pb2 import TriggerWorkflowRequest
from hatchet_sdk.contracts.v1.workflows_pb2 import CreateTaskOpts, CreateWorkflowVersionRequest

__all__ = ["TENANT", "Engine", "TaskRun", "WorkflowRun"]

TENANT: Final = "00000000-0000-4000-8000-000000000001"
ENDS: Final = frozenset({"COMPLETED", "FAILED", "CANCELLED"})


@dataclass
class TaskRun:
    """One task of a run. `events` has what its workers reported: (retry_count, type)."""

    options: CreateTaskOpts
    on_failure: bool = False
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    state: str = "QUEUED"
    retry_count: int = 0
    invocation: int = 1
    worker_id: str = ""
    output: str = ""
    error: str = ""
    events: list[tuple[int, str]] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The name that it has in its workflow."""
        return self.options.readable_id


@dataclass
class WorkflowRun:
    """One run of a workflow."""

    request: TriggerWorkflowRequest
    tasks: dict[str, TaskRun]
    id: str = field(default_factory=lambda: str(uuid.uuid4()))

    @property
    def metadata(self) -> dict[str, Any]:
        """Its additional metadata."""
        decoded: dict[str, Any] = json.loads(self.request.additional_metadata or "{}")
        return decoded

    @property
    def state(self) -> str:
        """Its state, which follows from those of its tasks."""
        states = {task.state for task in self.tasks.values() if not task.on_failure}
        if not states <= ENDS:
            return "RUNNING"
        return next(state for state in ("FAILED", "CANCELLED", "COMPLETED") if state in states)

    @property
    def only(self) -> TaskRun:
        """Its task, if it has one."""
        (task,) = self.tasks.values()
        return task


class Engine:
    """All runs and workers. Thread-safe; `changed` is notified of each change.

    Attributes:
        preferred: The worker that gets tasks first, by its id.
        held: Workflows whose tasks wait in the queue, as they do during the backoff before a retry.
    """

    def __init__(self) -> None:
        self.changed = threading.Condition(threading.RLock())
        self.runs: dict[str, WorkflowRun] = {}
        self.logs: list[str] = []
        self.streamed: list[bytes] = []
        self.unsubscribed: list[str] = []
        self.heartbeats: dict[str, int] = {}
        self._workflows: dict[str, CreateWorkflowVersionRequest] = {}
        self._actions: dict[str, frozenset[str]] = {}
        self.preferred = ""
        self.held: set[str] = set()
        self._listening: dict[str, tuple[object, queue.SimpleQueue[AssignedAction | None]]] = {}

    # What tests do.

    def wait_for(self, condition: Callable[[], bool], *, seconds: float = 120.0) -> None:
        """Wait until a condition is true; the time limit is only against hangs."""
        with self.changed:
            if not self.changed.wait_for(condition, seconds):
                states = [
                    (run.request.name, task.state)
                    for run in self.runs.values()
                    for task in run.tasks.values()
                ]
                raise TimeoutError(f"the engine has {states}")

    @property
    def workers(self) -> list[str]:
        """The workers that listen."""
        with self.changed:
            return list(self._listening)

    def trigger(self, workflow: str, values: Mapping[str, Any] | None = None, **metadata: str) -> WorkflowRun:
        """Trigger a run."""
        encoded = json.dumps(metadata) if metadata else ""
        return self.triggered(
            TriggerWorkflowRequest(name=workflow, input=json.dumps(values or {}), additional_metadata=encoded)
        )

    def children(self, run: WorkflowRun) -> list[WorkflowRun]:
        """The runs that a run has triggered."""
        with self.changed:
            return [child for child in self.runs.values() if child.request.parent_id == run.id]

    def cancel(self, run: WorkflowRun) -> None:
        """Cancel a run, as the dashboard does."""
        self.cancel_by_id([run.id])

    def time_out(self, run: WorkflowRun) -> None:
        """The execution timeout of a run's task is over: the attempt has failed, and then its worker is told to stop.

        The engine writes the failure down before it tells the worker, and starts the next attempt at once.
        """
        with self.changed:
            task = run.only
            stop = self._action(run, task, CANCEL_STEP_RUN)
            worker_id = task.worker_id
            self._fail(task, f"Task exceeded timeout of {task.options.timeout}")
            self._assign()
            self._put(worker_id, stop)
            self.changed.notify_all()

    def release(self, workflow: str) -> None:
        """Let the tasks of a workflow run that was held."""
        with self.changed:
            self.held.discard(workflow)
            self._assign()

    def replay(self, run: WorkflowRun) -> None:
        """Start the task of a run again, as the dashboard does."""
        with self.changed:
            run.only.retry_count += 1
            run.only.state = "QUEUED"
            self._assign()

    def lose(self, worker_id: str) -> None:
        """A worker's heartbeats have stopped: its tasks are started again elsewhere, which uses no retry."""
        with self.changed:
            self.unlisten(worker_id)
            for run in self.runs.values():
                for task in run.tasks.values():
                    if task.worker_id == worker_id and task.state == "RUNNING":
                        task.state = "QUEUED"
                        task.retry_count += 1
            self._assign()

    def redeliver(self, run: WorkflowRun, *, invocation: int = 1) -> None:
        """Send the current attempt once more, of a durable task as another invocation."""
        with self.changed:
            run.only.invocation = invocation
            self._send(run, run.only, START_STEP_RUN)

    # What the SDK does.

    def put_workflow(self, request: CreateWorkflowVersionRequest) -> None:
        """Register a workflow."""
        with self.changed:
            self._workflows[request.name] = request

    def register(self, actions: frozenset[str]) -> str:
        """Register a worker; return its id."""
        with self.changed:
            worker_id = str(uuid.uuid4())
            self._actions[worker_id] = actions
            return worker_id

    def listen(self, worker_id: str, stream: object) -> Iterator[AssignedAction]:
        """The actions of a worker, until it is lost or listens again."""
        actions: queue.SimpleQueue[AssignedAction | None] = queue.SimpleQueue()
        with self.changed:
            self.unlisten(worker_id)
            self._listening[worker_id] = (stream, actions)
            self._assign()
            self.changed.notify_all()
        while (action := actions.get()) is not None:
            yield action

    def unlisten(self, worker_id: str, stream: object = None) -> None:
        """End the stream of a worker, if it is still this one."""
        with self.changed:
            current, actions = self._listening.get(worker_id, (None, None))
            if actions is not None and stream in (None, current):
                del self._listening[worker_id]
                actions.put(None)
            self.changed.notify_all()

    def unsubscribe(self, worker_id: str) -> None:
        """A worker leaves."""
        with self.changed:
            self.unsubscribed.append(worker_id)
            self.unlisten(worker_id)

    def heartbeat(self, worker_id: str) -> None:
        """A worker is there."""
        with self.changed:
            self.heartbeats[worker_id] = self.heartbeats.get(worker_id, 0) + 1
            self.changed.notify_all()

    def triggered(self, request: TriggerWorkflowRequest) -> WorkflowRun:
        """Start a run."""
        with self.changed:
            workflow = self._workflows[request.name]
            tasks = {options.readable_id: TaskRun(options) for options in workflow.tasks}
            if workflow.HasField("on_failure_task"):
                failed = workflow.on_failure_task
                tasks[failed.readable_id] = TaskRun(failed, on_failure=True)
            run = WorkflowRun(request, tasks)
            self.runs[run.id] = run
            self._assign()
            self.changed.notify_all()
            return run

    def event(self, event: StepActionEvent) -> None:
        """A worker reports on an attempt; what comes of an earlier one, or after the end, changes nothing."""
        with self.changed:
            task = self._find(event.task_run_external_id)
            kind = event.event_type
            task.events.append((event.retry_count, _name(kind)))
            if event.retry_count == task.retry_count and task.state == "RUNNING":
                if kind == STEP_EVENT_TYPE_COMPLETED:
                    task.state, task.output = "COMPLETED", event.event_payload
                elif kind == STEP_EVENT_TYPE_FAILED:
                    self._fail(task, event.event_payload, is_final=event.should_not_retry)
            self._assign()
            self.changed.notify_all()

    def cancel_by_id(self, ids: list[str]) -> None:
        """Cancel runs or tasks by their ids."""
        with self.changed:
            for run in self.runs.values():
                for task in run.tasks.values():
                    if (run.id in ids or task.id in ids) and task.state not in ENDS:
                        running, task.state = task.state == "RUNNING", "CANCELLED"
                        if running:
                            self._send(run, task, CANCEL_STEP_RUN)
            self.changed.notify_all()

    # Private.

    def _find(self, task_id: str) -> TaskRun:
        tasks = (task for run in self.runs.values() for task in run.tasks.values())
        return next(task for task in tasks if task.id == task_id)

    def _fail(self, task: TaskRun, error: str, *, is_final: bool = False) -> None:
        task.error = error
        if is_final or task.retry_count >= task.options.retries:
            task.state = "FAILED"
        else:
            task.state = "QUEUED"
            task.retry_count += 1

    def _assign(self) -> None:
        for run in (run for run in self.runs.values() if run.request.name not in self.held):
            for task in run.tasks.values():
                workers = [one for one in self._listening if task.options.action in self._actions[one]]
                worker = self.preferred if self.preferred in workers else next(iter(workers), None)
                if task.state == "QUEUED" and worker is not None and _is_ready(run, task):
                    task.state, task.worker_id = "RUNNING", worker
                    self._send(run, task, START_STEP_RUN)

    def _send(self, run: WorkflowRun, task: TaskRun, action_type: ActionType) -> None:
        self._put(task.worker_id, self._action(run, task, action_type))

    def _put(self, worker_id: str, action: AssignedAction) -> None:
        _, actions = self._listening.get(worker_id, (None, None))
        if actions is not None:
            actions.put(action)

    def _action(self, run: WorkflowRun, task: TaskRun, action_type: ActionType) -> AssignedAction:
        outputs = {name: json.loads(run.tasks[name].output or "{}") for name in task.options.parents}
        errors = {name: other.error for name, other in run.tasks.items() if other.error}
        payload = {
            "input": json.loads(run.request.input or "{}"),
            "parents": outputs,
            "step_run_errors": errors if task.on_failure else {},
        }
        action = AssignedAction(
            tenant_id=TENANT,
            workflow_run_id=run.id,
            job_id=run.id,
            job_name=run.request.name,
            job_run_id=run.id,
            task_id=task.name,
            task_run_external_id=task.id,
            action_id=task.options.action,
            action_type=action_type,
            action_payload=json.dumps(payload),
            task_name=task.name,
            retry_count=task.retry_count,
            additional_metadata=run.request.additional_metadata or "{}",
        )
        if task.options.is_durable:
            action.durable_task_invocation_count = task.invocation
        if run.request.parent_id:
            action.parent_workflow_run_id = run.request.parent_id
        return action


def _is_ready(run: WorkflowRun, task: TaskRun) -> bool:
    if task.on_failure:
        return run.state == "FAILED"
    return all(run.tasks[name].state == "COMPLETED" for name in task.options.parents)


def _name(kind: int) -> str:
    names: dict[int, str] = {
        STEP_EVENT_TYPE_STARTED: "STARTED",
        STEP_EVENT_TYPE_COMPLETED: "COMPLETED",
        STEP_EVENT_TYPE_FAILED: "FAILED",
    }
    return names[kind]
