import type { Filter, MilepostClient } from "../client.js";
import { Fold } from "../fold/index.js";
import type { Job } from "../gen/milepost/v1/job_pb.js";
import type { Connection } from "../watch/connection.js";
import type { JobsItem } from "../watch/jobs-cursor.js";
import type { JobsWatch } from "../watch/jobs-watch.js";
import { timestampMs } from "../time.js";
import { JOBS_STATUS_INTERVAL_MS } from "../watch/watch-options.js";
import { LiveStore, type LiveView } from "./live-store.js";

/** What is known of the jobs that match a filter. */
export interface JobsView extends LiveView {
  /** The jobs as they stand, the newest first. */
  readonly jobs: readonly Job[];
  /** Whether all of them are known: before that, jobs may be missing. */
  readonly caughtUp: boolean;
}

/** All jobs that match a filter as an external store of React. */
export class LiveJobs extends LiveStore<JobsItem, JobsView> {
  readonly #client: MilepostClient;
  readonly #filter: Filter;
  readonly #folds = new Map<string, Fold>();
  #watch: JobsWatch | undefined;

  constructor(client: MilepostClient, filter: Filter, shared: Map<string, unknown>, key: string) {
    super(shared, key);
    this.#client = client;
    this.#filter = filter;
  }

  protected override open(onConnection: (connection: Connection) => void): JobsWatch {
    this.#folds.clear();
    this.#watch = this.#client.watchJobs(this.#filter, {
      start: "snapshot",
      latestProgress: true,
      pauseWhenHidden: true,
      connectTimeoutMs: Infinity,
      statusIntervalMs: JOBS_STATUS_INTERVAL_MS,
      onConnection,
    });
    return this.#watch;
  }

  protected override fold(items: readonly JobsItem[]): void {
    for (const item of items) {
      switch (item.type) {
        case "snapshot":
          this.#keep(new Fold(item.job));
          break;
        case "event": {
          const fold = this.#folds.get(item.event.jobId) ?? new Fold();
          fold.apply(item.event);
          this.#keep(fold);
          break;
        }
        case "deleted":
          this.#folds.delete(item.jobId);
          break;
        case "gap":
          this.#folds.clear();
          break;
        case "trimmed":
          break;
      }
    }
  }

  protected override view(live: LiveView): JobsView {
    const jobs = Array.from(this.#folds.values(), ({ job }) => {
      const estimate = this.#watch?.estimateOf(job);
      return estimate === job.estimate ? job : { ...job, estimate };
    });
    jobs.sort((one, other) => submitTime(other) - submitTime(one));
    return { ...live, jobs, caughtUp: this.#watch?.caughtUp ?? false };
  }

  /** Keep a job while it matches: of what a filter compares, only the state of a job changes. */
  #keep(fold: Fold): void {
    const { job } = fold;
    const states = this.#filter.states ?? [];
    if (states.length === 0 || states.includes(job.state)) {
      this.#folds.set(job.jobId, fold);
    } else {
      this.#folds.delete(job.jobId);
    }
  }
}

function submitTime(job: Job): number {
  return job.submitTime === undefined ? 0 : timestampMs(job.submitTime);
}
