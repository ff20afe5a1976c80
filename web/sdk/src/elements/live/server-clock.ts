import type { Instant } from "../model/instants.js";

/** The server's clock, as its streams say; the browser's may be wrong by hours. */
export class ServerClock {
  #offset = 0;

  /** A stream has opened, and says by how many milliseconds the server's clock is ahead. */
  set(offsetMs: number | undefined): void {
    this.#offset = offsetMs ?? this.#offset;
  }

  now(): Instant {
    return Date.now() + this.#offset;
  }
}
