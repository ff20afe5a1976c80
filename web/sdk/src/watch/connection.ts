import type { MilepostError } from "../errors.js";

/** How a watch is connected. It never changes; each change of the connection makes another one. */
export interface Connection {
  /**
   * - `connecting`: for the first time.
   * - `catching-up`: events that happened before come in; `received` of `head`.
   * - `live`: whatever happens comes at once.
   * - `reconnecting`: the connection is lost because of `error`; the next attempt is at `retryAt`.
   * - `polling`: the server answers, but no long stream gets through or is to be had, so that the client asks for news
   *   at intervals.
   * - `paused`: the page is hidden, and the watch holds no stream.
   * - `ended`: the watch is over, and no more comes than what was received.
   */
  readonly state: "connecting" | "catching-up" | "live" | "reconnecting" | "polling" | "paused" | "ended";
  /** Sequence, or position, up to which everything was received. */
  readonly received: bigint;
  /** The newest known sequence or position. */
  readonly head: bigint;
  /** When the next attempt is, in milliseconds since 1970; set while `reconnecting`. */
  readonly retryAt: number | undefined;
  /** Why the connection was lost, or why the watch polls. */
  readonly error: MilepostError | undefined;
  /** Since when the watch may lack newer events, in milliseconds since 1970; undefined while it lacks none. */
  readonly staleSince: number | undefined;
  /** When the log last restarted: the server has another store, and what was received before is void. */
  readonly restartedAt: number | undefined;
  /** Whether the server cannot reach its store now, so that it may lack newer events itself. */
  readonly storeAway: boolean;
  /** Consecutive connections that were lost before they delivered anything. */
  readonly fruitless: number;
}
