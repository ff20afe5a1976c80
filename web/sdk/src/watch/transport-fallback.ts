/** How a watch gets its events: one long stream, a series of streams that end at the head, or calls. */
export type TransportMode = "stream" | "replay" | "call";

/** Consecutive failed streams, each with an answered call beside it, after which streams count as blocked. */
const BLOCKED_THRESHOLD = 3;
/** Consecutive failed streams from which on a call probes the server. */
const PROBE_THRESHOLD = 2;

/**
 * Chooses the best transport mode that works. Pure: the caller passes the time in, in milliseconds.
 *
 * A proxy between client and server may not support streams: it cuts them, or holds a response back until its end. A
 * call beside a failed stream tells that from a server that is down, where the call fails as well. Streams that end at
 * the head pass proxies that hold responses back.
 */
export class TransportFallback {
  mode: TransportMode = "stream";
  /** Consecutive streams that failed while the server answered a call. */
  blockedStreams = 0;
  #failures = 0;
  #since = 0;
  #retryAfterMs: number;

  /** `retryAfterMs`: how long to stay in a fallback mode before the next attempt at long streams. */
  constructor(retryAfterMs: number) {
    this.#retryAfterMs = retryAfterMs;
  }

  /** Note that a stream delivered a frame. */
  streamOpened(): void {
    this.#failures = 0;
    if (this.mode === "stream") {
      this.blockedStreams = 0;
    }
  }

  /** Note a stream that failed without a frame; return whether to probe with a call. `last`: no more attempts. */
  streamFailed(last: boolean): boolean {
    this.#failures++;
    return last || this.#failures >= PROBE_THRESHOLD;
  }

  /** Note the outcome of a call beside a failed stream; return whether the mode changed. */
  probed(answered: boolean, now: number, last: boolean): boolean {
    if (!answered) {
      this.mode = "stream";
      this.blockedStreams = 0;
      return false;
    }
    this.blockedStreams++;
    if (this.mode === "stream" && (last || this.blockedStreams >= BLOCKED_THRESHOLD)) {
      this.mode = "replay";
      this.#since = now;
    } else if (this.mode === "replay") {
      this.mode = "call";
      this.#since = now;
    } else {
      return false;
    }
    this.#failures = 0;
    return true;
  }

  /** Note that a call failed in the mode `call`: start over with streams. */
  callFailed(): void {
    this.mode = "stream";
    this.blockedStreams = 0;
    this.#failures = 0;
  }

  /** Return to streams if it is time; one more failure is then enough to fall back. */
  retryStream(now: number): void {
    if (this.mode !== "stream" && now - this.#since >= this.#retryAfterMs) {
      this.mode = "stream";
      this.blockedStreams = BLOCKED_THRESHOLD - 1;
      this.#failures = PROBE_THRESHOLD - 1;
    }
  }
}
