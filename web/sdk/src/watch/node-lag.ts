import { type MilepostError, hasReason } from "../errors.js";

/**
 * Tells a node that has yet to read what the cursor names from a cursor that is wrong. Pure: the caller passes the time in.
 *
 * Nodes check the epoch first. So one that refuses a cursor as ahead of its log, with an epoch, has the log that the cursor
 * comes from, and has only not read it as far. That passes, unless the number is not the server's.
 */
export class NodeLag {
  readonly #limitMs: number;
  #since: number | undefined;

  /** `limitMs`: how long to wait, counted from the first such refusal since a stream opened. */
  constructor(limitMs: number) {
    this.#limitMs = limitMs;
  }

  /**
   * Whether to repeat the request that this error refused; to be asked of each error of the watch. `epoch`: that of the
   * request, empty for any. `now`: in milliseconds.
   */
  mayPass(error: MilepostError, epoch: string, now: number): boolean {
    if (epoch === "" || !hasReason(error, "SEQUENCE_AHEAD")) {
      return false; // A node that is also out of reach for a while still lags.
    }
    this.#since ??= now;
    return now - this.#since < this.#limitMs;
  }

  /** A stream opened: the next such refusal is of another lag. */
  passed(): void {
    this.#since = undefined;
  }
}
