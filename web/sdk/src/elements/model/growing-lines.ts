/** A list of log lines that grows at both ends, and how its readers keep up without walking all of it. */

import type { LogLine } from "./log-line.js";

export interface GrowingLines {
  /** In order of their sequences. */
  readonly lines: readonly LogLine[];
  /** Changes when the lines are others altogether; no two lists share one. */
  readonly generation: number;
  /** How many lines were ever put in front, and how many were dropped there, within the generation. */
  readonly prepended: number;
  readonly dropped: number;
  /** How many of the lines are none, but boundaries between attempts. */
  readonly boundaries: number;
}

/** The number of lines, without the boundaries between attempts. */
export function numberOf({ lines, boundaries }: GrowingLines): number {
  return lines.length - boundaries;
}

/** The number of boundaries among lines. */
export function boundariesIn(lines: readonly LogLine[]): number {
  return lines.reduce((sum, { startsAttempt }) => sum + (startsAttempt ? 1 : 0), 0);
}

/** What has happened to a list since it was last looked at. */
export interface Growth {
  /** Whether all lines are others; all of them are then in `appended`. */
  readonly reset: boolean;
  readonly dropped: number;
  readonly prepended: readonly LogLine[];
  readonly appended: readonly LogLine[];
}

let generations = 0;

export function nextGeneration(): number {
  generations += 1;
  return generations;
}

/** Tells one reader what has happened. */
export class GrowthReader {
  #generation = -1;
  #prepended = 0;
  #dropped = 0;
  #count = 0;

  read({ lines, generation, prepended, dropped }: GrowingLines): Growth {
    const droppedNow = dropped - this.#dropped;
    const prependedNow = prepended - this.#prepended;
    const kept = this.#count - droppedNow;
    const reset = generation !== this.#generation || kept < 0 || (droppedNow > 0 && prependedNow > 0);
    this.#generation = generation;
    this.#prepended = prepended;
    this.#dropped = dropped;
    this.#count = lines.length;
    if (reset) return { reset, dropped: 0, prepended: [], appended: lines };
    return {
      reset,
      dropped: droppedNow,
      prepended: lines.slice(0, prependedNow),
      appended: lines.slice(prependedNow + kept),
    };
  }
}
