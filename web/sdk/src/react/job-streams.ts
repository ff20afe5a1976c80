import type { Timestamp } from "@bufbuild/protobuf/wkt";
import type { MilepostClient } from "../client.js";
import { type MilepostError, isTransient, toMilepostError } from "../errors.js";
import { type Estimate, type Job, JobState } from "../gen/milepost/v1/job_pb.js";
import type { Waiting } from "../gen/milepost/v1/job_service_pb.js";
import { hasEnded } from "../job-states.js";
import { FILTER_VALUES_LIMIT, JOB_ID } from "../limits.js";
import type { Connection } from "../watch/connection.js";
import type { JobItem } from "../watch/job-cursor.js";
import type { JobsItem } from "../watch/jobs-cursor.js";
import { whenShown } from "../watch/page.js";
import type { JobsWatch } from "../watch/jobs-watch.js";
import { JOBS_STATUS_INTERVAL_MS, type WatchOptions } from "../watch/watch-options.js";
import { JobLookups } from "./job-lookups.js";

/** Milliseconds before the server is asked again about a job that a stream lacks. */
const FIND_INTERVAL_MS = 2000;

const OPTIONS = {
  start: "snapshot",
  latestProgress: true,
  pauseWhenHidden: true,
  connectTimeoutMs: Infinity,
} as const satisfies WatchOptions;

/**
 * The streams for the jobs that the components of a page follow. One job has a watch of its own; several share one watch
 * of many jobs, since a page over HTTP/1.1 has one stream.
 */
export class JobStreams {
  readonly #client: MilepostClient;
  /** By job: usually one, and a second one where a store was unused for a while and is used again. */
  readonly #channels = new Map<string, readonly JobChannel[]>();
  readonly #lookups: JobLookups;
  /** The channels whose jobs the server is being asked about, since a stream lacks them. */
  readonly #sought = new Set<JobChannel>();
  #stop = new AbortController();
  #watched: ReadonlySet<string> = new Set();
  #isAsked = false;

  constructor(client: MilepostClient) {
    this.#client = client;
    this.#lookups = new JobLookups(
      client,
      () => [...this.#channels.keys()].filter((jobId) => this.#of(jobId).some(({ isQueued }) => isQueued)),
      ({ job, waiting }) => {
        for (const channel of this.#of(job.jobId)) channel.lookedUp(job, waiting);
      },
    );
  }

  /** Follow a job until the channel is closed. */
  open(jobId: string, onConnection: (connection: Connection) => void): JobChannel {
    const channel = new JobChannel(jobId, onConnection, () => {
      const others = this.#of(jobId).filter((other) => other !== channel);
      if (others.length > 0) this.#channels.set(jobId, others);
      else this.#channels.delete(jobId);
      this.#regroupSoon();
    });
    this.#channels.set(jobId, [...this.#of(jobId), channel]);
    this.#watched = new Set(); // a new stream begins with a snapshot, which the channel needs
    this.#regroupSoon();
    return channel;
  }

  /** The channels of a job. */
  #of(jobId: string): readonly JobChannel[] {
    return this.#channels.get(jobId) ?? [];
  }

  /** Channels that are opened in one task share a stream. */
  #regroupSoon(): void {
    if (this.#isAsked) return;
    this.#isAsked = true;
    setTimeout(() => {
      this.#isAsked = false;
      this.#regroup();
    });
  }

  #regroup(): void {
    const ids = [...this.#channels.keys()];
    // A stream with a few jobs too many goes on: another one would begin with the snapshots of all.
    if (ids.length * 2 > this.#watched.size && ids.every((id) => this.#watched.has(id))) return;
    this.#watched = new Set(ids);
    this.#stop.abort();
    this.#stop = new AbortController();
    this.#lookups.stop();
    const { signal } = this.#stop;
    const shared = ids.filter((id) => JOB_ID.test(id));
    // One that can be no id, such as an empty one, is refused by itself, and not with all others.
    const alone = shared.length === 1 ? ids : ids.filter((id) => !JOB_ID.test(id));
    for (const id of alone) void this.#watchOne(id, signal);
    if (shared.length > 1) {
      this.#lookups.start();
      for (let start = 0; start < shared.length; start += FILTER_VALUES_LIMIT) {
        void this.#watchMany(shared.slice(start, start + FILTER_VALUES_LIMIT), signal);
      }
    }
  }

  async #watchOne(jobId: string, signal: AbortSignal): Promise<void> {
    const watch = this.#client.watchJob(jobId, {
      ...OPTIONS,
      signal,
      onConnection: (connection) => {
        if (signal.aborted) return; // the job goes on in another stream
        for (const channel of this.#of(jobId)) channel.connected(connection);
      },
    });
    try {
      for await (const items of watch.batches()) {
        for (const channel of this.#of(jobId)) {
          channel.estimate = watch.estimate;
          channel.waiting = watch.waiting;
          await channel.push(items);
          if (signal.aborted) return; // the next channel has newer items from another stream
        }
      }
      if (!signal.aborted) for (const channel of this.#of(jobId)) channel.end();
    } catch (error) {
      if (!signal.aborted) for (const channel of this.#of(jobId)) channel.end(toMilepostError(error));
    }
  }

  async #watchMany(jobIds: readonly string[], signal: AbortSignal): Promise<void> {
    const channels = (): JobChannel[] => jobIds.flatMap((jobId) => this.#of(jobId));
    let known = 0;
    const watch = this.#client.watchJobs(
      { jobIds: [...jobIds] },
      {
        ...OPTIONS,
        statusIntervalMs: JOBS_STATUS_INTERVAL_MS,
        signal,
        onConnection: (connection) => {
          if (signal.aborted) return;
          for (const channel of channels()) channel.connected(connection);
          if (watch.caughtUp)
            for (const channel of channels()) if (!channel.isKnown) void this.#find(channel);
        },
      },
    );
    try {
      for await (const items of watch.batches()) {
        for (const [jobId, own] of byJob(items)) {
          for (const channel of this.#of(jobId)) {
            await channel.push(own);
            if (signal.aborted) return;
          }
        }
        if (watch.newEstimates !== known) for (const channel of channels()) channel.estimated(watch);
        known = watch.newEstimates;
        for (const item of items) {
          // All jobs that exist come again before the watch has caught up.
          if (item.type === "gap") for (const channel of channels()) channel.forget();
          if (item.type === "deleted") for (const channel of this.#of(item.jobId)) void this.#find(channel);
        }
      }
    } catch (error) {
      if (!signal.aborted) for (const channel of channels()) channel.end(toMilepostError(error));
    }
  }

  /** End the channel of a job that a watch of many jobs lacks, with the error that a watch of that job would have. */
  async #find(channel: JobChannel): Promise<void> {
    if (this.#sought.has(channel)) return;
    this.#sought.add(channel);
    while (!channel.isOver) {
      await whenShown();
      try {
        await this.#client.getJob(channel.jobId);
        break;
      } catch (thrown) {
        const error = toMilepostError(thrown);
        // A lost connection says nothing about the job, and the stream outlasts it, too.
        if (!isTransient(error, true)) channel.end(error);
        else await new Promise((resolve) => setTimeout(resolve, FIND_INTERVAL_MS));
      }
    }
    this.#sought.delete(channel);
  }
}

/** Hands the items of one job from a stream to one reader, which holds the stream back until it has taken them. */
export class JobChannel {
  waiting: Waiting | undefined;
  estimate: Estimate | undefined;
  readonly jobId: string;
  readonly #onConnection: (connection: Connection) => void;
  readonly #onClose: () => void;
  #state: JobState | undefined;
  /** When its attempt began. */
  #startTime: Timestamp | undefined;
  #connection: Connection | undefined;
  #items: JobItem[] | undefined = [];
  #error: MilepostError | undefined;
  #isOver = false;
  #wakeReader: () => void = () => undefined;
  #wakeWriter: () => void = () => undefined;

  constructor(jobId: string, onConnection: (connection: Connection) => void, onClose: () => void) {
    this.jobId = jobId;
    this.#onConnection = onConnection;
    this.#onClose = onClose;
  }

  /** Whether no more items come. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Whether a stream has brought the job. */
  get isKnown(): boolean {
    return this.#state !== undefined;
  }

  /** The watch of many jobs has a gap, after which it brings the jobs that exist again. */
  forget(): void {
    this.#state = this.estimate = this.waiting = undefined;
  }

  /** Whether the job is QUEUED: what it waits for has to be looked up, since no watch of many jobs says it. */
  get isQueued(): boolean {
    return this.#state === JobState.QUEUED;
  }

  /** Hand items to the reader; resolves once it has taken them. */
  async push(items: readonly JobItem[]): Promise<void> {
    if (this.#isOver) return;
    for (const item of items) this.#note(item);
    this.#items = [...(this.#items ?? []), ...items];
    this.#wakeReader();
    await new Promise<void>((resolve) => (this.#wakeWriter = resolve));
    if (this.#state !== undefined && hasEnded({ state: this.#state })) this.end();
  }

  /** Note how the stream is connected. */
  connected(connection: Connection): void {
    if (this.#isOver) return;
    this.#connection = connection;
    this.#onConnection(connection);
  }

  /** Note what a call says the job waits for. */
  lookedUp(job: Job, waiting: Waiting | undefined): void {
    if (this.#isOver || job.state !== this.#state) return; // the stream is ahead of the call, or behind it
    this.waiting = waiting;
    this.#wakeReader();
  }

  /** Take the estimate that a watch of many jobs has now. */
  estimated(watch: JobsWatch): void {
    if (this.#isOver || this.#state === undefined) return;
    const estimate = watch.estimateOf({
      jobId: this.jobId,
      state: this.#state,
      estimate: this.estimate,
      startTime: this.#startTime,
    });
    if (estimate === this.estimate) return;
    this.estimate = estimate;
    this.#wakeReader();
  }

  /** The job has ended, or cannot be followed. */
  end(error?: MilepostError): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#error = error;
    if (this.#connection) this.#onConnection({ ...this.#connection, state: "ended", error });
    this.#wakeReader();
    this.close();
  }

  /** The items received so far at a time. A batch without items says that something else is new, such as the estimate. */
  async *batches(): AsyncGenerator<readonly JobItem[], void, undefined> {
    for (;;) {
      const items = this.#take();
      if (items !== undefined) {
        yield items;
        this.#wakeWriter();
      } else if (this.#isOver) break;
      else {
        await new Promise<void>((resolve) => (this.#wakeReader = resolve));
        this.#items ??= [];
      }
    }
    if (this.#error !== undefined) throw this.#error;
  }

  /** Leave: the stream goes on for others. */
  close(): void {
    this.#isOver = true;
    this.#wakeReader();
    this.#wakeWriter();
    this.#onClose();
  }

  #take(): readonly JobItem[] | undefined {
    const items = this.#items;
    this.#items = undefined;
    return items;
  }

  #note(item: JobItem): void {
    if (item.type === "snapshot") {
      this.#state = item.job.state;
      this.#startTime = item.job.startTime;
      this.estimate = item.job.estimate ?? this.estimate;
      if (this.#state !== JobState.QUEUED) this.waiting = undefined;
    } else if (item.type === "event") {
      const { payload, time } = item.event;
      if (payload.case === "jobStarted") {
        this.#state = JobState.RUNNING;
        this.#startTime = time;
      } else if (payload.case === "attemptEnded") this.#state = JobState.QUEUED;
      else if (payload.case === "cancelRequested") this.#state = JobState.CANCELLING;
      else if (payload.case === "jobEnded") this.#state = payload.value.state;
      else return;
      this.estimate = this.waiting = undefined;
    }
  }
}

function byJob(items: readonly JobsItem[]): Map<string, JobItem[]> {
  const jobs = new Map<string, JobItem[]>();
  for (const item of items) {
    if (item.type !== "snapshot" && item.type !== "event") continue;
    const jobId = item.type === "snapshot" ? item.job.jobId : item.event.jobId;
    const own = jobs.get(jobId);
    if (own) own.push(item);
    else jobs.set(jobId, [item]);
  }
  return jobs;
}
