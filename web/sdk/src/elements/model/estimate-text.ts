/** Estimates in words: what a job still takes, how long one takes that waits, and what that rests on. */

import type { Duration } from "@bufbuild/protobuf/wkt";
import { durationMs, timestampMs } from "../../time.js";
import { remainingTime } from "../../remaining-time.js";
import { EstimateBasis, type Estimate, type Job, type Waiting } from "../messages.js";
import { elapsed, instantOf, secondsOf, type Instant } from "./instants.js";
import { count } from "./plain-text.js";

/**
 * Milliseconds within which another estimate comes where this one is off by a second; 5,000 in a list. One of fewer would
 * run out before that, again and again, so that it has words from the start.
 */
const RENEWAL_MS = 6000;

/** What a running job still takes: `about 03:20 left`, or what is known instead; empty without evidence. */
export function remainingText(job: Job, now: Instant): string {
  const remaining = remainingTime(job, now);
  if (remaining === undefined) return "";
  const { medianMs, estimate } = remaining;
  if (medianMs === undefined) return "overdue";
  if (medianMs >= 1000 && isCounted(estimate.remainingP50)) return `about ${elapsed(medianMs / 1000)} left`;
  return isPassed(estimate, now) ? "longer than expected" : "ending any moment";
}

/** The same for a table, which has nothing of an estimate that has run out. */
export function remainingCell(job: Job, now: Instant): string {
  const text = remainingText(job, now);
  return text === "longer than expected" ? "" : text;
}

/** How sure that is, and what it rests on: `at most 05:10 · from 14 runs`. */
export function evidenceText(job: Job, now: Instant): string {
  const remaining = remainingTime(job, now);
  if (remaining === undefined) return "";
  const { estimate, mostMs, overdue } = remaining;
  if (overdue) return `over three times the longest of ${count(estimate.sampleSize, "run")}`;
  const most = isCounted(estimate.remainingP90) ? mostMs : undefined;
  return [...atMost(most), ...basisText(estimate)].join(" · ");
}

/** How long a job takes once it starts: `takes about 03:20`; empty without evidence. */
export function runText(waiting: Waiting | undefined): string {
  const median = waiting?.run?.remainingP50;
  if (!median) return "";
  const seconds = secondsOf(median);
  return seconds < 1 ? "takes less than a second" : `takes about ${elapsed(seconds)}`;
}

/** How sure that is: `at most 05:10 · from 14 runs`. */
export function runEvidenceText(waiting: Waiting | undefined): string {
  const run = waiting?.run;
  return run
    ? [...atMost(run.remainingP90 && durationMs(run.remainingP90)), ...basisText(run)].join(" · ")
    : "";
}

/** When a queued job may start: `likely to start in 02:10`, counted down; empty if that is not known. */
export function startText({ startP50, run }: Waiting, now: Instant): string {
  if (!startP50) return "";
  const wait = secondsOf(startP50) - Math.max(now - (instantOf(run?.asOf) ?? now), 0) / 1000;
  return wait >= 1 && isCounted(startP50)
    ? `likely to start in ${elapsed(wait)}`
    : "likely to start any moment";
}

/** Whether a time is long enough to be counted down. */
function isCounted(time: Duration | undefined): boolean {
  return time !== undefined && durationMs(time) >= RENEWAL_MS + 1000;
}

/** Whether the 90th percentile has passed, and no other estimate has come. */
function isPassed({ asOf, remainingP90 }: Estimate, now: Instant): boolean {
  const since = asOf === undefined ? 0 : now - timestampMs(asOf);
  return since > (remainingP90 ? durationMs(remainingP90) : 0) + RENEWAL_MS;
}

function atMost(ms: number | undefined): string[] {
  return ms !== undefined && ms >= 1000 ? [`at most ${elapsed(ms / 1000)}`] : [];
}

function basisText({ basis, sampleSize }: Estimate): string[] {
  if (basis === EstimateBasis.PACE) return ["from its pace so far"];
  if (!sampleSize) return [];
  const runs = `from ${count(sampleSize, "run")}`;
  return [basis === EstimateBasis.WORKLOAD ? `${runs}, scaled to its workload` : runs];
}
