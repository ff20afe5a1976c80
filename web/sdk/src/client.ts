import { type MessageInitShape, create } from "@bufbuild/protobuf";
import type { Timestamp } from "@bufbuild/protobuf/wkt";
import type { Transport } from "@connectrpc/connect";
import { type CallOptions, Calls } from "./calls.js";
import { ProtocolError } from "./errors.js";
import type { ConnectedWorker } from "./gen/milepost/v1/admin_service_pb.js";
import type { Job } from "./gen/milepost/v1/job_pb.js";
import {
  type JobFilter,
  JobFilterSchema,
  type SubmitJobRequestSchema,
  type GetHistoryResponse,
  type ListJobsResponse,
  type Waiting,
  type WhoAmIResponse,
} from "./gen/milepost/v1/job_service_pb.js";
import { PAGE_SIZE_LIMIT } from "./limits.js";
import { randomId } from "./random-id.js";
import { toDuration } from "./time.js";
import { type Token, TokenSource } from "./token.js";
import { JobFollower } from "./watch/job-follower.js";
import { JobWatch } from "./watch/job-watch.js";
import { JobsWatch } from "./watch/jobs-watch.js";
import type { WatchContext } from "./watch/watch-context.js";
import { type StreamSlots, UNLIMITED_SLOTS } from "./watch/stream-slots.js";
import type { WatchOptions } from "./watch/watch-options.js";
import { WATCH_TIMING, type WatchTiming } from "./watch/watch-timing.js";

/** A filter of jobs: all conditions that are set must hold. */
export type Filter = MessageInitShape<typeof JobFilterSchema>;

/** A submission: `kind`, and whatever else `SubmitJobRequest` has. */
export type Submission = MessageInitShape<typeof SubmitJobRequestSchema>;

/** Options of a client that do not depend on how it is connected. */
export interface ClientOptions {
  /** The bearer token, or a function that returns one: on first use, and again once the server refuses it. */
  readonly token?: Token;
  /** Timeout of each call in milliseconds; by default 30,000, `Infinity` for none. */
  readonly timeoutMs?: number;
  /** Waits and timeouts of watches that differ from the defaults. */
  readonly timing?: Partial<WatchTiming>;
}

/** How a client is connected, which depends on where it runs. */
export interface ConnectionParts {
  readonly transport: Transport;
  readonly slots?: StreamSlots;
  /** See `WatchContext`; without it each stream has a connection of its own. */
  readonly holdConnection?: () => () => void;
}

/** Options of `listJobs`. */
export interface ListOptions extends CallOptions {
  /** Jobs in one response, at most 1,000; by default 50. */
  readonly pageSize?: number;
  /** `"submit_time desc"` (default: newest first) or `"submit_time"`. */
  readonly orderBy?: "submit_time desc" | "submit_time";
}

/** Options of `cancelJob`. */
export interface CancelOptions extends CallOptions {
  /** Why, for people; at most 4,096 characters. */
  readonly reason?: string;
  /** Milliseconds for the worker to stop before the job is CANCELLED without it; by default 30,000. */
  readonly gracePeriodMs?: number;
}

/** Options of `shareJob`. */
export interface ShareOptions extends CallOptions {
  /** Lifetime of the token in milliseconds: whole seconds, at most 7 days; by default 15 minutes. */
  readonly ttlMs?: number;
  /** What the token allows: `"read"`, which it always allows, and `"cancel"`. */
  readonly scopes?: readonly ("read" | "cancel")[];
}

/** Options of `getHistory`. */
export interface HistoryOptions extends CallOptions {
  /** Owner of the jobs; by default none or, with a credential of one owner, that one. */
  readonly owner?: string;
}

/** A share token: a credential for one job and its children. */
export interface Share {
  /** The bearer token. */
  readonly token: string;
  /** When it expires. */
  readonly expireTime: Timestamp | undefined;
}

/**
 * Client of a Milepost server: submit jobs, watch them, cancel them.
 *
 * Every call throws a MilepostError: `Unreachable` if the server does not answer, `ServiceError` with a `reason` if it
 * refuses. Watches connect again without a time limit, and go on where they were.
 */
export class MilepostClient {
  readonly #calls: Calls;
  readonly #context: WatchContext;

  /** @internal Use `createClient`. */
  constructor(
    options: ClientOptions,
    { transport, slots = UNLIMITED_SLOTS, holdConnection }: ConnectionParts,
  ) {
    const { token, timeoutMs = 30_000, timing } = options;
    this.#calls = new Calls(transport, new TokenSource(token), timeoutMs);
    this.#context = {
      calls: this.#calls,
      timing: { ...WATCH_TIMING, ...timing },
      slots,
      holdConnection: holdConnection ?? (() => () => undefined),
    };
  }

  /**
   * Submit a job; it is durable when this returns.
   *
   * Without a `requestId` in it the submission gets a random one. Repeat a submission whose outcome is not known with
   * the same `requestId`: it then gives the same job.
   */
  async submitJob(submission: Submission, options?: CallOptions): Promise<Job> {
    const request = { requestId: randomId(), ...submission };
    const { job } = await this.#calls.call((call) => this.#calls.service.submitJob(request, call), options);
    return present(job);
  }

  /** The current job. Throws JOB_NOT_FOUND, also for a job of another owner. */
  async getJob(jobId: string, options?: CallOptions): Promise<Job> {
    return (await this.lookUp(jobId, options)).job;
  }

  /** Why a QUEUED job has not started, and when it may; undefined if it is not QUEUED. */
  async getWaiting(jobId: string, options?: CallOptions): Promise<Waiting | undefined> {
    return (await this.lookUp(jobId, options)).waiting;
  }

  /** Why the QUEUED ones of these jobs, at most 100, have not started, by job id. Other jobs are not in the map. */
  async getWaitingOf(
    jobIds: readonly string[],
    options: CallOptions = {},
  ): Promise<ReadonlyMap<string, Waiting>> {
    const found = new Map<string, Waiting>();
    if (jobIds.length === 0) return found; // a filter without ids lets all jobs through
    const filter = { jobIds: [...jobIds] };
    const waiting = { pageSize: jobIds.length, waitingOnly: true, ...options };
    for await (const page of this.#pages(filter, waiting)) {
      for (const { jobId, waiting } of page.waiting) if (waiting) found.set(jobId, waiting);
    }
    return found;
  }

  /** The current job, and why it has not started if it is QUEUED: both as of the same moment. */
  async lookUp(
    jobId: string,
    options?: CallOptions,
  ): Promise<{ readonly job: Job; readonly waiting: Waiting | undefined }> {
    const { job, waiting } = await this.#calls.call(
      (call) => this.#calls.service.getJob({ jobId }, call),
      options,
    );
    return { job: present(job), waiting };
  }

  /** The jobs that match. They are fetched page by page, so each is as of the call that fetched its page. */
  async *listJobs(filter: Filter = {}, options: ListOptions = {}): AsyncGenerator<Job, void, undefined> {
    for await (const page of this.#pages(filter, options)) yield* page.jobs;
  }

  async *#pages(
    filter: Filter,
    options: ListOptions & { readonly waitingOnly?: boolean },
  ): AsyncGenerator<ListJobsResponse, void, undefined> {
    const { pageSize = 0, orderBy = "", waitingOnly = false, ...rest } = options;
    let pageToken = "";
    do {
      const request = { filter, pageSize, orderBy, pageToken, waitingOnly };
      const page = await this.#calls.call((call) => this.#calls.service.listJobs(request, call), rest);
      yield page;
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
  }

  /**
   * Cancel a job and its children. Return the job: CANCELLED, CANCELLING, or as it had ended before.
   *
   * Idempotent: a job that has ended stays as it is.
   */
  async cancelJob(jobId: string, options: CancelOptions = {}): Promise<Job> {
    const { reason = "", gracePeriodMs, ...rest } = options;
    const request = { jobId, reason, gracePeriod: toDuration(gracePeriodMs) };
    const { job } = await this.#calls.call((call) => this.#calls.service.cancelJob(request, call), rest);
    return present(job);
  }

  /** Delete a job that has ended, with its events. Throws JOB_NOT_ENDED for another one, and JOB_NOT_FOUND. */
  async deleteJob(jobId: string, options?: CallOptions): Promise<void> {
    await this.#calls.call((call) => this.#calls.service.deleteJob({ jobId }, call), options);
  }

  /** Make a share token of a job, for people without a credential of their own. Throws JOB_NOT_FOUND. */
  async shareJob(jobId: string, options: ShareOptions = {}): Promise<Share> {
    const { ttlMs, scopes = [], ...rest } = options;
    const request = { jobId, ttl: toDuration(ttlMs), scopes: [...scopes] };
    const { token, expireTime } = await this.#calls.call(
      (call) => this.#calls.service.shareJob(request, call),
      rest,
    );
    return { token, expireTime };
  }

  /** Revoke all share tokens of a job. Streams that were opened with them end within seconds. */
  async revokeShares(jobId: string, options?: CallOptions): Promise<void> {
    await this.#calls.call((call) => this.#calls.service.revokeShares({ jobId }, call), options);
  }

  /** The caller's principal: its subject, and what it may do. */
  whoAmI(options?: CallOptions): Promise<WhoAmIResponse> {
    return this.#calls.call((call) => this.#calls.service.whoAmI({}, call), options);
  }

  /** The latest runs of a kind, which estimates rest on. */
  getHistory(kind: string, { owner = "", ...options }: HistoryOptions = {}): Promise<GetHistoryResponse> {
    return this.#calls.call((call) => this.#calls.service.getHistory({ kind, owner }, call), options);
  }

  /**
   * The connected workers, or with a `kind` only those that take it. Throws PERMISSION_DENIED unless the caller has the
   * scope `admin` for all owners.
   */
  async *listWorkers(kind = "", options: CallOptions = {}): AsyncGenerator<ConnectedWorker, void, undefined> {
    let pageToken = "";
    do {
      const request = { kind, pageSize: PAGE_SIZE_LIMIT, pageToken };
      const page = await this.#calls.call((call) => this.#calls.admin.listWorkers(request, call), options);
      yield* page.workers;
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
  }

  /** Watch one job: its events so far, then each as it happens, until the job has ended. Nothing is opened before it is iterated. */
  watchJob(jobId: string, options: WatchOptions = {}): JobWatch {
    return new JobWatch(this.#context, jobId, options);
  }

  /** Watch all jobs that match, in the order in which their events became durable. */
  watchJobs(filter: Filter = {}, options: WatchOptions = {}): JobsWatch {
    return new JobsWatch(this.#context, toFilter(filter), options);
  }

  /** Follow one job: its state now, and after each change, until it has ended. */
  followJob(
    jobId: string,
    options: Omit<WatchOptions, "start" | "after" | "epoch" | "onGap"> = {},
  ): JobFollower {
    const watch = this.watchJob(jobId, { latestProgress: true, ...options, start: "snapshot" });
    return new JobFollower(watch, options.signal);
  }
}

function toFilter(filter: Filter): JobFilter {
  return create(JobFilterSchema, filter);
}

function present(job: Job | undefined): Job {
  if (job === undefined) {
    throw new ProtocolError("The response has no job.");
  }
  return job;
}
