/** The attempts of a job, from the events that begin and end them. */

import { JobState, StageState, type Event, type Failure, type Job } from "../messages.js";
import { clock, instantOf, type Instant } from "./instants.js";
import { oneLine } from "./plain-text.js";
import { hasEnded } from "../../job-states.js";
import { jobLook } from "./state-words.js";

/** The payloads that `attemptsOf` reads; a watch for them asks for no others. */
export const ATTEMPT_PAYLOADS = [
  "jobStarted",
  "stageStarted",
  "stageEnded",
  "attemptEnded",
  "jobEnded",
] as const;

/** When a stage ran in one attempt. */
export interface StageRun {
  readonly start: Instant;
  end?: Instant;
  state: StageState;
}

/** One attempt: what preceded it in the queue, and how it went. */
export interface Attempt {
  readonly number: number;
  /** Since when the job waited for it. */
  readonly queued: Instant;
  readonly start: Instant;
  end?: Instant;
  readonly workerId: string;
  /** How it ended, as a word; empty while it runs. */
  outcome: string;
  failure?: Failure;
  readonly stages: Map<string, StageRun>;
}

/**
 * The attempts in order. Of those before the current one only that is known what `events` show, and what was the current one
 * in `snapshot`, the job as it was before them.
 */
export function attemptsOf(job: Job, events: readonly Event[], snapshot?: Job): Attempt[] {
  const attempts: Attempt[] = [];
  let queued = instantOf(job.submitTime) ?? 0;
  const known = events.some(
    ({ payload, attempt }) => payload.case === "jobStarted" && attempt === snapshot?.attempt,
  );
  if (snapshot && !known) addCurrent(attempts, snapshot, queued);
  for (const { attempt, time, payload } of events) {
    const at = instantOf(time) ?? queued;
    const current = attempts.at(-1);
    if (payload.case === "jobStarted") {
      attempts.push({
        number: attempt,
        queued,
        start: at,
        workerId: payload.value.workerId,
        outcome: "",
        stages: new Map(),
      });
    } else if (!current) {
      continue;
    } else if (payload.case === "stageStarted") {
      const id = payload.value.stage?.stageId ?? "";
      current.stages.set(id, { start: at, state: StageState.RUNNING });
    } else if (payload.case === "stageEnded") {
      endRun(current.stages.get(payload.value.stageId), at, payload.value.state);
    } else if (payload.case === "attemptEnded") {
      const failure = payload.value.failure;
      const released = failure?.code === "RELEASED";
      endAttempt(
        current,
        at,
        released ? "released" : "failed",
        released ? StageState.CANCELLED : StageState.FAILED,
      );
      if (failure) current.failure = failure;
      queued = at;
    } else if (payload.case === "jobEnded") {
      const state = payload.value.state;
      endAttempt(current, at, jobLook(state).word, END_OF_STAGES[state] ?? StageState.FAILED);
      if (payload.value.failure) current.failure = payload.value.failure;
    }
  }
  addCurrent(attempts, job, queued);
  return attempts;
}

/** The heading of an attempt's lines: `attempt 2 of 3, started 14:02:11, after WORKER_LOST`. */
export function boundaryText(
  attempt: number,
  start: Instant,
  job: Job | undefined,
  attempts: readonly Attempt[],
): string {
  const before = attempts.find(({ number }) => number === attempt - 1)?.failure?.code;
  const of = Math.max(job?.retryPolicy?.maxAttempts ?? 1, attempt);
  return [`attempt ${attempt} of ${of}`, `started ${clock(start)}`, before && `after ${oneLine(before, 64)}`]
    .filter(Boolean)
    .join(", ");
}

const END_OF_STAGES: Readonly<Record<number, StageState>> = {
  [JobState.SUCCEEDED]: StageState.SUCCEEDED,
  [JobState.CANCELLED]: StageState.CANCELLED,
};

/** The current attempt as the job has it; it may be newer than the events. */
function addCurrent(attempts: Attempt[], job: Job, queued: Instant): void {
  const start = instantOf(job.startTime);
  if (job.attempt === 0 || start === undefined) return;
  let last = attempts.at(-1);
  if (!last || last.number < job.attempt) {
    last = { number: job.attempt, queued, start, workerId: job.workerId, outcome: "", stages: new Map() };
    attempts.push(last);
  }
  if (last.outcome) return;
  for (const stage of job.stages) {
    const began = instantOf(stage.startTime);
    if (began === undefined) continue;
    const run: StageRun = { start: began, state: stage.state };
    const end = instantOf(stage.endTime);
    if (end !== undefined) run.end = end;
    last.stages.set(stage.stageId, run);
  }
  const end = instantOf(job.endTime);
  if (hasEnded(job) && end !== undefined) {
    last.end = end;
    last.outcome = jobLook(job.state).word;
    if (job.failure) last.failure = job.failure;
  } else if (job.state === JobState.QUEUED) {
    last.outcome = job.failure?.code === "RELEASED" ? "released" : "failed";
    if (job.failure) last.failure = job.failure;
  }
}

function endAttempt(attempt: Attempt, at: Instant, outcome: string, open: StageState): void {
  attempt.end = at;
  attempt.outcome = outcome;
  for (const run of attempt.stages.values()) if (run.end === undefined) endRun(run, at, open);
}

function endRun(run: StageRun | undefined, at: Instant, state: StageState): void {
  if (!run) return;
  run.end = at;
  run.state = state;
}
