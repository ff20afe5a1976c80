import { type MilepostError, isUnexplained } from "../errors.js";

/** Consecutive errors without a reason of which the last one ends a watch: some seconds after the first, or a minute. */
export const UNEXPLAINED_LIMIT = 8;

/**
 * Tells an error that passes with the next stream from one that comes back.
 *
 * A stream that a proxy has reset and a fault of the server look alike. What tells them apart is whether anything comes
 * between two of them.
 */
export class UnexplainedErrors {
  #consecutive = 0;

  /** Whether to go on after this error, as far as it has no reason; to be asked of each error of the watch. */
  mayPass(error: MilepostError): boolean {
    if (!isUnexplained(error)) return true;
    this.#consecutive++;
    return this.#consecutive < UNEXPLAINED_LIMIT;
  }

  /** Note progress: the next error is the first of others. */
  passed(): void {
    this.#consecutive = 0;
  }
}
