/** Why a job is queued, in words. */

import { WaitingFor, type Job, type Waiting } from "../messages.js";
import { startText } from "./estimate-text.js";
import { elapsed, instantOf, type Instant } from "./instants.js";
import { count, oneLine, ordinal } from "./plain-text.js";

/** What a QUEUED job waits for: `3rd of 5 · likely to start in 02:10 · 2 workers take transcribe`. */
export function waitingText(job: Job, waiting: Waiting | undefined, now: Instant): string {
  const kind = oneLine(job.kind, 64);
  const retry = instantOf(job.retryTime);
  if (retry !== undefined && retry > now) return `next attempt in ${elapsed((retry - now) / 1000 + 0.999)}`;
  const nearest = (waiting?.nearestKinds ?? []).map((near) => oneLine(near, 64)).join(", ");
  const others = nearest ? `; nearest: ${nearest}` : "";
  if (!waiting) return "waiting in the queue";
  switch (waiting.waitingFor) {
    case WaitingFor.CLAIM:
      return job.plannedChildren > 0
        ? "waits for its children"
        : "waits to be claimed by the engine that runs it";
    case WaitingFor.WORKER:
      return `no worker takes ${kind}${others}`;
    case WaitingFor.RECONNECT:
      return `no worker takes ${kind} yet${others}; the server has just started, and workers may be reconnecting`;
    case WaitingFor.CONCURRENCY:
      return concurrencyText(job);
    default: {
      const takes = waiting.workers === 1 ? "takes" : "take";
      const start = startText(waiting, now);
      const workers = `${count(waiting.workers, "worker")} ${takes} ${kind}`;
      return [turnText(waiting), start, workers].filter(Boolean).join(" · ");
    }
  }
}

/** What is to be done about it; empty where waiting is enough. */
export function waitingHint(waiting: Waiting | undefined): string {
  return waiting?.waitingFor === WaitingFor.WORKER
    ? "It starts once a worker with a handler for this kind connects."
    : "";
}

/** The same in a row of a list: `no worker takes archve; near: archive`, `3 jobs before it`; empty until it is known. */
export function waitingCell(job: Job, waiting: Waiting | undefined, now: Instant): string {
  const retry = instantOf(job.retryTime);
  if (retry !== undefined && retry > now) return `next attempt in ${elapsed((retry - now) / 1000 + 0.999)}`;
  if (!waiting) return "";
  switch (waiting.waitingFor) {
    case WaitingFor.CLAIM:
      return job.plannedChildren > 0 ? "waits for its children" : "waits to be claimed";
    case WaitingFor.WORKER:
    case WaitingFor.RECONNECT: {
      const near = waiting.nearestKinds.map((kind) => oneLine(kind, 64)).join(", ");
      const yet = waiting.waitingFor === WaitingFor.RECONNECT ? " yet" : "";
      return `no worker takes ${oneLine(job.kind, 64)}${yet}${near && `; near: ${near}`}`;
    }
    case WaitingFor.CONCURRENCY:
      return concurrencyText(job);
    default:
      return waiting.jobsAhead > 0 ? `${count(waiting.jobsAhead, "job")} before it` : "next in the queue";
  }
}

/** `concurrency key room-blue is taken by another job`: of its key as many are active as it allows. */
function concurrencyText({ concurrencyKey, concurrencyLimit }: Job): string {
  const others = concurrencyLimit > 1 ? count(concurrencyLimit, "job") : "another job";
  return `concurrency key ${oneLine(concurrencyKey, 64)} is taken by ${others}`;
}

/** The place in the queue, in which jobs of others may be ahead, too. */
function turnText({ jobsAhead, jobsWaiting }: Waiting): string {
  if (jobsWaiting > jobsAhead) return `${ordinal(jobsAhead + 1)} of ${jobsWaiting}`;
  return jobsWaiting > 0 ? `${ordinal(jobsAhead + 1)} in the queue` : "waits for its turn";
}

/** Whether the job stays queued until somebody acts. */
export function needsAttention(waiting: Waiting | undefined): boolean {
  return waiting?.waitingFor === WaitingFor.WORKER || waiting?.waitingFor === WaitingFor.RECONNECT;
}
