/** A run beside the usual: what the latest runs of its kind took, as a whole and by stage. */

import type { GetHistoryResponse } from "../../gen/milepost/v1/job_service_pb.js";
import { JobState, type Job, type Stage } from "../messages.js";
import { instantOf, secondsOf, took } from "./instants.js";
import { count } from "./plain-text.js";

/** Fewer runs say nothing of what is usual. */
const MIN_RUNS = 3;
/** From so many times the usual on, and so many seconds more, a stage counts as slow. */
const SLOW_RATIO = 1.5;
const SLOW_SECONDS = 1;

/** Whether there are enough runs to say what is usual. */
export function hasUsual(history: GetHistoryResponse | undefined): boolean {
  return (history?.runs ?? 0) >= MIN_RUNS;
}

/** What a succeeded run took beside others: `usually 03:05, at most 04:10 in nine of ten · 12 runs`; empty without any. */
export function usualText(job: Job, history: GetHistoryResponse | undefined): string {
  const { runs = 0, durationP50, durationP90 } = history ?? {};
  // Its own run may be among them, and alone.
  if (job.state !== JobState.SUCCEEDED || runs < MIN_RUNS || !durationP50) return "";
  const most = durationP90 ? `, at most ${took(secondsOf(durationP90))} in nine of ten` : "";
  return `usually ${took(secondsOf(durationP50))}${most} · ${count(runs, "run")}`;
}

/** The usual seconds of each stage; empty without enough runs. */
export function usualStages(history: GetHistoryResponse | undefined): ReadonlyMap<string, number> {
  const { runs = 0, stages = [] } = history ?? {};
  if (runs < MIN_RUNS) return new Map();
  return new Map(
    stages.flatMap(({ stageId, durationP50 }) => (durationP50 ? [[stageId, secondsOf(durationP50)]] : [])),
  );
}

/** Whether a stage takes, or took, much longer than it usually does. */
export function isSlow(stage: Stage, usual: number, now: number): boolean {
  const start = instantOf(stage.startTime);
  if (start === undefined) return false;
  const seconds = ((instantOf(stage.endTime) ?? now) - start) / 1000;
  return seconds > usual * SLOW_RATIO && seconds > usual + SLOW_SECONDS;
}
