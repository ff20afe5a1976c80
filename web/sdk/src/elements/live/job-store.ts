/** A page's state of one job, kept up to date by one stream while there are subscribers. */

import { Fold } from "../../fold/index.js";
import { Unreachable, toMilepostError } from "../../errors.js";
import type { GetHistoryResponse } from "../../gen/milepost/v1/job_service_pb.js";
import type { PayloadName } from "../../watch/watch-options.js";
import type { JobItem } from "../../watch/job-cursor.js";
import { whenShown } from "../../watch/page.js";
import type { JobWatch } from "../../watch/job-watch.js";
import { JobState, type Event, type Job, type Waiting } from "../messages.js";
import { ATTEMPT_PAYLOADS, attemptsOf, type Attempt } from "../model/attempts.js";
import { type ShownConnection, brokenBy, connectionOf } from "../model/connection-text.js";
import type { Instant } from "../model/instants.js";
import { hasEnded } from "../../job-states.js";
import { hasUsual } from "../model/usual.js";
import { childInterval, listChildren } from "./child-list.js";
import { FrameQueue } from "./frame-queue.js";
import { JobLog } from "./job-log.js";
import { Listeners } from "./listeners.js";
import { Lookup } from "./lookup.js";
import { Retries } from "./retries.js";
import type { ServerConnection } from "./server-connection.js";
import { ticker } from "./ticker.js";
import type { WatchedJob } from "./watched-job.js";

/** Events of attempts that are kept at most; of later ones only the current attempt is then known. */
const ATTEMPT_EVENTS_LIMIT = 20_000;
/** Pages of the log that are loaded at first, where those before have no line; the reader asks for more. */
const FIRST_PAGES = 4;
/** Milliseconds between two look-ups of the queue; of what is usual; and of the children where the last one failed. */
const WAITING_INTERVAL_MS = 5000;
const USUAL_INTERVAL_MS = 30_000;
const ERROR_INTERVAL_MS = 5000;

const ATTEMPT_NAMES: ReadonlySet<string | undefined> = new Set<PayloadName>(ATTEMPT_PAYLOADS);

/** Gets the events of a job as they come. */
export interface EventReader {
  /** Begin with a snapshot, which is of another log than what came before, or goes on from there. */
  restart(job: Job): void;
  add(events: readonly Event[]): void;
}

export class JobStore implements WatchedJob {
  readonly log: JobLog;
  connection: ShownConnection = { state: "connecting", error: "" };
  children: readonly Job[] = [];
  hasMoreChildren = false;
  areChildrenLoaded = false;
  /** Why the children, or the earlier attempts, could not be loaded; empty if they could. */
  childrenError = "";
  attemptsError = "";
  /** What the latest runs of its kind took; undefined until it is known, and for whom it is not to be seen. */
  usual: GetHistoryResponse | undefined;
  #fold: Fold | undefined;
  /** The job of the fold, with the estimate that came beside its events. */
  #estimated: { readonly of: Job; readonly job: Job } | undefined;
  /** The job as a stream began with it. */
  #snapshot: Job | undefined;
  /** Those of its attempts: before the snapshot, once they are loaded, and after it. */
  #attemptEvents: Event[] = [];
  #epoch = "";
  /** Aborted once another snapshot comes: what is loaded for the one before is not of it. */
  #loading = new AbortController();
  /** Whether all was loaded that the snapshot does not have. */
  #isComplete = false;
  #attempts: readonly Attempt[] | undefined;
  #watch: JobWatch | undefined;
  #stop: AbortController | undefined;
  #untick: (() => void) | undefined;
  /** Why it was queued, in an attempt, after what the stream had said. */
  #lookedUp: { waiting?: Waiting | undefined; after?: Waiting | undefined; attempt?: number } = {};
  readonly #waitingLookup = new Lookup();
  readonly #childLookup = new Lookup();
  /** Whether the job has had an event of its children since they were looked up. */
  #hasChildNews = false;
  /** Of the events of its attempts before. */
  readonly #attemptRetries = new Retries();
  /** When what is usual may be asked for again, and whether the job had ended when it was asked for last. */
  #usualAfter = -Infinity;
  #isUsualOfEnd = false;
  readonly #readers = new Set<EventReader>();
  readonly #changes = new Listeners();
  readonly #frames = new FrameQueue<JobItem>((items) => {
    this.#apply(items);
  });

  constructor(
    readonly server: ServerConnection,
    readonly jobId: string,
  ) {
    this.log = new JobLog(server.client, jobId);
  }

  /** The current job; undefined until it is known. */
  get job(): Job | undefined {
    const job = this.#fold?.job;
    const estimate = this.#watch?.estimate;
    if (!job || estimate === job.estimate) return job;
    if (this.#estimated?.of !== job || this.#estimated.job.estimate !== estimate) {
      this.#estimated = { of: job, job: { ...job, estimate } };
    }
    return this.#estimated.job;
  }

  /** The server's time; it stands still while what is shown may be out of date. */
  get now(): Instant {
    return this.connection.staleSince ?? this.server.clock.now();
  }

  get epoch(): string {
    return this.#watch?.epoch ?? "";
  }

  /** Why it is queued: as the stream said last, or as was looked up since. */
  get waiting(): Waiting | undefined {
    const said = this.#watch?.waiting;
    const { job } = this;
    if (job?.state !== JobState.QUEUED) return undefined;
    const { waiting, after, attempt } = this.#lookedUp;
    return after === said && attempt === job.attempt ? waiting : said;
  }

  /** Whether the stream has reached the newest event, so that nothing is missing but what is to come. */
  get isCaughtUp(): boolean {
    return (this.#watch?.caughtUp ?? false) && this.#frames.isEmpty;
  }

  get isEnded(): boolean {
    return this.job !== undefined && hasEnded(this.job);
  }

  /** Whether what is shown changes with time. */
  get isMoving(): boolean {
    return !this.isEnded;
  }

  /** Whether an element shows it. */
  get isShown(): boolean {
    return this.#changes.count > 0;
  }

  get attempts(): readonly Attempt[] {
    if (this.job) this.#attempts ??= attemptsOf(this.job, this.#attemptEvents, this.#snapshot);
    return this.#attempts ?? [];
  }

  /** Subscribe to changes, at most once an animation frame. The stream is open while there are subscribers. */
  subscribe(listener: () => void): () => void {
    const remove = this.#changes.add(listener);
    this.#untick ??= ticker.add(this.#tick);
    void this.server.whoAmI().then(() => {
      this.#frames.request();
    });
    if (!this.#stop && !this.isEnded) {
      this.#stop = new AbortController();
      void this.#run(this.#stop.signal);
    }
    return () => {
      remove();
      if (this.#changes.count > 0) return;
      this.#stop?.abort();
      this.#stop = undefined;
      this.#untick?.();
      this.#untick = undefined;
    };
  }

  /** Let a reader have the events that come from here on, by the stream that is there; returns what ends that. */
  read(reader: EventReader): () => void {
    this.#readers.add(reader);
    if (this.job) reader.restart(this.job);
    return () => this.#readers.delete(reader);
  }

  /** Whether the caller may cancel the job; false until that is known. */
  get mayCancel(): boolean {
    return this.server.may("cancel");
  }

  async loadOlderLines(): Promise<void> {
    const loading = this.log.loadOlder();
    this.#frames.request();
    await loading;
    this.#frames.request();
  }

  async cancel(reason: string, graceSeconds: number): Promise<void> {
    await this.server.client.cancelJob(this.jobId, { reason, gracePeriodMs: graceSeconds * 1000 });
  }

  readonly #tick = (): void => {
    void this.#loadRelated();
    void this.#loadUsual();
    if (this.log.retries.areDue) void this.loadOlderLines();
    if (this.#attemptRetries.areDue && this.#snapshot)
      void this.#loadAttempts(this.#snapshot, this.#loading.signal);
  };

  async #run(signal: AbortSignal): Promise<void> {
    this.connection = { state: "connecting", error: "" };
    const watch = this.server.client.watchJob(this.jobId, {
      start: "snapshot",
      latestProgress: true,
      pauseWhenHidden: true,
      connectTimeoutMs: Infinity,
      signal,
      onConnection: (connection) => {
        if (signal.aborted) return; // its end is not that of the job
        this.server.clock.set(watch.clockOffsetMs);
        this.connection = connectionOf(connection, watch.clockOffsetMs);
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

  #apply(items: readonly JobItem[]): void {
    const events: Event[] = [];
    const { isEnded } = this;
    for (const item of items) {
      if (item.type === "snapshot") {
        events.length = 0; // it has those before it, or replaces them: they may be of another log
        this.#restart(item.job);
      } else if (item.type === "event") events.push(item.event);
    }
    for (const event of events) {
      this.#fold?.apply(event);
      if (ATTEMPT_NAMES.has(event.payload.case) && this.#attemptEvents.length < ATTEMPT_EVENTS_LIMIT)
        this.#attemptEvents.push(event);
      if (event.payload.case === "childrenProgressed") this.#hasChildNews = true;
    }
    if (this.isEnded && !isEnded) {
      this.#usualAfter = -Infinity;
      this.#childLookup.expire();
    }
    if (items.length > 0) this.#attempts = undefined;
    this.log.add(events);
    for (const reader of this.#readers) reader.add(events);
    this.#changes.notify();
    if (this.#hasChildNews) void this.#loadRelated();
  }

  #restart(job: Job): void {
    this.#fold = new Fold(job);
    this.#snapshot = job;
    this.#attemptEvents = [];
    this.#attemptRetries.succeeded();
    this.attemptsError = this.childrenError = "";
    this.#isComplete = false;
    this.#loading.abort();
    this.#loading = new AbortController();
    if (job.epoch !== this.#epoch) this.#forget();
    this.#epoch = job.epoch;
    this.log.restart(job);
    for (const reader of this.#readers) reader.restart(job);
    void this.#loadRest(job, this.#loading.signal);
  }

  /** What was looked up is of another job, or of one in another store. */
  #forget(): void {
    this.children = [];
    this.hasMoreChildren = this.areChildrenLoaded = false;
    this.usual = undefined;
    this.#usualAfter = -Infinity;
    this.#isUsualOfEnd = false;
    this.#lookedUp = {};
  }

  /** What the snapshot does not have: the newest lines of the log, then the earlier attempts, then the children. */
  async #loadRest(job: Job, signal: AbortSignal): Promise<void> {
    await this.loadOlderLines();
    // The newest events of a job may all be of its stages.
    for (let page = 1; page < FIRST_PAGES && this.log.isBlank && !signal.aborted; page++)
      await this.loadOlderLines();
    // A job that waits for its next attempt does not say when the last one ended.
    if (job.attempt > 1 || (job.attempt === 1 && job.state === JobState.QUEUED))
      await this.#loadAttempts(job, signal);
    if (signal.aborted) return; // another snapshot came, and all of this again
    this.#isComplete = true;
    this.#waitingLookup.expire();
    this.#childLookup.expire();
    await this.#loadRelated();
    await this.#loadUsual();
  }

  /** Ask what is usual: again while there are too few runs to say, and once the job has ended. */
  async #loadUsual(): Promise<void> {
    const { job } = this;
    const { signal } = this.#loading;
    if (!job || !this.#isComplete || performance.now() < this.#usualAfter) return;
    const ended = hasEnded(job);
    if (ended ? this.#isUsualOfEnd : hasUsual(this.usual)) return;
    this.#usualAfter = performance.now() + USUAL_INTERVAL_MS;
    await this.server.whoAmI();
    await whenShown();
    if (signal.aborted || !this.server.may("see history")) return;
    try {
      const usual = await this.server.client.getHistory(job.kind, { owner: job.owner, signal });
      if (this.#loading.signal !== signal) return;
      this.usual = usual;
      this.#isUsualOfEnd = ended;
      this.#frames.request();
    } catch (error) {
      this.server.note(error, "see history");
    }
  }

  async #loadAttempts({ lastSequence: end, firstSequence, epoch }: Job, signal: AbortSignal): Promise<void> {
    const events: Event[] = [];
    const watch = this.server.client.watchJob(this.jobId, {
      after: firstSequence > 0n ? firstSequence - 1n : 0n,
      epoch,
      onGap: "throw",
      payloads: ATTEMPT_PAYLOADS,
      follow: false,
      pauseWhenHidden: true,
      connectTimeoutMs: Infinity, // the stream of the job itself waits, too
      signal,
    });
    try {
      this.#attemptRetries.begun();
      for await (const item of watch) {
        if (item.type === "event" && item.event.sequence <= end) events.push(item.event);
        if (watch.sequence >= end || events.length >= ATTEMPT_EVENTS_LIMIT) break;
      }
      // A node that has yet to read so far ends a stream at its own head.
      if (watch.sequence < end && events.length < ATTEMPT_EVENTS_LIMIT)
        throw new Unreachable(`no more than event ${watch.sequence} of ${end} came`);
      this.#attemptRetries.succeeded();
    } catch (error) {
      if (signal.aborted) return;
      this.#attemptRetries.failed(error);
      this.attemptsError = toMilepostError(error).message;
      this.#frames.request();
      return; // the attempts before are not shown until then
    }
    if (signal.aborted) return;
    this.attemptsError = "";
    this.#attemptEvents = [...events, ...this.#attemptEvents.filter((event) => event.sequence > end)];
    this.#attempts = undefined;
    this.#frames.request();
  }

  /** Why it is queued, and the children: both change without events of this job, so that they are looked up. */
  async #loadRelated(): Promise<void> {
    if (!this.job || !this.#isComplete) return;
    await Promise.all([this.#loadWaiting(this.job), this.#loadChildren(this.job)]);
  }

  async #loadWaiting({ state, attempt }: Job): Promise<void> {
    if (state !== JobState.QUEUED) return;
    await this.#waitingLookup.every(WAITING_INTERVAL_MS, async () => {
      const { signal } = this.#loading;
      await whenShown();
      const after = this.#watch?.waiting;
      try {
        const waiting = await this.server.client.getWaiting(this.jobId, { signal });
        if (!signal.aborted) this.#lookedUp = { waiting, after, attempt };
      } catch {
        // What the stream said last is shown on, and the next look-up tries again.
      }
      this.#frames.request();
    });
  }

  async #loadChildren(job: Job): Promise<void> {
    const interval = childInterval(job, this.children, this.#hasChildNews);
    await this.#childLookup.every(
      Math.max(interval, this.childrenError ? ERROR_INTERVAL_MS : 0),
      async () => {
        const { signal } = this.#loading;
        await whenShown();
        this.#hasChildNews = false; // what comes from here on may not be in the answer
        try {
          const { jobs, hasMore } = await listChildren(this.server.client, this.jobId, signal);
          if (signal.aborted) return;
          [this.children, this.hasMoreChildren, this.childrenError] = [jobs, hasMore, ""];
          this.areChildrenLoaded = true;
        } catch (error) {
          // The next look-up tries again.
          if (!signal.aborted) this.childrenError = toMilepostError(error).message;
        }
        this.#frames.request();
      },
    );
  }
}
