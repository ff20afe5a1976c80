/** The lines of a job's log that were loaded. */

import { type GrowingLines, boundariesIn, nextGeneration } from "./growing-lines.js";
import type { LogLine } from "./log-line.js";

/** Bounds of what is kept: lines, and characters in them. Beyond either the oldest are dropped; they can be loaded again. */
export const MAX_LINES = 1_200_000;
export const MAX_CHARACTERS = 256 * 1024 * 1024;

export class LogLines implements GrowingLines {
  lines: LogLine[] = [];
  generation = nextGeneration();
  prepended = 0;
  dropped = 0;
  boundaries = 0;
  /** Whether any line belongs to a stage. */
  hasStages = false;
  #characters = 0;

  constructor(
    readonly maxLines = MAX_LINES,
    readonly maxCharacters = MAX_CHARACTERS,
  ) {}

  /** Whether older lines could still be kept. */
  get hasRoom(): boolean {
    return this.lines.length < this.maxLines && this.#characters < this.maxCharacters;
  }

  /** Add newer lines. Returns the sequence of the newest line that was dropped for them; undefined if none was. */
  append(lines: readonly LogLine[]): number | undefined {
    const last = this.lines.at(-1)?.sequence ?? -1;
    for (const line of lines) {
      if (line.sequence <= last) continue;
      this.lines.push(line);
      this.#note(line);
    }
    const isFull = this.lines.length > this.maxLines || this.#characters > this.maxCharacters;
    return isFull ? this.#dropOldest() : undefined;
  }

  /** Add older lines. Returns the sequence of the newest one that found no room; undefined if all did. */
  prepend(lines: readonly LogLine[]): number | undefined {
    const first = this.lines[0]?.sequence ?? Infinity;
    const older = lines.filter((line) => line.sequence < first);
    const room = this.hasRoom ? this.maxLines - this.lines.length : 0;
    const cut = Math.max(older.length - room, 0);
    const kept = older.slice(cut);
    for (const line of kept) this.#note(line);
    this.lines = kept.concat(this.lines);
    this.prepended += kept.length;
    return older[cut - 1]?.sequence;
  }

  clear(): void {
    this.lines = [];
    this.generation = nextGeneration();
    this.prepended = this.dropped = this.boundaries = this.#characters = 0;
    this.hasStages = false;
  }

  #note(line: LogLine): void {
    this.#characters += line.text.length;
    this.hasStages ||= line.stageId !== "";
    if (line.startsAttempt) this.boundaries += 1;
  }

  /** Drop what is beyond the bounds, and a twentieth more, so that it happens seldom; see `append`. */
  #dropOldest(): number | undefined {
    const target = Math.floor(this.maxLines * 0.95);
    const characters = this.maxCharacters * 0.95;
    let end = 0;
    while (this.lines.length - end > target || this.#characters > characters) {
      this.#characters -= this.lines[end]?.text.length ?? 0;
      end += 1;
    }
    const dropped = this.lines.splice(0, end);
    this.boundaries -= boundariesIn(dropped);
    this.dropped += end;
    return dropped.at(-1)?.sequence;
  }
}
