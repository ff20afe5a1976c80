/** A bar that moves smoothly between updates: never ahead of what is known, and never back within an attempt. */

import type { Instant } from "./instants.js";

/** Where a bar is to move, and how long that takes. */
export interface Movement {
  readonly fraction: number;
  readonly seconds: number;
}

/** Bounds of the time in which a bar catches up: as long as updates are apart, so that it moves evenly. */
const SHORTEST = 0.15;
const LONGEST = 1.5;

/** The movements of one bar. It goes to the newest known fraction, and arrives when the next one is expected. */
export class SmoothBar {
  #fraction = 0;
  #attempt: number | undefined;
  #changed: Instant = 0;

  /** The movement to a newly known fraction; undefined if the bar stays as it is. */
  update(fraction: number, attempt: number, now: Instant): Movement | undefined {
    const known = Math.min(Math.max(fraction, 0), 1);
    if (attempt !== this.#attempt) {
      this.#attempt = attempt;
      this.#fraction = known;
      this.#changed = now;
      return { fraction: known, seconds: 0 };
    }
    if (known <= this.#fraction) return undefined;
    const seconds = Math.min(Math.max((now - this.#changed) / 1000, SHORTEST), LONGEST);
    this.#fraction = known;
    this.#changed = now;
    return { fraction: known, seconds };
  }
}
