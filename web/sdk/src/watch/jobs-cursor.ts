import { create } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { type MilepostError, ProtocolError, ServiceError, hasReason } from "../errors.js";
import type { Job } from "../gen/milepost/v1/job_pb.js";
import {
  type Events,
  type JobFilter,
  type Opened,
  type Snapshot,
  type Status,
  type WatchJobsRequest,
  WatchJobsRequestSchema,
  type WatchJobsResponse,
} from "../gen/milepost/v1/job_service_pb.js";
import { Deduplicator } from "./deduplicator.js";
import type { JobItem } from "./job-cursor.js";
import { JobEstimates } from "./job-estimates.js";
import { WatchCursor } from "./watch-cursor.js";
import type { WatchOptions } from "./watch-options.js";

/** A job was deleted. */
export interface DeletedItem {
  readonly type: "deleted";
  readonly jobId: string;
}

/** The server dropped the older events of a job; whoever has them already is not concerned. */
export interface TrimmedItem {
  readonly type: "trimmed";
  readonly jobId: string;
  /** Sequence of the oldest event that is still kept; the head plus 1 if none is. */
  readonly firstSequence: bigint;
}

/**
 * What a watch of many jobs yields.
 *
 * After a gap all jobs that match come again, each as a snapshot: discard those that you have. Those that do not come
 * again before the watch has caught up no longer exist, or no longer match.
 */
export type JobsItem = JobItem | DeletedItem | TrimmedItem;

/**
 * Cursor of a watch of many jobs: accepts the frames of successive streams, each event exactly once, those of a job in
 * order.
 *
 * A stream resumes at a position, but does not always have one. It starts with the state of the jobs, or with all
 * events the server has although it dropped some; if it breaks before that is complete, the next one starts over. Also
 * the server sends a newly matching job in its current state, ahead of the stream's position, and does not know that
 * after a break. A `Deduplicator` therefore records the last sequence received of each such job.
 */
export class JobsCursor extends WatchCursor<WatchJobsResponse, JobsItem> {
  /** Which jobs; undefined for all. */
  readonly filter: JobFilter | undefined;
  /** Position up to which everything was accepted; undefined if a new stream would start over. */
  position: bigint | undefined;
  /** Listed jobs that were deleted or ceased to match while no stream was open; each goes to `acceptMissing`. */
  readonly missing: string[] = [];
  /** Estimates of running jobs. A job that is yielded has its own. */
  readonly estimates = new JobEstimates();
  /** How many statuses, and lists of calls, had estimates. */
  newEstimates = 0;
  readonly #deduplicator = new Deduplicator();
  /** Without a start position: the server has dropped events up to this one, so that no stream resumes before it. */
  #dropped = 0n;
  /** The highest position of any stream, and that of the current stream. */
  #highest: bigint;
  #streamPosition = 0n;
  /** The jobs of the current stream's initial list. */
  #listed = new Set<string>();

  constructor(filter: JobFilter | undefined, options: WatchOptions) {
    super(options);
    this.filter = filter;
    this.position = options.after === 0n ? undefined : options.after; // 0 is the beginning
    this.#highest = options.after ?? 0n;
  }

  /** Start a new stream: return its request. A `finite` stream ends at the head. */
  request(finite: boolean): WatchJobsRequest {
    this.#streamPosition = 0n;
    this.#listed.clear();
    return create(WatchJobsRequestSchema, {
      filter: this.filter,
      eventFilter: this.selection.filter(),
      ...this.newStream(finite, "afterPosition", this.position),
    });
  }

  override get resumeAfter(): bigint {
    return this.position ?? 0n;
  }

  override get hasLast(): boolean {
    return super.hasLast && this.missing.length === 0;
  }

  override accept(response: WatchJobsResponse): readonly JobsItem[] {
    const { frame } = response;
    if (frame.case === "opened") {
      return this.#open(frame.value);
    }
    this.checkOpened(frame.case);
    switch (frame.case) {
      case "events":
        return this.#acceptEvents(frame.value);
      case "snapshot":
        return this.#acceptSnapshot(frame.value);
      case "deleted": {
        const { jobId, position } = frame.value;
        const isNew = this.#advance(position);
        if (isNew) {
          this.#deduplicator.forget(jobId);
          this.estimates.forget(jobId);
        }
        return isNew ? [{ type: "deleted", jobId }] : [];
      }
      case "trimmed": {
        const { jobId, firstSequence, position } = frame.value;
        return this.#advance(position) ? [{ type: "trimmed", jobId, firstSequence }] : [];
      }
      case "caughtUp":
        this.#advance(frame.value.sequence);
        this.caughtUp = this.reachedHead = true;
        this.#deduplicator.expireAfter(frame.value.sequence);
        return [];
      case "status":
        this.#acceptStatus(frame.value);
        return [];
      case undefined:
        return []; // a frame of a later version
    }
  }

  override recover(error: MilepostError): readonly JobsItem[] | undefined {
    const listing = this.start === "snapshot" || (this.start === "after" && this.position === undefined);
    if (listing && hasReason(error, "SEQUENCE_TRIMMED")) {
      return []; // nothing is missing, since the next stream lists again
    }
    const gap = this.gapInstead(error);
    if (gap === undefined) {
      return undefined;
    }
    this.start = "snapshot";
    this.position = undefined;
    this.epoch = "";
    this.head = 0n;
    this.caughtUp = false;
    this.#highest = 0n;
    this.#deduplicator.clear();
    this.missing.length = 0;
    this.estimates.clear();
    return [gap];
  }

  /**
   * The jobs that a call listed, of which some are new. `complete`: these are all that match; `last`: the last of them.
   *
   * A stream that opens later lists them again.
   */
  acceptList(jobs: readonly Job[], complete: boolean, last = complete): readonly JobsItem[] {
    this.start = "snapshot";
    this.position = undefined;
    this.hasCurrentState ||= last;
    this.caughtUp = true;
    this.#deduplicator.retainAll(true);
    const listed = new Set(jobs.map(({ jobId }) => jobId));
    if (complete) {
      this.#miss(listed);
    }
    this.newEstimates += Number(jobs.some(({ estimate }) => estimate !== undefined));
    return jobs.flatMap((job) => this.#recordJob(job));
  }

  /** Whether the states of jobs may replace events that cannot be had. */
  get acceptsJobs(): boolean {
    return this.options.onGap !== "throw";
  }

  /** The items for a missing job, in its current state; undefined if it no longer exists. */
  acceptMissing(jobId: string, job: Job | undefined): readonly JobsItem[] {
    this.missing.splice(this.missing.indexOf(jobId), 1);
    const items: readonly JobsItem[] =
      job === undefined ? [{ type: "deleted", jobId }] : this.#recordJob(job);
    if (this.start === "snapshot" || job === undefined) {
      this.#deduplicator.forget(jobId); // it is not missed again in the next list
      this.estimates.forget(jobId);
    }
    return items;
  }

  #open(opened: Opened): readonly JobsItem[] {
    let items: readonly JobsItem[] = [];
    if (this.epoch !== "" && opened.epoch !== this.epoch && !this.#deduplicator.isEmpty) {
      const error = storeReplaced(this.epoch, opened.epoch);
      const recovered = this.recover(error);
      if (recovered === undefined) {
        throw error;
      }
      items = recovered;
    }
    if (this.start === "after") {
      if (opened.cursor !== this.resumeAfter) {
        throw new ProtocolError(`The stream opened after ${opened.cursor}, not after ${this.resumeAfter}.`);
      }
      if (this.position === 0n && opened.firstSequence > 1n) {
        throw droppedSinceStart(opened);
      }
      if (this.position === undefined) {
        this.#dropped = opened.firstSequence - 1n;
        this.#deduplicator.retainAll(this.#dropped > 0n);
      }
    } else if (this.start === "latest") {
      this.start = "after";
      this.position = opened.cursor;
    } else {
      this.#deduplicator.retainAll(true);
    }
    this.noteOpened(opened);
    return items;
  }

  #acceptEvents(frame: Events): readonly JobsItem[] {
    const events = this.#deduplicator.recordEvents(frame.events);
    this.#advance(frame.position);
    return events.map((event) => ({ type: "event", event }));
  }

  #acceptSnapshot({ job, position }: Snapshot): readonly JobsItem[] {
    if (job === undefined) {
      return [];
    }
    if (position > 0n) {
      this.#advance(position);
    } else {
      this.#listed.add(job.jobId);
    }
    return this.#recordJob(job);
  }

  /** The items for the current state of a job: none if it is known, but for its estimate. */
  #recordJob(job: Job): readonly JobsItem[] {
    if (this.#deduplicator.recordJob(job)) {
      this.estimates.forget(job.jobId);
      return [{ type: "snapshot", job }];
    }
    this.estimates.set(job.jobId, job.estimate);
    return [];
  }

  #acceptStatus(status: Status): void {
    this.#advance(status.cursor);
    this.raiseHead(status.headSequence);
    this.storeAway = status.storeAway;
    this.#deduplicator.expireAfter(status.cursor);
    this.newEstimates += Number(status.jobEstimates.length > 0);
    for (const { jobId, estimate } of status.jobEstimates) {
      this.estimates.set(jobId, estimate);
    }
  }

  /** Advance to a position up to which everything has been received; return whether it is new. */
  #advance(position: bigint): boolean {
    if (position < this.#streamPosition) {
      throw new ProtocolError(`The stream went back from ${this.#streamPosition} to ${position}.`);
    }
    this.#streamPosition = position;
    this.raiseHead(position);
    const isNew = position > this.#highest;
    if (isNew) {
      this.#highest = position;
    }
    if (this.start === "snapshot") {
      this.#endList();
      this.position = position;
    } else if (this.position !== undefined) {
      this.position = position > this.position ? position : this.position;
    } else if (position >= this.#dropped) {
      this.#deduplicator.retainAll(false);
      this.position = position;
    }
    this.#deduplicator.advance(position);
    return isNew;
  }

  /** End the initial list: jobs that an earlier stream listed, and this one did not, are missing. */
  #endList(): void {
    this.start = "after";
    this.#deduplicator.retainAll(false);
    this.#miss(this.#listed);
    this.#listed.clear();
  }

  /** The known jobs that a list has not are missing. */
  #miss(listed: ReadonlySet<string>): void {
    for (const jobId of this.#deduplicator.jobs) {
      if (!listed.has(jobId)) {
        this.missing.push(jobId);
      }
    }
  }
}

/** The error that the server returns for a position of another epoch, for a watch that starts with a list. */
function storeReplaced(requested: string, epoch: string): ServiceError {
  return new ServiceError("The store was replaced while the server listed the jobs.", {
    reason: "EPOCH_CHANGED",
    code: Code.FailedPrecondition,
    metadata: { requested, epoch },
  });
}

/** The error that the server returns for any dropped position but 0, where it starts with all events it has. */
function droppedSinceStart(opened: Opened): ServiceError {
  return new ServiceError(
    `The watch cannot go on after 0: the oldest position in the store is ${opened.firstSequence}.`,
    {
      reason: "SEQUENCE_TRIMMED",
      code: Code.OutOfRange,
      metadata: { requested: "0", first: `${opened.firstSequence}`, head: `${opened.headSequence}` },
    },
  );
}
