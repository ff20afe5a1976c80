import {
  type MilepostError,
  ServiceError,
  Silent,
  StreamsBlocked,
  TokenUnavailable,
  isTransient,
  isUnexplained,
  toMilepostError,
} from "../errors.js";
import { TransportFallback } from "./transport-fallback.js";
import type { WatchContext } from "./watch-context.js";

/** Connections that a browser keeps open to one server over HTTP/1.1. */
const KEPT_CONNECTIONS = 6;

/** Timeout of opening a stream, as a multiple of the time that the last one took. */
const OPEN_TIME_FACTOR = 3;

export const STREAMS_BLOCKED = new StreamsBlocked();

/** How a watch gets its events: which transport mode gets through, and the slot that its long stream has. */
export class Transport {
  /** Whether the current stream ends at the head. */
  isFinite = false;
  readonly fallback: TransportFallback;
  readonly #context: WatchContext;
  #releaseSlot: (() => void) | undefined;
  /** Attempts left that may go over a connection that is dead, which the browser has not noticed yet. */
  #suspects = 0;
  #hasConnected = false;
  /** When the current stream was asked for, by the monotonic clock; and how long the last one that opened took for that. */
  #askedAt = 0;
  #openedInMs = 0;

  constructor(context: WatchContext) {
    this.#context = context;
    this.fallback = new TransportFallback(context.timing.streamRetryMs);
  }

  /** Whether the watch asks by calls, since no stream gets through. */
  get isCalling(): boolean {
    return this.fallback.mode === "call";
  }

  /** Whether the watch asks at intervals now, because streams are blocked or all slots for streams are taken. */
  get isPolling(): boolean {
    return this.isCalling || this.isFinite;
  }

  /** Why the watch polls, if streams are blocked. */
  get blocked(): MilepostError | undefined {
    return this.fallback.mode === "stream" ? undefined : STREAMS_BLOCKED;
  }

  /** Choose whether the next stream is a long one, if the watch follows: that takes a slot. */
  async prepareStream(follows: boolean): Promise<void> {
    const isLong = this.fallback.mode === "stream" && follows;
    if (isLong) {
      this.#releaseSlot ??= await this.#context.slots.take();
    }
    this.isFinite = !isLong || this.#releaseSlot === undefined;
    this.#askedAt = performance.now();
  }

  /**
   * Milliseconds in which a stream has to open. Short where its connection may be dead, so that the next one is tried soon;
   * but not on a network on which streams have taken longer.
   */
  get openTimeoutMs(): number {
    const { timing, calls } = this.#context;
    if (this.#suspects === 0 && this.fallback.blockedStreams === 0) return calls.timeoutMs;
    return Math.min(Math.max(timing.probeMs, OPEN_TIME_FACTOR * this.#openedInMs), calls.timeoutMs);
  }

  /** Note that the connections so far, if there are any, may all be dead, such as after a laptop slept. */
  suspectConnections(): void {
    this.#suspects = this.#hasConnected ? KEPT_CONNECTIONS : 0;
  }

  /** Note that a stream delivered a frame. */
  streamOpened(): void {
    this.#openedInMs = performance.now() - this.#askedAt;
    this.#gotThrough();
  }

  /** Note that the server answered: to a stream with a frame, or to a stream or call with a refusal. */
  #gotThrough(): void {
    this.#hasConnected = true;
    this.#suspects = 0;
    this.fallback.streamOpened();
  }

  giveSlotBack(): void {
    this.#releaseSlot?.();
    this.#releaseSlot = undefined;
  }

  /**
   * After a stream that did not open, find out by a call whether only streams are blocked, and choose the mode; return whether
   * it is another one now. Throws what no other attempt would change.
   */
  async check(
    error: MilepostError,
    last: boolean,
    ask: (timeoutMs: number) => Promise<unknown>,
  ): Promise<boolean> {
    const { fallback } = this;
    if (error instanceof TokenUnavailable || isUnexplained(error)) {
      return false; // there was no stream, or it failed by a fault, which says nothing about others
    }
    if (error instanceof Silent && this.#suspects > 0 && fallback.blockedStreams === 0) {
      this.#suspects--;
      return false; // the connection was dead, which says nothing of streams
    }
    if (error instanceof ServiceError && error.reason !== "UNSPECIFIED") {
      this.#gotThrough(); // the server received and refused it
    } else if (fallback.mode === "call") {
      fallback.callFailed();
    } else if (fallback.streamFailed(last)) {
      const answered = await this.#answers(ask);
      if (fallback.probed(answered, Date.now(), last)) {
        this.giveSlotBack();
        return true;
      }
    }
    return false;
  }

  /** Whether the server answers a call now. */
  async #answers(ask: (timeoutMs: number) => Promise<unknown>): Promise<boolean> {
    const { timing, calls } = this.#context;
    try {
      await ask(Math.min(timing.probeMs, calls.timeoutMs));
      return true;
    } catch (thrown) {
      const error = toMilepostError(thrown);
      if (isTransient(error, true)) {
        return false;
      }
      throw error;
    }
  }
}
