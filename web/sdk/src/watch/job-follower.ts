import { Fold } from "../fold/index.js";
import type { Job } from "../gen/milepost/v1/job_pb.js";
import type { Waiting } from "../gen/milepost/v1/job_service_pb.js";
import type { Connection } from "./connection.js";
import type { JobWatch } from "./job-watch.js";

/**
 * The job after each change, until it has ended; a new estimate is a change, too.
 *
 * Each job is a message of its own that never changes, and shares with the one before what did not change. A consumer
 * that is slow skips states, and gets the current one next.
 */
export class JobFollower implements AsyncIterable<Job> {
  readonly #watch: JobWatch;
  readonly #signal: AbortSignal | undefined;
  #fold = new Fold();
  /** The job that the consumer gets next; undefined if he has it. */
  #latest: Job | undefined;
  #isRead = false;
  #isClosed = false;
  #wake = (): void => undefined;

  /** `signal`: that of the watch. */
  constructor(watch: JobWatch, signal?: AbortSignal) {
    this.#watch = watch;
    this.#signal = signal;
  }

  /** How it is connected; see `JobWatch.connection`. */
  get connection(): Connection {
    return this.#watch.connection;
  }

  /** Why the QUEUED job has not started; see `JobWatch.waiting`. */
  get waiting(): Waiting | undefined {
    return this.#watch.waiting;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Job, void, undefined> {
    // Read whatever comes, also while the consumer is busy: buffers on the way hold many states.
    const reading = this.#read().finally(() => {
      this.#isRead = true;
      this.#wake();
    });
    reading.catch(() => undefined); // awaited below
    try {
      // The last state is due at the end of the watch, but not to a consumer who ended it himself.
      while (!this.#isLeft() && (this.#latest !== undefined || !this.#isRead)) {
        const job = this.#latest;
        this.#latest = undefined;
        if (job !== undefined) yield job;
        else await new Promise<void>((resolve) => (this.#wake = resolve));
      }
      await reading;
    } finally {
      this.close();
    }
  }

  /** A method, since the answer may change while the caller awaits something. */
  #isLeft(): boolean {
    return this.#isClosed || this.#signal?.aborted === true;
  }

  /** Fold what comes, until the end of the watch. */
  async #read(): Promise<void> {
    for await (const items of this.#watch.batches()) {
      for (const item of items) {
        if (item.type === "snapshot") {
          this.#fold = new Fold(item.job);
        } else if (item.type === "event") {
          this.#fold.apply(item.event);
        }
      }
      const isOnlyGap = items.length > 0 && items.every(({ type }) => type === "gap");
      if (this.#fold.lastSequence > 0n && !isOnlyGap) {
        this.#latest = { ...this.#fold.job, estimate: this.#watch.estimate };
        this.#wake();
      }
    }
  }

  /** End it: cancel the stream at the server, and end the iteration. The job goes on. */
  close(): void {
    this.#isClosed = true;
    this.#watch.close();
  }
}
