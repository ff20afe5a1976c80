/** Geometry of the waterfall: where the bars of a job and its stages begin and end, on one scale of time. */

import { remainingTime } from "../../remaining-time.js";
import { StageState, type Job, type Stage } from "../messages.js";
import type { Attempt } from "./attempts.js";
import { elapsed, instantOf, type Instant } from "./instants.js";
import { hasEnded } from "../../job-states.js";

/** Part of a bar; `from` and `to` are fractions of the scale. */
export interface Segment {
  /** `waiting` for something else, `running`, `earlier` for a run of an earlier attempt, `expected` by the estimate. */
  readonly part: "waiting" | "running" | "earlier" | "expected";
  readonly from: number;
  readonly to: number;
  readonly attempt: number;
  /** Whether it ended in a failure, or was cancelled. */
  readonly broken: boolean;
}

export interface Tick {
  readonly at: number;
  readonly label: string;
}

/** From when to when the waterfall reaches. */
export interface TimeScale {
  /** Where its ticks begin: the job's submission, or its first start if the wait before that is folded. */
  readonly start: Instant;
  readonly end: Instant;
  readonly ticks: readonly Tick[];
  /** Where now is; undefined once the job has ended. */
  readonly now: number | undefined;
  /** A wait before `start` that takes a short piece of the scale, however long it was. */
  readonly folded: { readonly from: Instant; readonly width: number } | undefined;
}

/** The part of the scale that a folded wait takes. */
const FOLDED_WIDTH = 0.06;

/** Steps between ticks in seconds. */
const STEPS = [
  0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800,
  3600, 7200, 14_400, 43_200, 86_400,
];
const MAX_TICKS = 8;

/**
 * The scale from the job's submission to its end, or to now and what is expected.
 *
 * While the job runs the end is a whole number of ticks, so that bars keep their places between one tick and the next.
 * A wait for the first start that is longer than all that followed is folded: the stages would be slivers beside it.
 */
export function timeScale(job: Job, now: Instant): TimeScale {
  const submitted = instantOf(job.submitTime) ?? now;
  const started = instantOf(job.firstStartTime) ?? submitted;
  const end = instantOf(job.endTime);
  const last = end ?? Math.max(now, expectedEnd(job, now) ?? now);
  const folded =
    started - submitted > last - started && last > started
      ? { from: submitted, width: FOLDED_WIDTH }
      : undefined;
  const start = folded ? started : submitted;
  const origin = folded?.width ?? 0;
  const span = Math.max((last - start) / 1000, 0.001);
  const step =
    STEPS.find((size) => span / size <= MAX_TICKS) ?? Math.ceil(span / MAX_TICKS / 86_400) * 86_400;
  const length = end === undefined ? (Math.floor(span / step) + 1) * step : span;
  const place = (seconds: number): number => origin + (1 - origin) * Math.min(seconds / length, 1);
  const ticks: Tick[] = [];
  for (let tick = 0; tick * step < length - step / 2; tick++) {
    ticks.push({ at: place(tick * step), label: tickLabel(tick * step, step) });
  }
  return {
    start,
    end: start + length * 1000,
    ticks,
    now: end === undefined ? place((now - start) / 1000) : undefined,
    folded,
  };
}

/** The parts of the job's own bar: waiting and running for each attempt, and what is expected. */
export function jobSegments(
  job: Job,
  attempts: readonly Attempt[],
  scale: TimeScale,
  now: Instant,
): Segment[] {
  const segments: Segment[] = [];
  const add = adder(segments, scale);
  for (const attempt of attempts) {
    add("waiting", attempt.queued, attempt.start, attempt.number, false);
    const broken =
      attempt.outcome === "failed" || attempt.outcome === "lost" || attempt.outcome === "cancelled";
    const end = attempt.end ?? (attempt.outcome ? attempt.start : now);
    add(attempt.number < job.attempt ? "earlier" : "running", attempt.start, end, attempt.number, broken);
  }
  const last = attempts.at(-1);
  const waitsSince = last ? (last.outcome ? last.end : undefined) : (instantOf(job.submitTime) ?? now);
  if (waitsSince !== undefined && !hasEnded(job)) add("waiting", waitsSince, now, job.attempt + 1, false);
  const expected = expectedEnd(job, now);
  if (expected !== undefined) add("expected", now, expected, job.attempt, false);
  return segments;
}

/** The parts of a stage's bar. `parent` is the stage that it is within, which it waited in. */
export function stageSegments(
  stage: Stage,
  parent: Stage | undefined,
  job: Job,
  attempts: readonly Attempt[],
  scale: TimeScale,
  now: Instant,
): Segment[] {
  const segments: Segment[] = [];
  const add = adder(segments, scale);
  for (const attempt of attempts) {
    const run = attempt.number < job.attempt ? attempt.stages.get(stage.stageId) : undefined;
    if (run) add("earlier", run.start, run.end ?? run.start, attempt.number, isBroken(run.state));
  }
  const start = instantOf(stage.startTime);
  if (start === undefined) return segments;
  const parentStart = instantOf(parent?.startTime);
  if (parentStart !== undefined) add("waiting", parentStart, start, job.attempt, false);
  const end = instantOf(stage.endTime);
  add("running", start, end ?? now, job.attempt, isBroken(stage.state));
  const expected = end === undefined ? expectedStageEnd(stage, job, start, now) : undefined;
  if (expected !== undefined) add("expected", now, expected, job.attempt, false);
  return segments;
}

/** When the job is expected to end; undefined without evidence. */
export function expectedEnd(job: Job, now: Instant): Instant | undefined {
  const left = remainingTime(job, now)?.medianMs;
  return left === undefined ? undefined : now + left;
}

// By its pace so far, and never beyond the job's estimate: without evidence for the job there is none for its stages.
function expectedStageEnd(stage: Stage, job: Job, start: Instant, now: Instant): Instant | undefined {
  const jobEnd = expectedEnd(job, now);
  if (jobEnd === undefined || !stage.fractionKnown || stage.fraction < 0.05) return undefined;
  return Math.min(jobEnd, now + ((now - start) * (1 - stage.fraction)) / stage.fraction);
}

function isBroken(state: StageState): boolean {
  return state === StageState.FAILED || state === StageState.CANCELLED;
}

type Add = (part: Segment["part"], from: Instant, to: Instant, attempt: number, broken: boolean) => void;

function adder(segments: Segment[], scale: TimeScale): Add {
  const { start, end, folded } = scale;
  const origin = folded?.width ?? 0;
  const place = (time: Instant): number => {
    if (folded && time < start)
      return (origin * Math.max(time - folded.from, 0)) / Math.max(start - folded.from, 1);
    return origin + (1 - origin) * Math.min(Math.max((time - start) / (end - start), 0), 1);
  };
  return (part, from, to, attempt, broken) => {
    if (to > from || part === "running")
      segments.push({ part, from: place(from), to: Math.max(place(from), place(to)), attempt, broken });
  };
}

function tickLabel(seconds: number, step: number): string {
  if (step < 0.1) return `${Math.round(seconds * 1000)} ms`;
  if (step < 1) return `${seconds.toFixed(1)} s`;
  return seconds === 0 ? "0:00" : elapsed(seconds).replace(/^0(\d:)/, "$1");
}
