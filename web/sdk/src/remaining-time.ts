import type { Timestamp } from "@bufbuild/protobuf/wkt";
import { type Estimate, type Job, JobState } from "./gen/milepost/v1/job_pb.js";
import { durationMs, timestampMs } from "./time.js";

/** What a running job still takes, as of now. */
export interface RemainingTime {
  /** Median in milliseconds, at least 0; undefined if the job is overdue. */
  readonly medianMs: number | undefined;
  /** At most so much in nine of ten cases, in milliseconds, at least 0; undefined if that is not known. */
  readonly mostMs: number | undefined;
  /**
   * Whether the job takes more than three times as long as each known run of its kind or, where its workload is larger, as that
   * run would have with it.
   */
  readonly overdue: boolean;
  /** What it rests on. */
  readonly estimate: Estimate;
}

/**
 * What a running job still takes, counted down since the estimate was made in this attempt; undefined without evidence.
 *
 * `now` is the server's time in milliseconds since 1970, by default that of this machine.
 */
export function remainingTime(job: Job, now: number = Date.now()): RemainingTime | undefined {
  const { estimate } = job;
  if (estimate === undefined || job.state !== JobState.RUNNING) {
    return undefined;
  }
  if (!isOfAttempt(estimate, job.startTime)) {
    return undefined;
  }
  const { remainingP50, remainingP90, asOf, overdue } = estimate;
  if (overdue) {
    return { medianMs: undefined, mostMs: undefined, overdue, estimate };
  }
  if (remainingP50 === undefined) {
    return undefined;
  }
  const since = asOf === undefined ? 0 : Math.max(now - timestampMs(asOf), 0);
  const left = (ms: number) => Math.max(ms - since, 0);
  return {
    medianMs: left(durationMs(remainingP50)),
    mostMs: remainingP90 && left(durationMs(remainingP90)),
    overdue,
    estimate,
  };
}

/** Whether an estimate was made in the attempt that began at `startTime`, and not in an earlier one. */
export function isOfAttempt({ asOf }: Estimate, startTime: Timestamp | undefined): boolean {
  return !asOf || !startTime || timestampMs(asOf) >= timestampMs(startTime);
}
