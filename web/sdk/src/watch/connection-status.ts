import type { MilepostError } from "../errors.js";
import type { Backoff } from "./backoff.js";
import type { Connection } from "./connection.js";

/** Fields of a connection that say how far it is. */
const PROGRESS: readonly (keyof Connection)[] = ["received", "head"];

/** What a connection's fields are read from. */
interface Progress {
  readonly resumeAfter: bigint;
  readonly head: bigint;
  readonly storeAway: boolean;
}

/** How a watch is connected now; it calls `onConnection` with each change. */
export class ConnectionStatus {
  readonly #progress: Progress;
  readonly #backoff: Backoff;
  readonly #onConnection: ((connection: Connection) => void) | undefined;
  #restartedAt: number | undefined;
  #staleSince: number | undefined;
  #current: Connection;

  constructor(
    progress: Progress,
    backoff: Backoff,
    onConnection: ((connection: Connection) => void) | undefined,
  ) {
    this.#progress = progress;
    this.#backoff = backoff;
    this.#onConnection = onConnection;
    this.#current = this.#describe("connecting");
  }

  get current(): Connection {
    return this.#current;
  }

  /** The server has another history. */
  restarted(): void {
    this.#restartedAt = Date.now();
  }

  /** From `since` on, in milliseconds since 1970, newer events may be missing. */
  becomeStale(since: number): void {
    this.#staleSince ??= since;
  }

  /** No event is missing. */
  becomeFresh(): void {
    this.#staleSince = undefined;
  }

  set(state: Connection["state"], error?: MilepostError, retryAt?: number): void {
    const before = this.#current;
    const now = this.#describe(state, error, retryAt);
    this.#current = now;
    const isNews = (Object.keys(now) as (keyof Connection)[]).some(
      // How far a live watch is changes with each event; that alone is no news.
      (name) => before[name] !== now[name] && (state === "catching-up" || !PROGRESS.includes(name)),
    );
    if (isNews) {
      this.#onConnection?.(now);
    }
  }

  #describe(state: Connection["state"], error?: MilepostError, retryAt?: number): Connection {
    return {
      state,
      received: this.#progress.resumeAfter,
      head: this.#progress.head,
      retryAt: state === "reconnecting" ? retryAt : undefined,
      error,
      staleSince: this.#staleSince,
      restartedAt: this.#restartedAt,
      storeAway: this.#progress.storeAway,
      fruitless: this.#backoff.fruitless,
    };
  }
}
