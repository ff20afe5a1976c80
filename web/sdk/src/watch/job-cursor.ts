import { create } from "@bufbuild/protobuf";
import { type MilepostError, ProtocolError } from "../errors.js";
import type { Event } from "../gen/milepost/v1/event_pb.js";
import { type Estimate, type Job, JobState } from "../gen/milepost/v1/job_pb.js";
import {
  type Opened,
  type Status,
  type Waiting,
  type WatchJobRequest,
  WatchJobRequestSchema,
  type WatchJobResponse,
} from "../gen/milepost/v1/job_service_pb.js";
import { hasEnded } from "../job-states.js";
import { type GapItem, WatchCursor } from "./watch-cursor.js";
import type { PayloadName, WatchOptions } from "./watch-options.js";

/** The next event of a job. */
export interface EventItem {
  readonly type: "event";
  readonly event: Event;
}

/** The current state of a job, which replaces all of its events up to `job.lastSequence`. */
export interface SnapshotItem {
  readonly type: "snapshot";
  readonly job: Job;
}

/** Payloads after which an earlier estimate does not hold any more. */
const STATE_CHANGES: ReadonlySet<string | undefined> = new Set<PayloadName>([
  "jobStarted",
  "attemptEnded",
  "cancelRequested",
  "jobEnded",
]);

/** What a watch of one job yields. */
export type JobItem = EventItem | SnapshotItem | GapItem;

/**
 * Cursor of a watch of one job: accepts the frames of successive streams, each event exactly once and in order.
 *
 * Events may be missing only if the caller filters them out or, in a log that the server thins, if later progress
 * supersedes them. Hidden events still advance the cursor, so that a resumed stream skips them.
 */
export class JobCursor extends WatchCursor<WatchJobResponse, JobItem> {
  /** Sequence of the last event that was accepted or hidden, or that a snapshot includes. */
  sequence: bigint;
  /** Whether `jobEnded`, or a snapshot of a job that has ended, was accepted. */
  ended = false;
  /** Estimated remaining time, from the last status or snapshot; undefined without evidence, and unless it runs. */
  estimate: Estimate | undefined;
  /** Why the job has not started, from the last status; undefined if unknown, or once it has started or ended. */
  waiting: Waiting | undefined;
  readonly #jobId: string;
  /** That of the current stream, which is the cursor's once the snapshot has come that the stream starts with. */
  #openedEpoch = "";
  /** Up to this sequence the server may have dropped progress that later progress supersedes. */
  #thinned = 0n;

  constructor(jobId: string, options: WatchOptions) {
    super(options);
    this.#jobId = jobId;
    this.sequence = options.after ?? 0n;
  }

  /** Start a new stream: return its request. A `finite` stream ends at the head. */
  request(finite: boolean): WatchJobRequest {
    return create(WatchJobRequestSchema, {
      jobId: this.#jobId,
      // A watch is complete at `jobEnded`, so the request includes it, and the cursor hides it again.
      filter: this.selection.filter("jobEnded"),
      ...this.newStream(finite, "afterSequence", this.sequence),
      ...(this.start === "snapshot" ? { epoch: "" } : {}), // of any
    });
  }

  override get resumeAfter(): bigint {
    return this.sequence;
  }

  override get complete(): boolean {
    return this.ended || super.complete;
  }

  override get hasLast(): boolean {
    return this.ended || super.hasLast;
  }

  /** Whether the state of the job may replace events that cannot be had. */
  get acceptsJobs(): boolean {
    return this.options.onGap !== "throw";
  }

  override accept(response: WatchJobResponse): readonly JobItem[] {
    const { frame } = response;
    if (frame.case === "opened") {
      this.#open(frame.value);
      return [];
    }
    this.checkOpened(frame.case);
    switch (frame.case) {
      case "events":
        return this.#acceptEvents(frame.value.events);
      case "snapshot":
        if (this.start !== "snapshot" || frame.value.job === undefined) {
          return [];
        }
        this.epoch = this.#openedEpoch;
        return this.#acceptSnapshot(frame.value.job);
      case "caughtUp":
        this.#advance(frame.value.sequence);
        this.caughtUp = this.reachedHead = true;
        return [];
      case "status":
        this.#acceptStatus(frame.value);
        return [];
      case undefined:
        return []; // a frame of a later version
    }
  }

  /** What a call says beyond the events: the estimate, and why the job has not started. */
  acceptPresent(job: Job | undefined, waiting: Waiting | undefined): void {
    this.estimate = job?.estimate;
    this.waiting = waiting;
  }

  /** The job that a call returned, if it is newer than the cursor. */
  acceptJob(job: Job): readonly JobItem[] {
    const isNew = this.start !== "after" || job.epoch !== this.epoch || job.lastSequence > this.sequence;
    // Where a snapshot is awaited, the gap before it was told.
    const restarted = this.start !== "snapshot" && this.epoch !== "" && job.epoch !== this.epoch;
    this.epoch = job.epoch;
    if (isNew || job.lastSequence === this.sequence) {
      this.hasCurrentState = this.caughtUp = true; // and not from a node that has yet to read so far
    }
    if (hasEnded(job)) {
      this.ended = this.caughtUp = true; // also where the cursor was at the end before
    }
    if (!isNew) {
      return [];
    }
    const items = this.#acceptSnapshot(job);
    const error = new ProtocolError("The store was replaced.");
    return restarted ? [{ type: "gap", why: "restarted", error }, ...items] : items;
  }

  override recover(error: MilepostError): readonly JobItem[] | undefined {
    const gap = this.gapInstead(error);
    if (gap === undefined || this.start === "snapshot") {
      return undefined; // no stream that starts with a snapshot has a gap
    }
    this.start = "snapshot";
    this.head = 0n;
    return [gap];
  }

  #open(opened: Opened): void {
    if (this.start === "after" && opened.cursor !== this.sequence) {
      throw new ProtocolError(`The stream opened after ${opened.cursor}, not after ${this.sequence}.`);
    }
    if (this.start === "latest") {
      this.start = "after";
      this.sequence = opened.cursor;
    }
    const before = this.epoch;
    this.noteOpened(opened);
    this.#openedEpoch = opened.epoch;
    if (this.start === "snapshot") {
      this.epoch = before;
    }
    this.#thinned = opened.thinnedSequence;
  }

  #acceptSnapshot(job: Job): readonly JobItem[] {
    this.start = "after";
    this.sequence = job.lastSequence;
    this.raiseHead(job.lastSequence);
    this.estimate = job.estimate;
    if (job.state !== JobState.QUEUED) {
      this.waiting = undefined;
    }
    if (hasEnded(job)) {
      this.ended = this.caughtUp = true;
    }
    return [{ type: "snapshot", job }];
  }

  #acceptEvents(events: readonly Event[]): readonly JobItem[] {
    const items: JobItem[] = [];
    for (const event of events) {
      if (this.ended) {
        throw new ProtocolError(`Event ${event.sequence} came after the end of the job.`);
      }
      if (this.start === "snapshot") {
        throw new ProtocolError("The stream sent events, but no snapshot.");
      }
      const { sequence } = event;
      if (sequence !== this.sequence + 1n && !this.#maySkipTo(sequence - 1n)) {
        throw new ProtocolError(`Event ${sequence} came after ${this.sequence}.`);
      }
      this.sequence = sequence;
      if (STATE_CHANGES.has(event.payload.case)) {
        this.estimate = undefined;
      }
      if (event.payload.case === "jobStarted" || event.payload.case === "jobEnded") {
        this.waiting = undefined;
      }
      if (event.payload.case === "jobEnded") {
        this.ended = this.caughtUp = true;
      }
      if (this.selection.includes(event)) {
        items.push({ type: "event", event });
      }
    }
    this.raiseHead(this.sequence);
    return items;
  }

  #acceptStatus(status: Status): void {
    this.#advance(status.cursor);
    this.raiseHead(status.headSequence);
    this.estimate = status.estimate;
    this.waiting = status.waiting;
    this.storeAway = status.storeAway;
  }

  /** Advance to a cursor up to which the server has sent or hidden every event. */
  #advance(cursor: bigint): void {
    if (cursor > this.sequence) {
      if (!this.#maySkipTo(cursor)) {
        throw new ProtocolError(`The stream stands at ${cursor}, but has sent only up to ${this.sequence}.`);
      }
      this.sequence = cursor;
    }
    this.raiseHead(cursor);
  }

  /** Whether all events after the cursor, up to another sequence, may be hidden or thinned out. */
  #maySkipTo(until: bigint): boolean {
    return this.sequence <= until && (this.selection.isFiltered || until <= this.#thinned);
  }
}
