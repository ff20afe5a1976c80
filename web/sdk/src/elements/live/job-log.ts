/** The log of one job: live lines as they come, older ones page by page from the end backwards. */

import type { MilepostClient } from "../../client.js";
import { Unreachable, hasReason } from "../../errors.js";
import type { Event, Job } from "../messages.js";
import type { LogExtent } from "../model/log-extent.js";
import { LOG_PAYLOADS, lineOf, type LogLine } from "../model/log-line.js";
import { numberOf } from "../model/growing-lines.js";
import { LogLines } from "../model/log-lines.js";
import { Retries } from "./retries.js";

/** Sequences of the first page, and the most of one page. */
const FIRST_SPAN = 2000;
const LARGEST_SPAN = 100_000;
/** Lines that a page is meant to bring: with fewer, the next page spans four times as much. */
const PAGE_LINES = 10_000;

export class JobLog implements LogExtent {
  /** Whether the newest page has been loaded, so that "no lines" is true if there are none. */
  isLoaded = false;
  isLoading = false;
  /** Why the last page could not be loaded; empty if it could. */
  error = "";
  /** Those of the last page, if it could not be loaded. */
  readonly retries = new Retries();
  /** Every line after this sequence is loaded, and kept. */
  #from = 0;
  /** That of the log that the lines are of. */
  #epoch = "";
  #first = 1;
  #span = FIRST_SPAN;
  #abort = new AbortController();

  constructor(
    readonly client: MilepostClient,
    readonly jobId: string,
    readonly lines = new LogLines(),
  ) {}

  get hasOlder(): boolean {
    return !this.isLoaded || (this.#from >= this.#first && this.lines.hasRoom);
  }

  get isCut(): boolean {
    return this.isLoaded && this.#from >= this.#first && !this.lines.hasRoom;
  }

  get isTrimmed(): boolean {
    return this.#first > 1;
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
    this.#from = this.lines.append(linesOf(events)) ?? this.#from;
  }

  /** Load the page before the oldest line. */
  async loadOlder(): Promise<void> {
    if (this.isLoading || !this.hasOlder) return;
    const { signal } = this.#abort;
    this.isLoading = true;
    this.error = "";
    this.retries.begun();
    try {
      const end = this.#from;
      const { older, after } = await this.#readPage(end, signal);
      if (signal.aborted) return;
      // Where lines were dropped meanwhile, these do not reach up to those that are kept.
      if (this.#from === end) this.#from = this.lines.prepend(older) ?? after;
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

  /** The lines of the page that ends at `end`, and the sequence that it begins after. */
  async #readPage(end: number, signal: AbortSignal): Promise<{ older: readonly LogLine[]; after: number }> {
    const after = Math.max(end - this.#span, this.#first - 1);
    try {
      return { older: await this.#read(after, end, signal), after };
    } catch (error) {
      const first = hasReason(error, "SEQUENCE_TRIMMED") ? Number(error.metadata["first"]) : 0;
      if (signal.aborted || !(first > this.#first)) throw error;
      this.#first = first; // the server has dropped events since the snapshot
      return this.#readPage(end, signal);
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
    // A node that has yet to read so far ends a stream at its own head.
    if (Number(watch.sequence) < end)
      throw new Unreachable(`no more than event ${watch.sequence} of ${end} came`);
    return lines;
  }
}

function linesOf(events: readonly Event[]): LogLine[] {
  return events.map(lineOf).filter((line) => line !== undefined);
}
