import { hasReason } from "../errors.js";
import { PAGE_SIZE_LIMIT } from "../limits.js";
import type { Estimate, Job } from "../gen/milepost/v1/job_pb.js";
import type { JobFilter, WatchJobsResponse } from "../gen/milepost/v1/job_service_pb.js";
import type { EstimatedJob } from "./job-estimates.js";
import { JobsCursor, type JobsItem } from "./jobs-cursor.js";
import { ReconnectingStream } from "./reconnecting-stream.js";
import type { WatchContext } from "./watch-context.js";
import type { WatchOptions } from "./watch-options.js";

/** The events of all jobs that match a filter, in one stream: each exactly once, and those of each job in order. */
export class JobsWatch extends ReconnectingStream<WatchJobsResponse, JobsItem> {
  declare protected readonly cursor: JobsCursor;
  #yielded: bigint | undefined;
  #hasUnread = false;
  #knownEstimates = 0;
  /** Of the list that calls go on with, where the watch does not follow; else each begins with the newest jobs. */
  #pageToken = "";

  constructor(context: WatchContext, filter: JobFilter | undefined, options: WatchOptions) {
    const cursor = new JobsCursor(filter, options);
    super(context, cursor, options);
    this.#yielded = cursor.position;
  }

  /**
   * The position at which another watch can go on; undefined if it would start over.
   *
   * Events that came together share a position. A watch that is left within them is at the position before, so that
   * some of them repeat in the watch that goes on there; `batches` avoids this.
   */
  get position(): bigint | undefined {
    return this.#hasUnread ? this.#yielded : this.cursor.position;
  }

  /**
   * Estimated remaining time of a job of the watch, as its statuses and snapshots said last, or as the job itself has it;
   * undefined without evidence, and unless it runs.
   *
   * New ones come at most once in each `statusIntervalMs`, those of the newest 500 jobs that run.
   */
  estimateOf(job: EstimatedJob): Estimate | undefined {
    return this.cursor.estimates.of(job);
  }

  /** @internal How often new estimates have come. They may come together with items, where calls list the jobs. */
  get newEstimates(): number {
    return this.cursor.newEstimates;
  }

  protected override isNews(): boolean {
    const isNews = this.newEstimates !== this.#knownEstimates;
    this.#knownEstimates = this.newEstimates;
    return isNews;
  }

  protected override open(finite: boolean, headers: Record<string, string>, signal: AbortSignal) {
    return this.context.calls.service.watchJobs(this.cursor.request(finite), { headers, signal });
  }

  protected override async ask(timeoutMs: number): Promise<() => readonly JobsItem[] | undefined> {
    const { calls } = this.context;
    const request = { filter: this.cursor.filter, pageSize: PAGE_SIZE_LIMIT, pageToken: this.#pageToken };
    const { jobs, nextPageToken } = await calls.call((options) => calls.service.listJobs(request, options), {
      timeoutMs,
      signal: this.closing,
    });
    return () => {
      if (!this.cursor.acceptsJobs) return undefined;
      if (!this.cursor.follows) this.#pageToken = nextPageToken;
      const isLast = nextPageToken === "";
      return this.cursor.acceptList(jobs, isLast && request.pageToken === "", isLast);
    };
  }

  protected override async fetchMissing(): Promise<readonly JobsItem[]> {
    for (
      let jobId = this.cursor.missing[0];
      jobId !== undefined && !this.isPaused;
      jobId = this.cursor.missing[0]
    ) {
      const items = this.cursor.acceptMissing(jobId, await this.#getJob(jobId));
      if (items.length > 0) {
        return items;
      }
    }
    return [];
  }

  protected override onYield(_: JobsItem, last: boolean): void {
    this.#hasUnread = !last;
    if (last) {
      this.#yielded = this.cursor.position;
    }
  }

  async #getJob(jobId: string): Promise<Job | undefined> {
    const { calls } = this.context;
    try {
      const { job } = await calls.call((options) => calls.service.getJob({ jobId }, options), {
        signal: this.closing,
      });
      return job;
    } catch (error) {
      if (hasReason(error, "JOB_NOT_FOUND")) {
        return undefined;
      }
      throw error;
    }
  }
}
