/** The log of one job: live lines as they come, older ones page by page from the end backwards. */

import type { MilepostClient } from "../../client.js";
import type { Event, Job } from "../messages.js";
import { LOG_PAYLOADS, lineOf, type LogLine } from "../model/log-line.js";
import { numberOf } from "../model/growing-lines.js";
import { LogLines } from "../model/log-lines.js";
import { Retries } from "./retries.js";

/** Sequences of the first page, and the most of one page. */
const FIRST_SPAN = 2000;
const LARGEST_SPAN = 100_000;
/** Lines that a page is meant to bring: with fewer, the next page spans four times as much. */
const PAGE_LINES = 10_000;

export class JobLog {
  readonly lines = new LogLines();
  /** Whether the newest page has been loaded, so that "no lines" is true if there are none. */
  isLoaded = false;
  isLoading = false;
  /** Why the last page could not be loaded; empty if it could. */
  error = "";
  /** Those of the last page, if it could not be loaded. */
  readonly retries = new Retries();
  /** Every line after this sequence is loaded. */
  #from = 0;
  /** That of the log that the lines are of. */
  #epoch = "";
  #first = 1;
  #span = FIRST_SPAN;
  #abort = new AbortController();

  constructor(
    readonly client: MilepostClient,
    readonly jobId: string,
  ) {}

  /** Whether there may be older lines. */
  get hasOlder(): boolean {
    return !this.isLoaded || (this.#from >= this.#first && this.lines.hasRoom);
  }

  /** Whether there are older lines that find no room. */
  get isCut(): boolean {
    return this.lines.isCut || (this.isLoaded && this.#from >= this.#first && !this.lines.hasRoom);
  }

  /** Whether no line has come, and older ones may be there. */
  get isBlank(): boolean {
    return numberOf(this.lines) === 0 && this.hasOlder && !this.error;
  }

  /** Begin behind the newest event of a snapshot. */
  restart({ lastSequence, firstSequence, epoch }: Job): void {
    this.#abort.abort();
    this.#abort = new AbortController();
    this.lines.clear();
    this.#epoch = epoch;
    this.#from = Number(lastSequence);
    this.#first = Math.max(Number(firstSequence), 1);
    this.#span = FIRST_SPAN;
    this.isLoaded = this.isLoading = false;
    this.error = "";
    this.retries.succeeded();
  }

  /** Add the lines among events that have just come. */
  add(events: readonly Event[]): void {
    this.lines.append(linesOf(events));
  }

  /** Load the page before the oldest line. */
  async loadOlder(): Promise<void> {
    if (this.isLoading || !this.hasOlder) return;
    const { signal } = this.#abort;
    this.isLoading = true;
    this.error = "";
    this.retries.begun();
    try {
      const after = Math.max(this.#from - this.#span, this.#first - 1);
      const older = await this.#read(after, this.#from, signal);
      if (signal.aborted) return;
      this.lines.prepend(older);
      this.#from = after;
      this.isLoaded = true;
      this.retries.succeeded();
      if (older.length < PAGE_LINES / 2) this.#span = Math.min(this.#span * 4, LARGEST_SPAN);
      else if (older.length > PAGE_LINES * 2) this.#span /= 4;
    } catch (error) {
      if (signal.aborted) return;
      this.retries.failed(error);
      this.error = error instanceof Error ? error.message : String(error);
    } finally {
      if (!signal.aborted) this.isLoading = false;
    }
  }

  /** The lines with sequences above `after`, up to `end`. Reading stops there, and not at the head. */
  async #read(after: number, end: number, signal: AbortSignal): Promise<LogLine[]> {
    const lines: LogLine[] = [];
    if (after >= end) return lines;
    const watch = this.client.watchJob(this.jobId, {
      after: BigInt(after),
      epoch: this.#epoch,
      payloads: LOG_PAYLOADS,
      follow: false,
      onGap: "throw",
      pauseWhenHidden: true,
      connectTimeoutMs: Infinity, // the stream of the job itself waits, too
      signal,
    });
    for await (const items of watch.batches()) {
      const events = items.flatMap((item) => (item.type === "event" ? [item.event] : []));
      for (const line of linesOf(events)) if (line.sequence <= end) lines.push(line);
      if (Number(watch.sequence) >= end) break;
    }
    return lines;
  }
}

function linesOf(events: readonly Event[]): LogLine[] {
  return events.map(lineOf).filter((line) => line !== undefined);
}
