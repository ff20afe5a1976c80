/** The lines of a log that match a filter, with the boundaries between attempts. */

import { Severity } from "../messages.js";
import { type GrowingLines, GrowthReader, boundariesIn, nextGeneration } from "./growing-lines.js";
import type { LogLine } from "./log-line.js";
import type { LogLines } from "./log-lines.js";

/** Lines that are looked at in one frame, so that none takes long. */
const SLICE = 20_000;

/** Which lines are shown. */
export interface LogFilter {
  /** Lines of these stages; undefined for all. */
  readonly stageIds: ReadonlySet<string> | undefined;
  /** Lines of at least this severity. */
  readonly severity: Severity;
  /** Lines that contain this text, whatever its case; empty for all. */
  readonly text: string;
}

export const EVERYTHING: LogFilter = { stageIds: undefined, severity: Severity.DEBUG, text: "" };

/** Follows a log through a filter. Many lines are looked at in slices, the newest first. */
export class FilteredLines implements GrowingLines {
  generation = nextGeneration();
  prepended = 0;
  dropped = 0;
  boundaries = 0;
  #matching: LogLine[] = [];
  #filter = EVERYTHING;
  #needle = "";
  /** Lines of the source, from its front, that are still to be looked at. */
  #unseen = 0;
  readonly #growth = new GrowthReader();

  constructor(readonly source: LogLines) {}

  get lines(): readonly LogLine[] {
    return this.#matching;
  }

  /** The lines to show: the source itself where nothing is filtered out. */
  get shown(): GrowingLines {
    return this.#filter === EVERYTHING ? this.source : this;
  }

  /** Whether lines are still to be looked at: call `update` again in the next frame. */
  get isBusy(): boolean {
    return this.#filter !== EVERYTHING && this.#unseen > 0;
  }

  setFilter(filter: LogFilter): void {
    const all = !filter.stageIds && filter.severity <= Severity.DEBUG && !filter.text;
    this.#filter = all ? EVERYTHING : filter;
    this.#needle = filter.text.toLowerCase();
    this.#restart();
    this.update();
  }

  /** Take in what has happened to the log, and look at another slice of it. */
  update(): void {
    const { reset, dropped, prepended, appended } = this.#growth.read(this.source);
    if (this.#filter === EVERYTHING) return;
    if (reset) this.#restart();
    else {
      this.#unseen = Math.max(this.#unseen - dropped, 0) + prepended.length;
      if (dropped > 0) this.#drop();
      const matching = appended.filter((line) => this.#matches(line));
      for (const line of matching) this.#matching.push(line);
      this.boundaries += boundariesIn(matching);
    }
    this.#look();
  }

  #restart(): void {
    this.#growth.read(this.source);
    this.generation = nextGeneration();
    this.prepended = this.dropped = this.boundaries = 0;
    this.#matching = [];
    this.#unseen = this.source.lines.length;
  }

  #look(): void {
    if (this.#unseen === 0) return;
    const start = Math.max(this.#unseen - SLICE, 0);
    const matching = this.source.lines.slice(start, this.#unseen).filter((line) => this.#matches(line));
    this.#unseen = start;
    this.#matching = matching.concat(this.#matching);
    this.prepended += matching.length;
    this.boundaries += boundariesIn(matching);
  }

  #drop(): void {
    const oldest = this.source.lines[0]?.sequence ?? Infinity;
    let end = 0;
    while ((this.#matching[end]?.sequence ?? Infinity) < oldest) end += 1;
    this.boundaries -= boundariesIn(this.#matching.splice(0, end));
    this.dropped += end;
  }

  #matches(line: LogLine): boolean {
    const { stageIds, severity } = this.#filter;
    if (line.startsAttempt) return true;
    return (
      line.severity >= severity &&
      (!stageIds || stageIds.has(line.stageId)) &&
      (!this.#needle || line.text.toLowerCase().includes(this.#needle))
    );
  }
}
