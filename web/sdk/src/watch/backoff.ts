/** Bounds of the wait before a watch connects again, in milliseconds. */
export interface BackoffBounds {
  readonly initialMs: number;
  readonly maximumMs: number;
}

/**
 * Exponential backoff with jitter: half of a bound that doubles each time, and a random part of the other half.
 *
 * Clients that lose their connections at once therefore reconnect spread out.
 */
export class Backoff {
  /** Delays since the last reset. */
  fruitless = 0;
  #bounds: BackoffBounds;
  #random: () => number;

  constructor(bounds: BackoffBounds, random: () => number = Math.random) {
    this.#bounds = bounds;
    this.#random = random;
  }

  /** Milliseconds to wait before the next attempt: `askedMs`, as the server asked for, and the backoff. */
  next(askedMs = 0): number {
    const { initialMs, maximumMs } = this.#bounds;
    const bound = Math.min(initialMs * 2 ** this.fruitless, maximumMs);
    this.fruitless++;
    return askedMs + (bound / 2) * (1 + this.#random());
  }

  /** Note a success: the next delay is short. */
  reset(): void {
    this.fruitless = 0;
  }
}
