/** Why a job is queued, in words. */

import { Dispatch, WaitingFor, type Job, type Waiting } from "../messages.js";
import { startText } from "./estimate-text.js";
import { elapsed, instantOf, type Instant } from "./instants.js";
import { count, oneLine, ordinal } from "./plain-text.js";

/** The place of a job among those of its kind that wait. */
export interface QueuePlace {
  /** From 1. */
  readonly place: number;
  readonly of: number;
}

/**
 * The place of `job` among the waiting jobs of its kind: the highest priority first, then the oldest.
 *
 * The server lets owners take turns and keeps to concurrency limits, so that the place is known only where all that wait are
 * of one owner and none has such a limit; undefined otherwise.
 */
export function queuePlace(job: Job, waiting: readonly Job[]): QueuePlace | undefined {
  const others = waiting.filter((other) => other.jobId !== job.jobId && other.dispatch !== Dispatch.EXTERNAL);
  if ([job, ...others].some((other) => other.owner !== job.owner || other.concurrencyKey || other.retryTime))
    return undefined;
  const time = instantOf(job.submitTime) ?? 0;
  const ahead = others.filter((other) => {
    if (other.priority !== job.priority) return other.priority > job.priority;
    const submitted = instantOf(other.submitTime) ?? 0;
    return submitted < time || (submitted === time && other.jobId < job.jobId);
  });
  return { place: ahead.length + 1, of: others.length + 1 };
}

/** What a QUEUED job waits for: `3rd of 5 · 2 workers take transcribe`. */
export function waitingText(
  job: Job,
  waiting: Waiting | undefined,
  place: QueuePlace | undefined,
  now: Instant,
): string {
  const kind = oneLine(job.kind, 64);
  const retry = instantOf(job.retryTime);
  if (retry !== undefined && retry > now) return `next attempt in ${elapsed((retry - now) / 1000 + 0.999)}`;
  const nearest = (waiting?.nearestKinds ?? []).map((near) => oneLine(near, 64)).join(", ");
  const others = nearest ? `; nearest: ${nearest}` : "";
  if (!waiting) return "waiting in the queue";
  switch (waiting.waitingFor) {
    case WaitingFor.CLAIM:
      return "waits to be claimed by the engine that runs it";
    case WaitingFor.WORKER:
      return `no worker takes ${kind}${others}`;
    case WaitingFor.RECONNECT:
      return `no worker takes ${kind} yet${others}; the server has just started, and workers may be reconnecting`;
    default: {
      const takes = waiting.workers === 1 ? "takes" : "take";
      const start = startText(waiting, now);
      const workers = `${count(waiting.workers, "worker")} ${takes} ${kind}`;
      return [turnText(waiting, place), start, workers].filter(Boolean).join(" · ");
    }
  }
}

/** The place as the server counts it or, if it does not, as the list of waiting jobs has it. */
function turnText({ jobsAhead, jobsWaiting }: Waiting, place: QueuePlace | undefined): string {
  if (jobsWaiting > jobsAhead) return `${ordinal(jobsAhead + 1)} of ${jobsWaiting}`;
  if (jobsWaiting > 0) return `${ordinal(jobsAhead + 1)} in the queue`; // behind jobs of others
  return place ? `${ordinal(place.place)} of ${place.of}` : "waits for its turn";
}

/** Whether the job stays queued until somebody acts. */
export function needsAttention(waiting: Waiting | undefined): boolean {
  return waiting?.waitingFor === WaitingFor.WORKER || waiting?.waitingFor === WaitingFor.RECONNECT;
}
