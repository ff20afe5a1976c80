"""Apply events to a job: one function for each payload."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from milepost.fold.fraction_known import carry_known_up, refresh_known, stage_known
from milepost.fold.levels import OPEN, Levels
from milepost.fold.memory import WASTE_LIMIT, memory_of, text_size
from milepost.fold.progress import carry_up
from milepost.fold.stage_plan import leads_to, planned
from milepost.v1 import Event, Job, JobState, Stage, StageState

# The failure code of an attempt that its worker released; it does not count as failed.
RELEASED = "RELEASED"

_ATTEMPT_FAILED = frozenset({JobState.JOB_STATE_FAILED, JobState.JOB_STATE_LOST})

# A lookup in an enum by name takes as long as the rest of what a loop does with a stage.
_PENDING = StageState.STAGE_STATE_PENDING

# What a planned stage costs, in stages that are walked.
_PLANNED_STEPS = 5

# State of a RUNNING stage when its job ends in this state; CANCELLED with a state of a later version.
_ENDS_WITH_JOB = {
    JobState.JOB_STATE_SUCCEEDED: StageState.STAGE_STATE_SUCCEEDED,
    JobState.JOB_STATE_FAILED: StageState.STAGE_STATE_FAILED,
    JobState.JOB_STATE_LOST: StageState.STAGE_STATE_FAILED,
    JobState.JOB_STATE_CANCELLED: StageState.STAGE_STATE_CANCELLED,
}


class Fold:
    """A job with indexes of its stages.

    ``stages`` holds its stages by id and ``children`` by parent id (``""`` for the outermost); they are the messages
    within ``job``, not copies. ``levels`` are the sums over them, and ``steps`` counts the stages and artifacts that
    were walked so far, as a measure of work. Change the job only through ``apply``, and read it and its stages again
    after that: now and then it moves them to a new message (see ``compact``).
    """

    __slots__ = ("_measured", "_size", "_waste", "children", "job", "levels", "stages", "steps")

    def __init__(self, job: Job | None = None) -> None:
        self.job: Job = Job() if job is None else job
        self.stages: dict[str, Stage] = {}
        self.children: dict[str, list[Stage]] = {"": []}
        self.levels: Levels = Levels()
        self.steps: int = 0
        # About: the serialised size of the job, and the bytes that were overwritten or cleared in it.
        self._size = 0 if job is None else job.ByteSize()
        self._waste = 0
        # The memory without waste, and the size at which it was measured.
        self._measured = (0, -1)
        self._index()

    @property
    def memory(self) -> int:
        """The bytes, about, that the fold and its job take in memory, for the bounds of caches."""
        memory, size = self._measured
        if size != self._size:
            memory = memory_of(self.job, self._size)
            self._measured = memory, self._size
        return memory + self._waste

    def apply(self, event: Event) -> None:
        """Apply the next event. One that was applied already changes nothing; of an unknown payload only the sequence
        counts.

        Events may be missing because a filter or LATEST delivery hid them; their effects are then missing too.
        """
        if event.sequence <= self.job.last_sequence:
            return
        if self._waste > max(WASTE_LIMIT, self._size):
            self.compact()
        name = event.WhichOneof("payload")
        if name is not None:
            _APPLY[name](self, event)
        self.job.last_sequence = event.sequence

    def apply_progress(
        self, sequence: int, stage_id: str, current: float, message: str, fraction: float, job_fraction: float
    ) -> None:
        """Apply progress of a present stage that changes neither its total nor its unit; see ``apply``."""
        if self._waste > max(WASTE_LIMIT, self._size):
            self.compact()
        _move(self, self.stages[stage_id], current, message, fraction)
        self.job.fraction, self.job.last_sequence = job_fraction, sequence

    def compact(self) -> None:
        """Move the job to a new message, and free what was overwritten and cleared in the old one.

        ``apply`` does so when that is as much as the job has. Stages that were read before are of the old message.
        """
        serialised = self.job.SerializeToString()
        self.job = Job.FromString(serialised)
        self._size, self._waste = len(serialised), 0
        self._index()

    def fixed_stage_ids(self) -> set[str]:
        """Ids of stages that a new plan does not replace: those that have started, and the stages around them."""
        found: set[str] = set()
        self.steps += len(self.stages)
        for stage in self.job.stages:
            outer = None if stage.state == _PENDING else stage
            while outer is not None and outer.stage_id not in found:
                found.add(outer.stage_id)
                outer = self.stages.get(outer.parent_stage_id)
        return found

    def _rewritten(self) -> None:
        """Note that all stages were written once more."""
        self._size = self.job.ByteSize()
        self._waste += self._size

    def _index(self) -> None:
        self.stages = {stage.stage_id: stage for stage in self.job.stages}
        self.children = {"": [], **{stage_id: [] for stage_id in self.stages}}
        for stage in self.job.stages:
            self.children.setdefault(stage.parent_stage_id, []).append(stage)
        self.levels.reset(self.children)
        self.steps += len(self.stages)

    def _within(self, stage: Stage) -> list[Stage]:
        """All stages within ``stage``. A loop and no recursion, since they may nest a thousand deep."""
        found = {inner.stage_id: inner for inner in self.children[stage.stage_id]}
        waiting = list(found.values())
        while waiting:
            for inner in self.children[waiting.pop().stage_id]:
                if inner.stage_id not in found:  # a cycle, which no server sends, must not hang a client
                    found[inner.stage_id] = inner
                    waiting.append(inner)
        self.steps += len(found)
        return list(found.values())


def fold(events: Iterable[Event], job: Job | None = None) -> Job:
    """The job after ``events``, which go on from ``job`` (a new one if it is not given).

    ``job`` is used up: it is changed, and need not be the one that is returned.
    """
    tree = Fold(job)
    for event in events:
        tree.apply(event)
    return tree.job


def _end(tree: Fold, stages: Iterable[Stage], state: StageState.ValueType, event: Event) -> None:
    """End open stages: running ones in ``state``, pending ones as SKIPPED unless ``state`` is CANCELLED."""
    for stage in stages:
        if stage.state not in OPEN:
            continue
        if stage.state == StageState.STAGE_STATE_RUNNING or state == StageState.STAGE_STATE_CANCELLED:
            stage.state = state
        else:
            stage.state = StageState.STAGE_STATE_SKIPPED
        if stage.state == StageState.STAGE_STATE_SUCCEEDED:
            stage.fraction = 1.0
            stage.fraction_known = True
        stage.end_time.CopyFrom(event.time)
        tree.levels.invalidate(stage)


def _job_submitted(tree: Fold, event: Event) -> None:
    tree.job.CopyFrom(event.job_submitted.job)
    tree._size = tree.job.ByteSize()
    _all_planned(tree)


def _job_started(tree: Fold, event: Event) -> None:
    job = tree.job
    job.state = JobState.JOB_STATE_RUNNING
    job.attempt = event.attempt
    job.worker_id = event.job_started.worker_id
    job.worker_instance = event.job_started.instance
    job.start_time.CopyFrom(event.time)
    if not job.HasField("first_start_time"):
        job.first_start_time.CopyFrom(event.time)
    job.fraction = 0.0
    job.message = ""
    job.ClearField("failure")
    job.ClearField("retry_time")
    for stage in job.stages:
        stage.state = StageState.STAGE_STATE_PENDING
        stage.current = 0.0
        stage.fraction = 0.0
        stage.message = ""
        stage.ClearField("failure")
        stage.ClearField("start_time")
        stage.ClearField("end_time")
    tree._rewritten()
    refresh_known(tree)


def _all_planned(tree: Fold) -> None:
    """Mark all present stages as planned: no further ones are expected."""
    for stage in tree.job.stages:
        stage.planned = True
    tree._index()
    refresh_known(tree)


def _stages_planned(tree: Fold, event: Event) -> None:
    fixed = tree.fixed_stage_ids()
    tree.steps += _PLANNED_STEPS * len(event.stages_planned.stages)
    # A copy, since the originals are deleted.
    rest = Job(stages=[stage for stage in tree.job.stages if stage.stage_id in fixed])
    parents = {stage.stage_id: stage.parent_stage_id for stage in rest.stages}
    missing = set(parents.values()) - fixed - {""}
    for planned_stage in event.stages_planned.stages:
        if planned_stage.stage_id in fixed:
            continue
        stage = rest.stages.add()
        stage.CopyFrom(planned(planned_stage))
        if stage.stage_id in missing and leads_to(parents, stage.parent_stage_id, stage.stage_id):
            stage.parent_stage_id = ""
        parents[stage.stage_id] = stage.parent_stage_id
    del tree.job.stages[:]
    tree.job.stages.extend(rest.stages)
    if event.stages_planned.planned_children:
        tree.job.planned_children = event.stages_planned.planned_children
    tree._rewritten()
    _all_planned(tree)


def _stage_started(tree: Fold, event: Event) -> None:
    declared = event.stage_started.stage
    stage = tree.stages.get(declared.stage_id)
    before = None if stage is None else tree.levels.contribution(stage)
    if stage is None:
        parent = declared.parent_stage_id
        if tree.children.get(declared.stage_id):  # its declaration was delayed
            parents = {name: stage.parent_stage_id for name, stage in tree.stages.items()}
            parent = "" if leads_to(parents, parent, declared.stage_id) else parent
        stage = tree.job.stages.add(stage_id=declared.stage_id, parent_stage_id=parent)
        tree.stages[stage.stage_id] = stage
        tree.children.setdefault(stage.stage_id, [])
        tree.children.setdefault(stage.parent_stage_id, []).append(stage)
        tree._size += declared.ByteSize()
    else:
        tree._waste += declared.ByteSize()
    if declared.title:
        stage.title = declared.title
    if declared.HasField("weight"):
        stage.weight = declared.weight
    if declared.HasField("total"):
        stage.total = declared.total
    if declared.unit:
        stage.unit = declared.unit
    if declared.message:
        stage.message = declared.message
    stage.state = StageState.STAGE_STATE_RUNNING
    stage.start_time.CopyFrom(event.time)
    stage.fraction_known = stage_known(tree, stage)
    tree.levels.invalidate(stage)
    if before != tree.levels.contribution(stage):
        carry_known_up(tree, stage.parent_stage_id)


def _stage_progressed(tree: Fold, event: Event) -> None:
    progress = event.stage_progressed
    tree.job.fraction = progress.job_fraction
    stage = tree.stages.get(progress.stage_id)
    if stage is None:  # its declaration was hidden by a filter
        return
    if progress.HasField("total"):
        stage.total = progress.total
        if stage.state in OPEN:
            stage.fraction_known = stage_known(tree, stage)
    if progress.unit:
        stage.unit = progress.unit
        tree._waste += text_size(progress.unit)
    _move(tree, stage, progress.current, progress.message, progress.fraction)


def _move(tree: Fold, stage: Stage, current: float, message: str, fraction: float) -> None:
    stage.current = current
    if message:
        stage.message = message
        tree._waste += text_size(message)
    stage.fraction = fraction
    carry_up(tree, stage)


def _stage_ended(tree: Fold, event: Event) -> None:
    ended = event.stage_ended
    tree.job.fraction = ended.job_fraction
    stage = tree.stages.get(ended.stage_id)
    if stage is None:  # its declaration was hidden by a filter
        return
    before = tree.levels.contribution(stage)
    stage.state = ended.state
    if ended.state == StageState.STAGE_STATE_SUCCEEDED:
        stage.fraction = 1.0
        stage.fraction_known = True
    if ended.message:
        stage.message = ended.message
    if ended.HasField("failure"):
        stage.failure.CopyFrom(ended.failure)
    stage.end_time.CopyFrom(event.time)
    tree._waste += event.ByteSize()
    _end(tree, tree._within(stage), ended.state, event)
    carry_up(tree, stage)
    if before != tree.levels.contribution(stage):
        carry_known_up(tree, stage.parent_stage_id)


def _artifact_added(tree: Fold, event: Event) -> None:
    added = event.artifact_added.artifact
    tree.steps += len(tree.job.artifacts)
    for artifact in tree.job.artifacts:
        if artifact.name == added.name:
            artifact.CopyFrom(added)
            tree._waste += added.ByteSize()
            return
    tree.job.artifacts.append(added)
    tree._size += added.ByteSize()


def _cancel_requested(tree: Fold, event: Event) -> None:
    tree.job.state = JobState.JOB_STATE_CANCELLING
    tree.job.cancellation.CopyFrom(event.cancel_requested.cancellation)
    tree._waste += event.ByteSize()


def _cancel_acknowledged(tree: Fold, event: Event) -> None:
    tree.job.cancellation.acknowledge_time.CopyFrom(event.time)
    tree._waste += event.ByteSize()


def _attempt_ended(tree: Fold, event: Event) -> None:
    job, ended = tree.job, event.attempt_ended
    job.state = JobState.JOB_STATE_QUEUED
    job.failure.CopyFrom(ended.failure)
    job.message = ended.failure.message
    if ended.HasField("retry_time"):
        job.retry_time.CopyFrom(ended.retry_time)
    tree._waste += event.ByteSize()
    released = ended.failure.code == RELEASED
    if not released:
        job.failed_attempts += 1
    for stage in job.stages:
        if stage.state == StageState.STAGE_STATE_RUNNING:
            stage.state = StageState.STAGE_STATE_CANCELLED if released else StageState.STAGE_STATE_FAILED
            stage.end_time.CopyFrom(event.time)
    refresh_known(tree)


def _job_ended(tree: Fold, event: Event) -> None:
    job, ended = tree.job, event.job_ended
    if ended.state in _ATTEMPT_FAILED and job.state != JobState.JOB_STATE_QUEUED:
        job.failed_attempts += 1
    job.state = ended.state
    job.message = ended.message
    job.end_time.CopyFrom(event.time)
    job.ClearField("retry_time")
    job.ClearField("failure")
    if ended.HasField("result"):
        job.result.CopyFrom(ended.result)
    if ended.HasField("failure"):
        job.failure.CopyFrom(ended.failure)
    if ended.forced:
        job.cancellation.forced = True
    tree._size += event.ByteSize()
    if ended.state == JobState.JOB_STATE_SUCCEEDED:
        job.fraction = 1.0
        job.fraction_known = True
    _end(tree, job.stages, _ENDS_WITH_JOB.get(ended.state, StageState.STAGE_STATE_CANCELLED), event)


def _children_progressed(tree: Fold, event: Event) -> None:
    progress = event.children_progressed
    tree.job.fraction = progress.job_fraction
    if not tree.job.stages:
        tree.job.fraction_known = 0 < progress.total <= tree.job.planned_children


def _no_effect(tree: Fold, event: Event) -> None:
    """Leave the job unchanged: the event is for readers of the log."""


_APPLY: dict[str, Callable[[Fold, Event], None]] = {
    "job_submitted": _job_submitted,
    "job_started": _job_started,
    "stages_planned": _stages_planned,
    "stage_started": _stage_started,
    "stage_progressed": _stage_progressed,
    "stage_ended": _stage_ended,
    "log_written": _no_effect,
    "artifact_added": _artifact_added,
    "custom": _no_effect,
    "cancel_requested": _cancel_requested,
    "cancel_acknowledged": _cancel_acknowledged,
    "attempt_ended": _attempt_ended,
    "job_ended": _job_ended,
    "children_progressed": _children_progressed,
}
