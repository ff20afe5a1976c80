import { create } from "@bufbuild/protobuf";
import type {
  Event,
  JobEnded,
  StageEnded,
  StageProgressed,
  StagesPlanned,
} from "../gen/milepost/v1/event_pb.js";
import {
  type Artifact,
  CancellationSchema,
  FailureSchema,
  type Job,
  JobSchema,
  JobState,
  type Stage,
  StageSchema,
  StageState,
} from "../gen/milepost/v1/job_pb.js";
import { isOpen } from "./level.js";
import { StageTree } from "./stage-tree.js";

/** The failure code of an attempt that its worker released; it does not count as failed. */
const RELEASED = "RELEASED";

/** The current state of a job: its events in order, applied to an empty job or to a snapshot. */
export class Fold {
  #job: Job;
  #stages: StageTree;
  #artifacts: Artifact[];
  #artifactPositions: Map<string, number>;
  #current: Job | undefined;

  /** Start from a snapshot, or from an empty job. */
  constructor(job?: Job) {
    this.#job = job ?? create(JobSchema);
    this.#stages = new StageTree(this.#job.stages);
    this.#artifacts = [...this.#job.artifacts];
    this.#artifactPositions = new Map(this.#artifacts.map(({ name }, position) => [name, position]));
    this.#current = job;
  }

  /**
   * The current job. The object never changes: further events make another one, which shares what they leave
   * as it is, each unchanged stage included. Do not modify it, nor the events that were applied.
   */
  get job(): Job {
    this.#current ??= { ...this.#job, stages: [...this.#stages.all], artifacts: [...this.#artifacts] };
    return this.#current;
  }

  /** Sequence of the last event that was applied. */
  get lastSequence(): bigint {
    return this.#job.lastSequence;
  }

  /** Apply the next event. One that was applied already changes nothing; of an unknown payload only its sequence counts. */
  apply(event: Event): void {
    if (event.sequence <= this.#job.lastSequence) {
      return;
    }
    this.#current = undefined;
    this.#apply(event);
    this.#set({ lastSequence: event.sequence });
  }

  #apply(event: Event): void {
    const { payload, time } = event;
    switch (payload.case) {
      case "jobSubmitted":
        this.#submit(payload.value.job ?? create(JobSchema));
        break;
      case "jobStarted":
        this.#start(event, payload.value.workerId, payload.value.instance);
        break;
      case "stagesPlanned":
        this.#plan(payload.value);
        break;
      case "stageStarted":
        this.#startStage(event, payload.value.stage ?? create(StageSchema));
        break;
      case "stageProgressed":
        this.#progress(payload.value);
        break;
      case "stageEnded":
        this.#endStage(event, payload.value);
        break;
      case "artifactAdded":
        if (payload.value.artifact !== undefined) {
          this.#addArtifact(payload.value.artifact);
        }
        break;
      case "cancelRequested":
        this.#set({
          state: JobState.CANCELLING,
          cancellation: payload.value.cancellation ?? create(CancellationSchema),
        });
        break;
      case "cancelAcknowledged":
        this.#set({ cancellation: { ...this.#cancellation, acknowledgeTime: time } });
        break;
      case "attemptEnded": {
        const { failure, retryTime } = payload.value;
        const released = failure?.code === RELEASED;
        this.#set({
          state: JobState.QUEUED,
          failure: failure ?? create(FailureSchema),
          message: failure?.message ?? "",
          retryTime: retryTime ?? this.#job.retryTime,
          failedAttempts: this.#job.failedAttempts + (released ? 0 : 1),
        });
        const state = released ? StageState.CANCELLED : StageState.FAILED;
        this.#replaceStages((stage) =>
          stage.state === StageState.RUNNING ? { ...stage, state, endTime: time } : stage,
        );
        break;
      }
      case "jobEnded":
        this.#end(event, payload.value);
        return; // an ended job keeps `fractionKnown`
      case "childrenProgressed": {
        const { total, jobFraction } = payload.value;
        this.#set({ fraction: jobFraction, fractionKnown: total > 0 && total <= this.#job.plannedChildren });
        break;
      }
      case "logWritten":
      case "custom":
      case undefined:
        break;
      default:
        payload satisfies never;
    }
    if (this.#stages.all.length > 0) {
      this.#set({ fractionKnown: this.#stages.known });
    }
  }

  #set(values: Partial<Job>): void {
    this.#job = { ...this.#job, ...values };
  }

  get #cancellation(): NonNullable<Job["cancellation"]> {
    return this.#job.cancellation ?? create(CancellationSchema);
  }

  /** Change all stages at once. */
  #replaceStages(change: (stage: Stage) => Stage): void {
    this.#setStages(this.#stages.all.map(change));
  }

  #setStages(stages: readonly Stage[]): void {
    this.#stages.reset(stages);
    this.#stages.refreshKnown();
    this.#set({ fractionKnown: this.#stages.known });
  }

  #submit(job: Job): void {
    this.#job = job;
    this.#artifacts = [...job.artifacts];
    this.#artifactPositions = new Map(job.artifacts.map(({ name }, position) => [name, position]));
    this.#setStages(job.stages.map((stage) => ({ ...stage, planned: true })));
  }

  #start(event: Event, workerId: string, workerInstance: string): void {
    this.#set({
      state: JobState.RUNNING,
      attempt: event.attempt,
      workerId,
      workerInstance,
      startTime: event.time,
      firstStartTime: this.#job.firstStartTime ?? event.time,
      fraction: 0,
      message: "",
      failure: undefined,
      retryTime: undefined,
    });
    this.#replaceStages((stage) => ({
      ...stage,
      state: StageState.PENDING,
      current: 0,
      fraction: 0,
      message: "",
      failure: undefined,
      startTime: undefined,
      endTime: undefined,
    }));
  }

  #plan(plan: StagesPlanned): void {
    const stages = this.#started();
    const parents = new Map(stages.map(({ stageId, parentStageId }) => [stageId, parentStageId]));
    const fixed = new Set(parents.keys());
    const missing = new Set([...parents.values()].filter((stageId) => !fixed.has(stageId)));
    for (const { stageId, parentStageId, title, weight, total, unit } of plan.stages) {
      if (!fixed.has(stageId)) {
        const circular = missing.has(stageId) && leadsTo(parents, parentStageId, stageId);
        const outer = circular ? "" : parentStageId;
        parents.set(stageId, outer);
        const state = StageState.PENDING;
        stages.push(
          create(StageSchema, { stageId, parentStageId: outer, title, weight, total, unit, state }),
        );
      }
    }
    if (plan.plannedChildren > 0) {
      this.#set({ plannedChildren: plan.plannedChildren });
    }
    this.#setStages(stages.map((stage) => ({ ...stage, planned: true })));
  }

  /** The stages that have started, and those around them; in their order. */
  #started(): Stage[] {
    const found = new Set<string>();
    for (const stage of this.#stages.all) {
      if (stage.state !== StageState.PENDING && !found.has(stage.stageId)) {
        found.add(stage.stageId);
        for (const parent of this.#stages.around(stage)) {
          if (found.has(parent.stageId)) {
            break;
          }
          found.add(parent.stageId);
        }
      }
    }
    return this.#stages.all.filter(({ stageId }) => found.has(stageId));
  }

  #startStage(event: Event, declared: Stage): void {
    let stage = this.#stages.get(declared.stageId);
    if (stage === undefined) {
      let parentStageId = declared.parentStageId;
      if (this.#stages.isParent(declared.stageId)) {
        // Its declaration was delayed, and it must not come to be within itself.
        const parents = new Map(this.#stages.all.map((other) => [other.stageId, other.parentStageId]));
        parentStageId = leadsTo(parents, parentStageId, declared.stageId) ? "" : parentStageId;
      }
      stage = create(StageSchema, { stageId: declared.stageId, parentStageId });
      this.#stages.add(stage);
    }
    stage = this.#stages.update(stage, {
      title: declared.title || stage.title,
      weight: declared.weight ?? stage.weight,
      total: declared.total ?? stage.total,
      unit: declared.unit || stage.unit,
      message: declared.message || stage.message,
      state: StageState.RUNNING,
      startTime: event.time,
    });
    this.#stages.update(stage, { fractionKnown: this.#stages.isKnown(stage) });
    this.#stages.carryKnownUp(stage);
  }

  #progress(progress: StageProgressed): void {
    this.#set({ fraction: progress.jobFraction });
    let stage = this.#stages.get(progress.stageId);
    if (stage === undefined) {
      return; // its declaration was hidden by a filter
    }
    stage = this.#stages.update(stage, {
      current: progress.current,
      total: progress.total ?? stage.total,
      unit: progress.unit || stage.unit,
      message: progress.message || stage.message,
      fraction: progress.fraction,
    });
    if (progress.total !== undefined && isOpen(stage)) {
      stage = this.#stages.update(stage, { fractionKnown: this.#stages.isKnown(stage) });
    }
    this.#stages.carryUp(stage);
  }

  #endStage(event: Event, ended: StageEnded): void {
    this.#set({ fraction: ended.jobFraction });
    let stage = this.#stages.get(ended.stageId);
    if (stage === undefined) {
      return; // its declaration was hidden by a filter
    }
    stage = this.#stages.update(stage, {
      ...inState(stage, ended.state),
      message: ended.message || stage.message,
      failure: ended.failure ?? stage.failure,
      endTime: event.time,
    });
    this.#endOpen(this.#stages.within(stage), ended.state, event);
    this.#stages.carryUp(stage);
    this.#stages.carryKnownUp(stage);
  }

  /** End open stages: running ones in `state`, pending ones as SKIPPED unless `state` is CANCELLED. */
  #endOpen(stages: readonly Stage[], state: StageState, event: Event): void {
    for (const stage of stages) {
      if (isOpen(stage)) {
        const takesState = stage.state === StageState.RUNNING || state === StageState.CANCELLED;
        this.#stages.update(stage, {
          ...inState(stage, takesState ? state : StageState.SKIPPED),
          endTime: event.time,
        });
      }
    }
  }

  #addArtifact(artifact: Artifact): void {
    const position = this.#artifactPositions.get(artifact.name) ?? this.#artifacts.length;
    this.#artifactPositions.set(artifact.name, position);
    this.#artifacts[position] = artifact;
  }

  #end(event: Event, ended: JobEnded): void {
    const failed = ended.state === JobState.FAILED || ended.state === JobState.LOST;
    const succeeded = ended.state === JobState.SUCCEEDED;
    this.#set({
      failedAttempts: this.#job.failedAttempts + (failed && this.#job.state !== JobState.QUEUED ? 1 : 0),
      state: ended.state,
      message: ended.message,
      endTime: event.time,
      retryTime: undefined,
      failure: ended.failure,
      result: ended.result ?? this.#job.result,
      cancellation: ended.forced ? { ...this.#cancellation, forced: true } : this.#job.cancellation,
      fraction: succeeded ? 1 : this.#job.fraction,
      fractionKnown: succeeded || this.#job.fractionKnown,
    });
    this.#endOpen([...this.#stages.all], stageStateAtEnd(ended.state), event);
  }
}

/** What a stage takes on with a state. */
function inState(stage: Stage, state: StageState): Partial<Stage> {
  return state === StageState.SUCCEEDED
    ? { state, fraction: 1, fractionKnown: true }
    : { state, fraction: stage.fraction };
}

/** State of a RUNNING stage when its job ends in this state; CANCELLED with a state of a later version. */
function stageStateAtEnd(state: JobState): StageState {
  if (state === JobState.SUCCEEDED) {
    return StageState.SUCCEEDED;
  }
  return state === JobState.FAILED || state === JobState.LOST ? StageState.FAILED : StageState.CANCELLED;
}

/**
 * Whether a stage is `outerId` or within it, so that the latter cannot become a part of the former.
 *
 * No complete log leads there, but a filtered one may: the filter hid that a stage moved.
 */
function leadsTo(parents: ReadonlyMap<string, string>, stageId: string, outerId: string): boolean {
  let inner = stageId;
  for (let left = parents.size; inner !== "" && inner !== outerId && left >= 0; left--) {
    inner = parents.get(inner) ?? "";
  }
  return inner !== "" && inner === outerId;
}
