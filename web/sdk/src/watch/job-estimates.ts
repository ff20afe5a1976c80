import { type Estimate, type Job, JobState } from "../gen/milepost/v1/job_pb.js";
import { isOfAttempt } from "../remaining-time.js";

/** Estimates that are kept, the latest ones; a server sends those of 500 jobs with a status, and lists 1,000 jobs. */
export const ESTIMATES_LIMIT = 1_000;

/** What an estimate is looked up by, and checked against. */
export type EstimatedJob = Pick<Job, "jobId" | "state"> & Partial<Pick<Job, "estimate" | "startTime">>;

/**
 * Estimates of running jobs that came beside them: with statuses, and in lists of jobs that are not new.
 *
 * They are checked against the job only when somebody asks for one, so that an event costs nothing.
 */
export class JobEstimates {
  /** Undefined for a job that has none any more. The latest are at the end. */
  readonly #latest = new Map<string, Estimate | undefined>();

  get size(): number {
    return this.#latest.size;
  }

  set(jobId: string, estimate: Estimate | undefined): void {
    this.#latest.delete(jobId);
    this.#latest.set(jobId, estimate);
    if (this.#latest.size <= ESTIMATES_LIMIT) return;
    const [oldest] = this.#latest.keys();
    if (oldest !== undefined) this.#latest.delete(oldest);
  }

  /** The job is gone, or came with its own. */
  forget(jobId: string): void {
    this.#latest.delete(jobId);
  }

  clear(): void {
    this.#latest.clear();
  }

  /** The estimate of a job: the one that came last, or its own; undefined unless it runs, and if it is of an earlier attempt. */
  of(job: EstimatedJob): Estimate | undefined {
    const { jobId, state, startTime } = job;
    if (state !== JobState.RUNNING) return undefined;
    const estimate = this.#latest.has(jobId) ? this.#latest.get(jobId) : job.estimate;
    return estimate !== undefined && isOfAttempt(estimate, startTime) ? estimate : undefined;
  }
}
