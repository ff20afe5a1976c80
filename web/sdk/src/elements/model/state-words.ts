/** State of jobs and stages as a word and a shape. Colour comes third, and never alone. */

import { JobState, Severity, StageState, type Job } from "../messages.js";

/** Shapes that differ without colour. */
export type Shape =
  "waiting" | "running" | "stopping" | "succeeded" | "failed" | "cancelled" | "lost" | "skipped";

interface Look {
  readonly word: string;
  readonly shape: Shape;
}

const JOBS: Readonly<Record<number, Look>> = {
  [JobState.QUEUED]: { word: "queued", shape: "waiting" },
  [JobState.RUNNING]: { word: "running", shape: "running" },
  [JobState.CANCELLING]: { word: "cancelling", shape: "stopping" },
  [JobState.SUCCEEDED]: { word: "succeeded", shape: "succeeded" },
  [JobState.FAILED]: { word: "failed", shape: "failed" },
  [JobState.CANCELLED]: { word: "cancelled", shape: "cancelled" },
  [JobState.LOST]: { word: "lost", shape: "lost" },
};

const STAGES: Readonly<Record<number, Look>> = {
  [StageState.PENDING]: { word: "waiting", shape: "waiting" },
  [StageState.RUNNING]: { word: "running", shape: "running" },
  [StageState.SUCCEEDED]: { word: "done", shape: "succeeded" },
  [StageState.FAILED]: { word: "failed", shape: "failed" },
  [StageState.SKIPPED]: { word: "skipped", shape: "skipped" },
  [StageState.CANCELLED]: { word: "cancelled", shape: "cancelled" },
};

const SEVERITIES: Readonly<Record<number, string>> = {
  [Severity.DEBUG]: "debug",
  [Severity.WARNING]: "warning",
  [Severity.ERROR]: "error",
};

/** Word and shape of a job's state. A state of a later version is shown by its number. */
export function jobLook(state: JobState): Look {
  return (
    JOBS[state] ?? { word: state === JobState.UNSPECIFIED ? "unknown" : `state ${state}`, shape: "waiting" }
  );
}

export function stageLook(state: StageState): Look {
  return STAGES[state] ?? { word: `state ${state}`, shape: "waiting" };
}

export function severityWord(severity: Severity): string {
  return SEVERITIES[severity] ?? "info";
}

export function isActive(job: Job): boolean {
  return job.state === JobState.RUNNING || job.state === JobState.CANCELLING;
}

/**
 * Whether the percentage of a job is meaningful. It is, as 0, before the first attempt; and while none of its planned children has
 * progressed, of which no event tells.
 */
export function isKnown(job: Job): boolean {
  if (job.fractionKnown || (job.state === JobState.QUEUED && job.attempt === 0)) return true;
  return isActive(job) && job.plannedChildren > 0 && job.stages.length === 0 && job.fraction === 0;
}
