/** The lines of a job's log that were loaded, and those of them that a filter shows. */

import { Severity, type Event } from "../messages.js";
import { instantOf, type Instant } from "./instants.js";

/** Bounds of what is kept: lines, and characters in them. Beyond either the oldest lines are dropped; they can be loaded again. */
export const MAX_LINES = 1_200_000;
export const MAX_CHARACTERS = 256 * 1024 * 1024;

/** Lines that are filtered in one slice, so that a frame is never missed. */
const SLICE = 20_000;

export interface LogLine {
  /** Of the event. */
  readonly sequence: number;
  readonly time: Instant;
  readonly attempt: number;
  readonly stageId: string;
  readonly severity: Severity;
  readonly text: string;
}

/** Which lines are shown. */
export interface LogFilter {
  /** Lines of this stage and those within it; empty for all. */
  readonly stageIds: ReadonlySet<string> | undefined;
  /** Lines of at least this severity. */
  readonly severity: Severity;
  /** Lines that contain this text, whatever its case; empty for all. */
  readonly text: string;
}

export const EVERYTHING: LogFilter = { stageIds: undefined, severity: Severity.DEBUG, text: "" };

/** The line of an event; undefined for other events. */
export function lineOf(event: Event): LogLine | undefined {
  if (event.payload.case !== "logWritten") return undefined;
  const { stageId, severity, text } = event.payload.value;
  return {
    sequence: Number(event.sequence),
    time: instantOf(event.time) ?? 0,
    attempt: event.attempt,
    stageId,
    severity: severity === Severity.UNSPECIFIED ? Severity.INFO : severity,
    text: text.replace(/\r?\n$/, ""),
  };
}

/** How the shown lines have changed: lines were put in front, dropped there, or added at the end; or all are others. */
export interface LogChange {
  readonly prepended: number;
  readonly dropped: number;
  readonly appended: number;
  readonly reset: boolean;
}

/** Lines in order of their sequences. */
export class LogLines {
  /** Whether any line belongs to a stage. */
  hasStages = false;
  #all: LogLine[] = [];
  #shown: LogLine[] = this.#all;
  #characters = 0;
  #filter = EVERYTHING;
  #needle = "";
  #filtering: Generator<void, void> | undefined;

  /** The lines that the filter shows. */
  get shown(): readonly LogLine[] {
    return this.#shown;
  }

  /** The number of lines that were loaded. */
  get size(): number {
    return this.#all.length;
  }

  get filter(): LogFilter {
    return this.#filter;
  }

  /** The sequence of the oldest loaded line; undefined without any. */
  get oldest(): number | undefined {
    return this.#all[0]?.sequence;
  }

  /** Whether lines are still being filtered; call `continueFiltering` in the next frame. */
  get isFiltering(): boolean {
    return this.#filtering !== undefined;
  }

  /** Add newer lines. */
  append(lines: readonly LogLine[]): LogChange {
    const last = this.#all.at(-1)?.sequence ?? -1;
    const newer = lines.filter((line) => line.sequence > last);
    const before = this.#shown.length;
    for (const line of newer) {
      this.#all.push(line);
      this.#characters += line.text.length;
      this.hasStages ||= line.stageId !== "";
    }
    if (this.#shown !== this.#all && !this.#filtering) {
      for (const line of newer) if (this.#matches(line)) this.#shown.push(line);
    }
    const appended = this.#shown.length - before;
    return { prepended: 0, dropped: this.#dropOldest(), appended, reset: false };
  }

  /** Add older lines, as far as there is room for them. */
  prepend(lines: readonly LogLine[]): LogChange {
    const first = this.oldest ?? Infinity;
    let older = lines.filter((line) => line.sequence < first);
    older = older.slice(Math.max(older.length - this.#room(), 0));
    this.#characters += older.reduce((sum, line) => sum + line.text.length, 0);
    this.hasStages ||= older.some((line) => line.stageId !== "");
    const unfiltered = this.#shown === this.#all;
    this.#all = older.concat(this.#all);
    if (unfiltered) {
      this.#shown = this.#all;
      return { prepended: older.length, dropped: 0, appended: 0, reset: false };
    }
    const matching = older.filter((line) => this.#matches(line));
    this.#shown = matching.concat(this.#shown);
    return { prepended: matching.length, dropped: 0, appended: 0, reset: false };
  }

  /** Whether older lines could still be kept. */
  get hasRoom(): boolean {
    return this.#room() > 0;
  }

  /** Show other lines. Many are filtered in slices, the newest first. */
  setFilter(filter: LogFilter): LogChange {
    this.#filter = filter;
    this.#needle = filter.text.toLowerCase();
    this.#filtering = undefined;
    if (!filter.stageIds && filter.severity <= Severity.DEBUG && !filter.text) {
      this.#shown = this.#all;
    } else {
      this.#shown = [];
      this.#filtering = this.#filterAll();
      this.#filtering.next();
    }
    return { prepended: 0, dropped: 0, appended: 0, reset: true };
  }

  /** Filter one more slice. */
  continueFiltering(): LogChange {
    const before = this.#shown.length;
    this.#filtering?.next();
    return { prepended: this.#shown.length - before, dropped: 0, appended: 0, reset: false };
  }

  clear(): LogChange {
    this.#all = [];
    this.#characters = 0;
    return this.setFilter(this.#filter);
  }

  *#filterAll(): Generator<void, void> {
    // Lines that come meanwhile are at the end, and looked at last.
    let end = this.#all.length;
    while (end > 0) {
      const start = Math.max(end - SLICE, 0);
      const matching = this.#all.slice(start, end).filter((line) => this.#matches(line));
      this.#shown = matching.concat(this.#shown);
      end = start;
      if (end > 0) yield;
    }
    this.#filtering = undefined;
  }

  #matches(line: LogLine): boolean {
    const { stageIds, severity } = this.#filter;
    return (
      line.severity >= severity &&
      (!stageIds || stageIds.has(line.stageId)) &&
      (!this.#needle || line.text.toLowerCase().includes(this.#needle))
    );
  }

  #room(): number {
    return this.#characters >= MAX_CHARACTERS ? 0 : MAX_LINES - this.#all.length;
  }

  /** Drop the oldest lines beyond the bounds, and some more, so that this happens seldom; returns how many of the shown. */
  #dropOldest(): number {
    if (this.#all.length <= MAX_LINES && this.#characters <= MAX_CHARACTERS) return 0;
    let end = Math.max(this.#all.length - MAX_LINES, 0) + Math.ceil(this.#all.length / 20);
    let characters = 0;
    for (
      let place = 0;
      place < this.#all.length && (place < end || this.#characters - characters > MAX_CHARACTERS);
      place++
    ) {
      characters += this.#all[place]?.text.length ?? 0;
      end = Math.max(end, place + 1);
    }
    const unfiltered = this.#shown === this.#all;
    this.#all.splice(0, end);
    this.#characters -= characters;
    if (unfiltered) return end;
    const oldest = this.oldest ?? Infinity;
    const kept = this.#shown.findIndex((line) => line.sequence >= oldest);
    const dropped = kept < 0 ? this.#shown.length : kept;
    this.#shown.splice(0, dropped);
    return dropped;
  }
}
