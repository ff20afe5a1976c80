/** The jobs of a page of which only the progress is shown: one stream for each hundred of them. */

import { Fold } from "../../fold/index.js";
import { FILTER_VALUES_LIMIT, JOB_ID } from "../../limits.js";
import type { JobsItem } from "../../watch/jobs-cursor.js";
import type { JobsWatch } from "../../watch/jobs-watch.js";
import { JOBS_STATUS_INTERVAL_MS } from "../../watch/watch-options.js";
import type { Job } from "../messages.js";
import { type ShownConnection, brokenBy, connectionOf } from "../model/connection-text.js";
import type { Instant } from "../model/instants.js";
import { hasEnded } from "../../job-states.js";
import { LISTED_PAYLOADS } from "./listed-events.js";
import { FrameScheduler } from "./frame-scheduler.js";
import { Listeners } from "./listeners.js";
import type { ServerConnection } from "./server-connection.js";
import { dropUnshown } from "./unshown-jobs.js";
import type { WatchedJob } from "./watched-job.js";

/** Jobs that no element shows any more, but which are kept: they are small. */
const UNSHOWN_LIMIT = 1000;

export class ProgressHub {
  readonly #jobs = new Map<string, HubJob>();
  readonly #frames = new FrameScheduler(() => {
    this.#regroup();
  });
  #stop = new AbortController();
  #watched = "";

  constructor(readonly server: ServerConnection) {}

  job(jobId: string): WatchedJob {
    let job = this.#jobs.get(jobId);
    if (!job) {
      dropUnshown(this.#jobs, UNSHOWN_LIMIT);
      job = new HubJob(this.server, jobId, this.#frames);
      this.#jobs.set(jobId, job);
    }
    return job;
  }

  /** Watch the jobs that have subscribers; elements that appear in the same frame share the streams. */
  #regroup(): void {
    const jobs = [...this.#jobs.values()].filter((job) => job.isWanted);
    const ids = jobs.map(({ jobId }) => jobId).sort();
    if (ids.join(" ") === this.#watched) return;
    this.#watched = ids.join(" ");
    this.#stop.abort();
    this.#stop = new AbortController();
    for (let start = 0; start < ids.length; start += FILTER_VALUES_LIMIT) {
      void this.#watch(ids.slice(start, start + FILTER_VALUES_LIMIT), this.#stop.signal);
    }
  }

  async #watch(jobIds: string[], signal: AbortSignal): Promise<void> {
    const jobs = jobIds.flatMap((jobId) => this.#jobs.get(jobId) ?? []);
    const watch = this.server.client.watchJobs(
      { jobIds },
      {
        start: "snapshot",
        latestProgress: true,
        payloads: LISTED_PAYLOADS,
        pauseWhenHidden: true,
        connectTimeoutMs: Infinity,
        statusIntervalMs: JOBS_STATUS_INTERVAL_MS,
        signal,
        onConnection: (connection) => {
          if (signal.aborted) return; // the jobs go on in another stream
          this.server.clock.set(watch.clockOffsetMs);
          const shown = connectionOf(connection, watch.clockOffsetMs);
          for (const job of jobs) job.connected(shown, watch.caughtUp);
        },
      },
    );
    try {
      for (const job of jobs) job.watch = watch;
      for await (const items of watch.batches()) {
        for (const item of items) {
          if (item.type === "gap") for (const job of jobs) job.isOutdated = true;
          else this.#accept(item);
        }
        // A batch without items has new estimates.
        if (items.length === 0) for (const job of jobs) job.changed();
      }
    } catch (error) {
      if (!signal.aborted)
        for (const job of jobs) job.connected(brokenBy(error, this.server.clock.now()), false);
    }
  }

  #accept(item: JobsItem): void {
    if (item.type === "snapshot") this.#jobs.get(item.job.jobId)?.accept(item);
    else if (item.type === "event") this.#jobs.get(item.event.jobId)?.accept(item);
    else if (item.type === "deleted") this.#jobs.get(item.jobId)?.accept(item);
  }
}

class HubJob implements WatchedJob {
  connection: ShownConnection;
  /** The stream that it comes from. */
  watch: JobsWatch | undefined;
  /** Whether its stream began again, and has yet to bring it: if it does not, there is no such job any more. */
  isOutdated = false;
  #fold: Fold | undefined;
  readonly #changes = new Listeners();
  readonly #notify = new FrameScheduler(() => {
    this.#changes.notify();
  });

  constructor(
    readonly server: ServerConnection,
    readonly jobId: string,
    /** Has the hub choose anew which jobs it watches. */
    readonly regroup: FrameScheduler,
  ) {
    this.connection = { state: this.#isPossible ? "connecting" : "missing", error: "" };
  }

  get job(): Job | undefined {
    const job = this.#fold?.job;
    return job && { ...job, estimate: this.watch?.estimateOf(job) };
  }

  get now(): Instant {
    return this.connection.staleSince ?? this.server.clock.now();
  }

  get isMoving(): boolean {
    return !this.job || !hasEnded(this.job);
  }

  get isShown(): boolean {
    return this.#changes.count > 0;
  }

  get isWanted(): boolean {
    return this.isShown && this.isMoving && this.#isPossible;
  }

  /** Whether there can be such a job. The server refuses a stream of many jobs for one id that can be none. */
  get #isPossible(): boolean {
    return JOB_ID.test(this.jobId);
  }

  subscribe(listener: () => void): () => void {
    const remove = this.#changes.add(listener);
    this.regroup.request();
    return () => {
      remove();
      this.regroup.request();
    };
  }

  accept(item: JobsItem): void {
    if (item.type === "snapshot") {
      this.#fold = new Fold(item.job);
      this.isOutdated = false;
    } else if (item.type === "event") this.#fold?.apply(item.event);
    else if (item.type === "deleted") this.connection = { state: "missing", error: "" };
    if (!this.isMoving) this.connection = { state: "ended", error: "" };
    this.#notify.request();
  }

  /** Note that the estimate may be a new one. */
  changed(): void {
    this.#notify.request();
  }

  connected(connection: ShownConnection, caughtUp: boolean): void {
    if (!this.isMoving) return;
    if (caughtUp && this.isOutdated) this.#fold = undefined;
    this.connection = caughtUp && !this.job ? { state: "missing", error: "" } : connection;
    this.#notify.request();
  }
}
