import type { MilepostClient } from "../client.js";
import type { Job } from "../gen/milepost/v1/job_pb.js";
import type { Waiting } from "../gen/milepost/v1/job_service_pb.js";
import { isHidden } from "../watch/page.js";

/** Milliseconds between two look-ups, however many jobs there are. */
const LOOKUP_INTERVAL_MS = 2000;

/** A job as a call returned it, and why it is queued. */
export interface LookedUpJob {
  readonly job: Job;
  readonly waiting: Waiting | undefined;
}

/** Looks jobs up one after the other, in rotation, for what no stream of many jobs has: why a job is queued. */
export class JobLookups {
  readonly #client: MilepostClient;
  readonly #wanted: () => readonly string[];
  readonly #found: (found: LookedUpJob) => void;
  #timer: ReturnType<typeof setInterval> | undefined;
  #isLooking = false;
  #last = "";

  /** `wanted` returns the ids of the jobs to look up; `found` is called with each answer. */
  constructor(client: MilepostClient, wanted: () => readonly string[], found: (found: LookedUpJob) => void) {
    this.#client = client;
    this.#wanted = wanted;
    this.#found = found;
  }

  start(): void {
    this.#timer ??= setInterval(() => void this.#next(), LOOKUP_INTERVAL_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  async #next(): Promise<void> {
    if (this.#isLooking || isHidden()) return;
    const ids = [...this.#wanted()].sort();
    const jobId = ids.find((id) => id > this.#last) ?? ids[0];
    if (jobId === undefined) return;
    this.#last = jobId;
    this.#isLooking = true;
    try {
      this.#found(await this.#client.lookUp(jobId));
    } catch {
      // Repeated in the next round.
    } finally {
      this.#isLooking = false;
    }
  }
}
