import { type Job, JobState } from "./gen/milepost/v1/job_pb.js";

/** The states of a job that has ended. */
export const FINAL_STATES: readonly JobState[] = [
  JobState.SUCCEEDED,
  JobState.FAILED,
  JobState.CANCELLED,
  JobState.LOST,
];

/** Whether the job has ended: SUCCEEDED, FAILED, CANCELLED or LOST. */
export function hasEnded(job: Pick<Job, "state">): boolean {
  return FINAL_STATES.includes(job.state);
}
