import { Fold } from "../fold/index.js";
import type { Job } from "../gen/milepost/v1/job_pb.js";
import type { Waiting } from "../gen/milepost/v1/job_service_pb.js";
import type { Connection } from "../watch/connection.js";
import type { JobItem } from "../watch/job-cursor.js";
import type { JobChannel, JobStreams } from "./job-streams.js";
import { LiveStore, type LiveView } from "./live-store.js";

/** What is known of one job. */
export interface JobView extends LiveView {
  /** The current job; undefined until it is known. */
  readonly job: Job | undefined;
  /** Why the QUEUED job has not started. */
  readonly waiting: Waiting | undefined;
}

/** One job as an external store of React. */
export class LiveJob extends LiveStore<JobItem, JobView> {
  readonly #streams: JobStreams;
  readonly #jobId: string;
  #channel: JobChannel | undefined;
  #fold: Fold | undefined;

  constructor(streams: JobStreams, jobId: string, shared: Map<string, unknown>, key: string) {
    super(shared, key);
    this.#streams = streams;
    this.#jobId = jobId;
  }

  protected override open(onConnection: (connection: Connection) => void): JobChannel {
    this.#channel = this.#streams.open(this.#jobId, onConnection);
    return this.#channel;
  }

  protected override fold(items: readonly JobItem[]): void {
    for (const item of items) {
      if (item.type === "snapshot") {
        this.#fold = new Fold(item.job);
      } else if (item.type === "event") {
        this.#fold?.apply(item.event);
      }
    }
  }

  protected override view(live: LiveView): JobView {
    const job = this.#fold?.job;
    return {
      ...live,
      job: job && { ...job, estimate: this.#channel?.estimate },
      waiting: this.#channel?.waiting,
    };
  }
}
