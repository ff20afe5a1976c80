/** The submission of a job that has ended, to be made again. */

import type { Submission } from "../../client.js";
import { SubmitJobRequestSchema } from "../../gen/milepost/v1/job_service_pb.js";
import { Dispatch, JobState, type Job } from "../messages.js";

/** Whether to offer a job again: it did not succeed, and no other engine decides what runs. */
export function isRetryable({ state, dispatch }: Job): boolean {
  return (
    [JobState.FAILED, JobState.LOST, JobState.CANCELLED].includes(state) && dispatch !== Dispatch.EXTERNAL
  );
}

/** Whether the input of a job is still there: without it another job would do something else. */
export function hasInput({ input, inputSize }: Job): boolean {
  return input !== undefined || inputSize === 0;
}

/**
 * What to submit so that another job does what `job` was to do: each field of the submission that a job has, too. Of the stages
 * only those that were planned, which of the job as it was submitted are those of the submission.
 */
export function resubmission(job: Job, parentJobId: string): Submission {
  const record = job as unknown as Readonly<Record<string, unknown>>;
  const same = SubmitJobRequestSchema.fields.map(({ localName }) => [localName, record[localName]] as const);
  const stages = job.stages
    .filter(({ planned }) => planned)
    .map(({ stageId, parentStageId, title, weight, total, unit }) => ({
      stageId,
      parentStageId,
      title,
      weight,
      total,
      unit,
    }));
  return { ...Object.fromEntries(same), jobId: "", parentJobId, stages };
}
