import { toBinary } from "@bufbuild/protobuf";
import type { GenMessage } from "@bufbuild/protobuf/codegenv2";
import type { Message } from "@bufbuild/protobuf";
import { type Estimate, EstimateSchema } from "../gen/milepost/v1/job_pb.js";
import {
  type GetJobResponse,
  type Waiting,
  WaitingSchema,
  type WatchJobResponse,
} from "../gen/milepost/v1/job_service_pb.js";
import { hasEnded } from "../job-states.js";
import { JobCursor, type JobItem } from "./job-cursor.js";
import { ReconnectingStream } from "./reconnecting-stream.js";
import type { WatchContext } from "./watch-context.js";
import type { WatchOptions } from "./watch-options.js";

/** The events of one job: each exactly once and in order, across cuts and restarts of the server. */
export class JobWatch extends ReconnectingStream<WatchJobResponse, JobItem> {
  declare protected readonly cursor: JobCursor;
  readonly jobId: string;
  #yielded: bigint;
  #yieldedEpoch: string;
  #hasUnread = false;
  #knownEstimate: Estimate | undefined;
  #knownWaiting: Waiting | undefined;

  constructor(context: WatchContext, jobId: string, options: WatchOptions) {
    const cursor = new JobCursor(jobId, options);
    super(context, cursor, options);
    this.jobId = jobId;
    this.#yielded = cursor.sequence;
    this.#yieldedEpoch = cursor.epoch;
  }

  /** The sequence to go on after: of the last event that was yielded, or hidden since. */
  get sequence(): bigint {
    return this.#hasUnread ? this.#yielded : this.cursor.sequence;
  }

  override get epoch(): string {
    return this.#hasUnread ? this.#yieldedEpoch : this.cursor.epoch;
  }

  /**
   * Estimated remaining time, from the last status or snapshot; undefined without evidence.
   *
   * Count it down by `remainingTime`. There is none while the job is queued: see `waiting.run` for how long it will take.
   */
  get estimate(): Estimate | undefined {
    return this.cursor.estimate;
  }

  /** Why the QUEUED job has not started, from the last status; undefined if unknown or not QUEUED. */
  get waiting(): Waiting | undefined {
    return this.cursor.waiting;
  }

  protected override isNews(): boolean {
    const { estimate, waiting } = this.cursor;
    const isNews =
      !same(EstimateSchema, estimate, this.#knownEstimate) ||
      !same(WaitingSchema, waiting, this.#knownWaiting);
    this.#knownEstimate = estimate;
    this.#knownWaiting = waiting;
    return isNews;
  }

  protected override open(finite: boolean, headers: Record<string, string>, signal: AbortSignal) {
    return this.context.calls.service.watchJob(this.cursor.request(finite), { headers, signal });
  }

  protected override async ask(timeoutMs: number): Promise<() => readonly JobItem[] | undefined> {
    const { job, waiting } = await this.#getJob(timeoutMs);
    return () => {
      this.cursor.acceptPresent(job, waiting);
      return this.cursor.acceptsJobs && job !== undefined ? this.cursor.acceptJob(job) : undefined;
    };
  }

  protected override async hasEnded(): Promise<boolean | undefined> {
    const { job } = await this.#getJob(this.context.calls.timeoutMs);
    const { epoch, sequence } = this.cursor;
    // A later job with the id may have as many events.
    if (job?.epoch !== epoch) return false;
    return job.lastSequence < sequence ? undefined : hasEnded(job) && job.lastSequence === sequence;
  }

  protected override onYield(item: JobItem, last: boolean): void {
    this.#hasUnread = !last;
    if (item.type === "gap") {
      return;
    }
    this.#yielded = item.type === "event" ? item.event.sequence : item.job.lastSequence;
    this.#yieldedEpoch = this.cursor.epoch;
  }

  #getJob(timeoutMs: number): Promise<GetJobResponse> {
    const { calls } = this.context;
    return calls.call((options) => calls.service.getJob({ jobId: this.jobId }, options), {
      timeoutMs,
      signal: this.closing,
    });
  }
}

/** Whether two messages without maps are the same, by their encodings: `equals` of protobuf would be 0.7 kB more in pages. */
function same<Shape extends Message>(
  schema: GenMessage<Shape>,
  one: Shape | undefined,
  other: Shape | undefined,
): boolean {
  if (one === undefined || other === undefined) return one === other;
  return String(toBinary(schema, one)) === String(toBinary(schema, other));
}
