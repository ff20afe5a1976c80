/** The children of a job as its page has them: how many of them, and how often they are looked up. */

import type { MilepostClient } from "../../client.js";
import { whenShown } from "../../watch/page.js";
import { JobState, type Job } from "../messages.js";
import { hasEnded } from "../../job-states.js";

/** Children that are shown. */
const LIMIT = 500;
/** Milliseconds between two look-ups of few children that go on, which the tick of a second must not miss; and of many. */
const MOVING_INTERVAL_MS = 900;
/** And of a job whose children have not begun; and of one that has none, as far as is known. */
const INTERVAL_MS = 5000;
const RARE_INTERVAL_MS = 30_000;

export interface ChildList {
  readonly jobs: readonly Job[];
  /** Whether there are more. */
  readonly hasMore: boolean;
}

export async function listChildren(
  client: MilepostClient,
  jobId: string,
  signal: AbortSignal,
): Promise<ChildList> {
  const jobs: Job[] = [];
  for await (const job of client.listJobs({ parentJobId: jobId }, { pageSize: LIMIT, signal })) {
    if (jobs.length >= LIMIT) return { jobs, hasMore: true };
    jobs.push(job);
    await whenShown(); // the next job may be of another page
  }
  return { jobs, hasMore: false };
}

/**
 * Milliseconds between two look-ups. `hasNews`: whether the job has an event of its children since the last one.
 *
 * So a second brings no more jobs of many children than of few. Children may go on after the end of their parent.
 */
export function childInterval(job: Job, children: readonly Job[], hasNews: boolean): number {
  if (hasNews || children.some((child) => !hasEnded(child)))
    return Math.max(MOVING_INTERVAL_MS, (children.length / LIMIT) * INTERVAL_MS);
  if (hasEnded(job)) return Infinity;
  const mayHave = children.length > 0 || job.plannedChildren > 0 || job.state === JobState.QUEUED;
  return mayHave ? INTERVAL_MS : RARE_INTERVAL_MS;
}
