import { type MilepostError, Silent } from "../errors.js";
import type { Backoff } from "./backoff.js";
import type { Connection } from "./connection.js";
import type { Transport } from "./transport.js";
import type { GapItem } from "./watch-cursor.js";

/** Fields of a connection that say how far it is. */
const PROGRESS: readonly (keyof Connection)[] = ["received", "head"];

/** What a connection's fields are read from. */
interface Progress {
  readonly resumeAfter: bigint;
  readonly head: bigint;
  readonly storeAway: boolean;
  readonly opened: boolean;
  readonly reachedHead: boolean;
}

interface Item {
  readonly type: string;
}

/** How a watch is connected now; it calls `onConnection` with each change. */
export class ConnectionStatus {
  /** Whether the watch was connected at some time. */
  hasConnected = false;
  /** When the last frame or answer of a poll came, or else when the watch began, in milliseconds since 1970. */
  #heardAt = Date.now();
  readonly #progress: Progress;
  readonly #backoff: Backoff;
  readonly #isPaused: () => boolean;
  readonly #onConnection: (connection: Connection) => void;
  #restartedAt: number | undefined;
  #staleSince: number | undefined;
  #current: Connection;

  constructor(
    progress: Progress,
    backoff: Backoff,
    isPaused: () => boolean,
    onConnection: (connection: Connection) => void,
  ) {
    this.#progress = progress;
    this.#backoff = backoff;
    this.#isPaused = isPaused;
    this.#onConnection = onConnection;
    this.#current = this.#describe("connecting");
  }

  get current(): Connection {
    return this.#current;
  }

  /** A frame, or the answer of a poll, came in. */
  heard(): void {
    this.#heardAt = Date.now();
  }

  /** An open stream, or a call, brought `items`, possibly none: tell how the watch is connected now. */
  advanced(items: readonly Item[], transport: Pick<Transport, "isCalling" | "isPolling" | "blocked">): void {
    this.#noteRestart(items);
    const { isCalling, isPolling, blocked } = transport;
    if (!this.#progress.opened && !isCalling) {
      return;
    }
    if (this.#isPaused()) {
      return; // newer events may be missing from now on, whatever a call has brought that was under way
    }
    if (this.#progress.reachedHead || isCalling) {
      this.#staleSince = undefined; // no event is missing
      this.set(isPolling ? "polling" : "live", blocked);
    } else if (this.#current.state !== "polling") {
      this.set("catching-up"); // one that polls catches up each time
    }
  }

  /** No stream is open any more; `items`, if any, are yielded instead of the error. The next attempt is at `retryAt`. */
  lost(items: readonly Item[], error: MilepostError, retryAt: number): void {
    this.#noteRestart(items);
    // Where nothing comes any more, such as after a laptop slept, the connection may have died with the last frame.
    this.becomeStale(error instanceof Silent ? this.#heardAt : Date.now());
    this.set(this.hasConnected ? "reconnecting" : "connecting", error, retryAt);
  }

  /** From `since` on, in milliseconds since 1970, newer events may be missing, if there were any. */
  becomeStale(since: number): void {
    if (this.hasConnected) {
      this.#staleSince ??= since;
    }
  }

  /** Nothing comes after `ended`, and only that while the watch is paused, whatever a call brings that was under way. */
  set(state: Connection["state"], error?: MilepostError, retryAt?: number): void {
    const before = this.#current;
    if (before.state === "ended" || (this.#isPaused() && state !== "paused" && state !== "ended")) return;
    const now = this.#describe(state, error, retryAt);
    this.#current = now;
    const isNews = (Object.keys(now) as (keyof Connection)[]).some(
      // How far a live watch is changes with each event; that alone is no news.
      (name) => before[name] !== now[name] && (state === "catching-up" || !PROGRESS.includes(name)),
    );
    if (isNews) {
      this.#onConnection(now);
    }
  }

  /** Note whether the server has another log. */
  #noteRestart(items: readonly Item[]): void {
    if (items.some((item) => item.type === "gap" && (item as GapItem).why === "restarted")) {
      this.#restartedAt = Date.now();
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
