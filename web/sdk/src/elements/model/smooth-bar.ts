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
  #movement: Movement = { fraction: 0, seconds: 0 };
  #attempt: number | undefined;
  #changed: Instant = 0;

  /** The movement to the newest known fraction, in which the bar stays if that is no greater. */
  update(fraction: number, attempt: number, now: Instant): Movement {
    const known = Math.min(Math.max(fraction, 0), 1);
    if (attempt !== this.#attempt) {
      this.#attempt = attempt;
      this.#moveTo(known, 0, now);
    } else if (known > this.#movement.fraction) {
      this.#moveTo(known, Math.min(Math.max((now - this.#changed) / 1000, SHORTEST), LONGEST), now);
    }
    return this.#movement;
  }

  #moveTo(fraction: number, seconds: number, now: Instant): void {
    this.#movement = { fraction, seconds };
    this.#changed = now;
  }
}
