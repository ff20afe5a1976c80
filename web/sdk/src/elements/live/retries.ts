/** When a call that failed is made again, without anybody asking for it. */

import { ServiceError, isTransient, toMilepostError } from "../../errors.js";
import { Backoff } from "../../watch/backoff.js";

/** Milliseconds before the first retry, and at most between two. */
const DELAY = { initialMs: 2000, maximumMs: 60_000 };

/** The retries of one call. Of a refusal that does not pass by itself there are none. */
export class Retries {
  readonly #backoff = new Backoff(DELAY);
  #after = Infinity;

  /** Whether the call failed, and it is time to make it again. */
  get areDue(): boolean {
    return performance.now() >= this.#after;
  }

  /** Note that the call has failed. */
  failed(thrown: unknown): void {
    const error = toMilepostError(thrown);
    const asked = error instanceof ServiceError ? (error.retryDelayMs ?? 0) : 0;
    this.#after = isTransient(error, true) ? performance.now() + this.#backoff.next(asked) : Infinity;
  }

  /** Note that the call is being made; it has succeeded if no failure is noted. */
  begun(): void {
    this.#after = Infinity;
  }

  succeeded(): void {
    this.#after = Infinity;
    this.#backoff.reset();
  }
}
