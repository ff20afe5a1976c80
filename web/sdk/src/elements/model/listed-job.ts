/** A job as a list keeps it. */

import type { Job } from "../messages.js";
import { instantOf } from "./instants.js";

/** Whether a state of a job is newer than another one: by its events, or as a later job with the id. */
export function isNewer(job: Job, known: Job): boolean {
  if (job.epoch === known.epoch) return job.lastSequence > known.lastSequence;
  return (instantOf(job.submitTime) ?? 0) >= (instantOf(known.submitTime) ?? 0);
}

/** An ended job without what a list does not show, and what may be large. */
export function withoutDetails(job: Job): Job {
  const rest: Job = { ...job, stages: [], artifacts: [] };
  delete rest.input;
  delete rest.result;
  return rest;
}
