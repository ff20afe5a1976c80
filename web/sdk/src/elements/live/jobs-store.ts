/** The jobs that match a filter, kept up to date by one stream while there are subscribers. */

import { Fold } from "../../fold/index.js";
import { FILTER_VALUES_LIMIT } from "../../limits.js";
import type { JobsItem } from "../../watch/jobs-cursor.js";
import type { JobsWatch } from "../../watch/jobs-watch.js";
import { whenShown } from "../../watch/page.js";
import { JOBS_STATUS_INTERVAL_MS } from "../../watch/watch-options.js";
import type { Job, JobState, Waiting } from "../messages.js";
import { type ShownConnection, brokenBy, connectionOf } from "../model/connection-text.js";
import type { Instant } from "../model/instants.js";
import { type Group, type ListFilter, labelPairs } from "../model/job-list.js";
import { isNewer, withoutDetails } from "../model/listed-job.js";
import { FINAL_STATES, hasEnded } from "../../job-states.js";
import { JobState as States } from "../messages.js";
import { FrameQueue } from "./frame-queue.js";
import { LISTED_PAYLOADS } from "./listed-events.js";
import { Listeners } from "./listeners.js";
import { Retries } from "./retries.js";
import type { ServerConnection } from "./server-connection.js";
import { ticker } from "./ticker.js";

/** Jobs of one call. */
const PAGE_SIZE = 500;
/** Jobs that are kept at most: those that have not ended, and those that have, of which the oldest are dropped. */
const ACTIVE_LIMIT = 20_000;
const ENDED_LIMIT = 20_000;

/** Milliseconds between two look-ups of what jobs wait for; and where some are new, as after the list was scrolled. */
const LOOKUP_INTERVAL_MS = 5000;
const NEW_LOOKUP_INTERVAL_MS = 500;

const ACTIVE: readonly JobState[] = [States.RUNNING, States.CANCELLING];

/** Jobs in some states that are loaded page by page. */
interface Part {
  readonly states: readonly JobState[];
  jobs: AsyncGenerator<Job, void, undefined>;
  complete: boolean;
}

export class JobsStore {
  connection: ShownConnection = { state: "connecting", error: "" };
  /** Changes whenever the order or the number of the jobs may have. */
  version = 0;
  isLoading = true;
  /** Why the last page could not be loaded; empty if it could. */
  error = "";
  #watch: JobsWatch | undefined;
  readonly #folds = new Map<string, Fold>();
  readonly #ended = new Map<string, Job>();
  readonly #changes = new Listeners();
  readonly #frames = new FrameQueue<JobsItem>((items) => {
    this.#apply(items);
  });
  #parts: Part[] = [];
  readonly #retries = new Retries();
  #untick = (): void => undefined;
  #stop: AbortController | undefined;
  #missing = new Set<string>();
  /** What the queued jobs that were looked up last wait for; undefined for those that no longer did. */
  #waiting: ReadonlyMap<string, Waiting | undefined> = new Map();
  #lookUpAfter = -Infinity;
  #newAfter = -Infinity;
  /** Aborted once the list begins again, or nobody is subscribed: answers that come later do not count. */
  #listing = new AbortController();
  /** The jobs that have come in since the list began; undefined once it is complete. Others may be gone. */
  #seen: Set<string> | undefined;
  /** Whether there was no room for a job that has not ended. */
  #isFull = false;

  constructor(
    readonly server: ServerConnection,
    readonly filter: ListFilter,
  ) {}

  /** Whether this store also has the jobs of another filter: the page filters by states and by search itself. */
  covers({ kind, owner, labels }: ListFilter): boolean {
    return (
      kind === this.filter.kind && owner === this.filter.owner && labels.join() === this.filter.labels.join()
    );
  }

  get now(): Instant {
    return this.connection.staleSince ?? this.server.clock.now();
  }

  *all(): Generator<Job> {
    for (const fold of this.#folds.values()) yield fold.job;
    yield* this.#ended.values();
  }

  get(jobId: string): Job | undefined {
    const job = this.#folds.get(jobId)?.job;
    if (!job) return this.#ended.get(jobId);
    const estimate = this.#watch?.estimateOf(job);
    return estimate === job.estimate ? job : { ...job, estimate };
  }

  /** What a queued job waits for; undefined if it was not looked up. */
  waitingOf(jobId: string): Waiting | undefined {
    return this.#waiting.get(jobId);
  }

  /** Look up what the queued jobs in sight wait for, all in one call, once in a while. No event says it. */
  async lookUpWaiting(jobIds: readonly string[]): Promise<void> {
    const ids = jobIds.slice(0, FILTER_VALUES_LIMIT);
    const hasNew = ids.some((id) => !this.#waiting.has(id));
    if (ids.length === 0 || performance.now() < (hasNew ? this.#newAfter : this.#lookUpAfter)) return;
    this.#newAfter = Infinity; // until it is answered
    this.#lookUpAfter = Infinity;
    let isKnown = false;
    try {
      await whenShown();
      const found = await this.server.client.getWaitingOf(ids);
      this.#waiting = new Map(ids.map((id) => [id, found.get(id)]));
      isKnown = true;
    } catch {
      // The next look-up tries again.
    }
    const now = performance.now();
    this.#lookUpAfter = now + LOOKUP_INTERVAL_MS;
    this.#newAfter = now + (isKnown ? NEW_LOOKUP_INTERVAL_MS : LOOKUP_INTERVAL_MS);
    this.#frames.request();
  }

  /** Whether all jobs in this state are loaded. */
  isComplete(state: JobState): boolean {
    return !this.#isFull && this.#parts.some((part) => part.complete && part.states.includes(state));
  }

  isGroupComplete(group: Group): boolean {
    const states: Record<Group, JobState> = {
      running: States.RUNNING,
      waiting: States.QUEUED,
      "ended today": States.SUCCEEDED,
      "ended before": States.SUCCEEDED,
    };
    return this.isComplete(states[group]);
  }

  /** Whether there is a job of this id. */
  async exists(jobId: string): Promise<boolean> {
    try {
      return (await this.server.client.getJob(jobId)).jobId === jobId;
    } catch {
      return false;
    }
  }

  /** Subscribe to changes, at most once an animation frame. The stream is open while there are subscribers. */
  subscribe(listener: () => void): () => void {
    const remove = this.#changes.add(listener);
    if (!this.#stop) {
      this.#stop = new AbortController();
      this.#untick = ticker.add(() => {
        if (this.#retries.areDue && this.#isConnected) this.retry();
      });
      void this.#run(this.#stop.signal);
    }
    return () => {
      remove();
      if (this.#changes.count > 0) return;
      this.#stop?.abort();
      this.#stop = undefined;
      this.#untick();
      this.#listing.abort();
    };
  }

  /**
   * Load another page of what is not complete: first what runs, then what waits, then what has ended.
   *
   * Lists call this whenever they are drawn with their end in sight, so after an error it does nothing until `retry`.
   */
  loadMore(): void {
    if (!this.isLoading && !this.error && this.#ended.size < ENDED_LIMIT) void this.#loadPage();
  }

  /** Load what could not be loaded. The store does so itself once its stream is connected again, and after a while. */
  retry(): void {
    if (this.error && !this.isLoading) void this.#load(this.#listing.signal);
  }

  get #isConnected(): boolean {
    return this.connection.state === "live" || this.connection.state === "polling";
  }

  get #serverFilter() {
    const { kind, owner, labels } = this.filter;
    return { kinds: kind ? [kind] : [], owner, labels: labelPairs(labels) };
  }

  async #run(signal: AbortSignal): Promise<void> {
    this.#beginList();
    this.connection = { state: "connecting", error: "" };
    const watch = this.server.client.watchJobs(this.#serverFilter, {
      start: "latest",
      latestProgress: true,
      payloads: LISTED_PAYLOADS,
      pauseWhenHidden: true,
      connectTimeoutMs: Infinity,
      statusIntervalMs: JOBS_STATUS_INTERVAL_MS,
      signal,
      onConnection: (connection) => {
        if (signal.aborted) return; // the list has not ended with this stream
        this.server.clock.set(watch.clockOffsetMs);
        this.connection = connectionOf(connection, watch.clockOffsetMs);
        this.#loadOnceCaughtUp();
        if (this.#isConnected) this.retry();
        this.#frames.request();
      },
    });
    this.#watch = watch;
    try {
      for await (const items of watch.batches()) await this.#frames.add(items);
    } catch (error) {
      if (signal.aborted) return;
      this.connection = brokenBy(error, this.server.clock.now());
      this.#frames.request();
    }
  }

  /** Nothing is listed yet, and nothing that is under way counts. */
  #beginList(): void {
    this.#listing.abort();
    this.#listing = new AbortController();
    this.#parts = [];
    this.#seen = new Set();
    this.#isFull = false;
    this.isLoading = true;
    this.error = "";
  }

  /** Only then, so that no job is missed that comes between the list and the stream. */
  #loadOnceCaughtUp(): void {
    if (!this.#watch?.caughtUp || this.#parts.length > 0) return;
    this.#parts = [ACTIVE, [States.QUEUED], FINAL_STATES].map((states) => ({
      states,
      jobs: this.#list(states),
      complete: false,
    }));
    void this.#load(this.#listing.signal);
  }

  async #load(signal: AbortSignal): Promise<void> {
    // What runs and what waits is loaded whole; of what has ended the first page.
    const unended = this.#parts.slice(0, 2);
    do await this.#loadPage();
    while (!signal.aborted && !this.error && !this.#isFull && unended.some(({ complete }) => !complete));
    if (!signal.aborted && !this.error) await this.#loadPage();
    if (signal.aborted || this.error) return; // what is seen until a retry counts, too
    if (!this.#isFull) this.#dropUnseen();
    this.#seen = undefined;
  }

  /** Drop the jobs that were deleted, or ended long ago, while nobody was subscribed. */
  #dropUnseen(): void {
    const seen = this.#seen;
    if (!seen) return; // all was listed before; a later page was tried again
    for (const jobs of [this.#folds, this.#ended])
      for (const jobId of jobs.keys()) if (!seen.has(jobId)) jobs.delete(jobId);
    this.version += 1;
    this.#frames.request();
  }

  #list(states: readonly JobState[]): AsyncGenerator<Job, void, undefined> {
    return this.server.client.listJobs(
      { ...this.#serverFilter, states: [...states] },
      { pageSize: PAGE_SIZE, signal: this.#listing.signal },
    );
  }

  async #loadPage(): Promise<void> {
    const part = this.#parts.find(({ complete }) => !complete);
    if (!part) return;
    const { signal } = this.#listing;
    this.isLoading = true;
    this.error = "";
    this.#retries.begun();
    try {
      for (let number = 0; number < PAGE_SIZE; number++) {
        await whenShown(); // the next job may be of another page
        const next = await part.jobs.next();
        if (signal.aborted) return;
        if (next.done) {
          part.complete = true;
          break;
        }
        this.#put(next.value);
      }
      this.#retries.succeeded();
    } catch (error) {
      if (signal.aborted) return;
      this.#retries.failed(error);
      this.error = error instanceof Error ? error.message : String(error);
      part.jobs = this.#list(part.states); // from its beginning: what is known already changes nothing
    }
    this.isLoading = false;
    this.version += 1;
    this.#frames.request();
  }

  /** Note a job as a call or a snapshot has it, unless a newer state of it is known. */
  #put(job: Job): void {
    this.#seen?.add(job.jobId);
    const known = this.get(job.jobId);
    if (known && !isNewer(job, known)) return;
    this.#folds.delete(job.jobId);
    this.#ended.delete(job.jobId);
    if (hasEnded(job)) this.#putEnded(job);
    else this.#putActive(job.jobId, new Fold(job));
  }

  #putActive(jobId: string, fold: Fold): void {
    if (this.#folds.size < ACTIVE_LIMIT) this.#folds.set(jobId, fold);
    else this.#isFull = true;
  }

  #putEnded(job: Job): void {
    this.#ended.set(job.jobId, withoutDetails(job));
    if (this.#ended.size <= ENDED_LIMIT) return;
    const [oldest] = this.#ended.keys();
    if (oldest !== undefined) this.#ended.delete(oldest);
  }

  #apply(items: readonly JobsItem[]): void {
    for (const item of items) {
      if (item.type === "snapshot") {
        this.#put(item.job);
        this.version += 1;
      } else if (item.type === "deleted") {
        this.#folds.delete(item.jobId);
        this.#ended.delete(item.jobId);
        this.version += 1;
      } else if (item.type === "gap") {
        this.#folds.clear();
        this.#ended.clear();
        this.#beginList(); // what is under way is of before
        this.#loadOnceCaughtUp();
        this.version += 1;
      } else if (item.type === "event") {
        this.#applyEvent(item.event.jobId, item);
      }
    }
    this.#changes.notify();
  }

  #applyEvent(jobId: string, { event }: Extract<JobsItem, { type: "event" }>): void {
    this.#seen?.add(jobId);
    if (event.payload.case === "jobSubmitted" && !this.get(jobId)) {
      const fold = new Fold();
      fold.apply(event);
      this.#putActive(jobId, fold);
      this.version += 1;
      return;
    }
    const fold = this.#folds.get(jobId);
    if (!fold) {
      if (!this.#ended.has(jobId)) void this.#fetch(jobId);
      return;
    }
    const { state } = fold.job;
    fold.apply(event);
    const { job } = fold;
    if (job.state !== state) this.version += 1;
    if (hasEnded(job)) {
      this.#folds.delete(jobId);
      this.#putEnded(job);
    }
  }

  /** Get a job that has changed and was not loaded. */
  async #fetch(jobId: string): Promise<void> {
    if (this.#missing.has(jobId)) return;
    this.#missing.add(jobId);
    const { signal } = this.#listing;
    await whenShown();
    try {
      const job = await this.server.client.getJob(jobId);
      if (signal.aborted) return; // it may be of before the log restarted
      this.#put(job);
      this.version += 1;
      this.#frames.request();
    } catch {
      // It was deleted meanwhile, or its next event tries again.
    } finally {
      this.#missing.delete(jobId);
    }
  }
}
