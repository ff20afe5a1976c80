import { type Job, JobState } from "./gen/milepost/v1/job_pb.js";

const FINAL = new Set([JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED, JobState.LOST]);

/** Whether the job has ended: SUCCEEDED, FAILED, CANCELLED or LOST. */
export function hasEnded(job: Pick<Job, "state">): boolean {
  return FINAL.has(job.state);
}
