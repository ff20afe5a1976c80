/** The events of a job by pages of sequences: those in sight are loaded, and the newest come by the stream of the job. */

import type { MilepostClient } from "../../client.js";
import type { EventReader } from "../live/job-store.js";
import { Unreachable } from "../../errors.js";
import { Retries } from "../live/retries.js";
import type { Event, Job } from "../messages.js";
import { NO_SEARCH, searchAfter } from "./backward-search.js";

/** Sequences of a page. */
export const PAGE = 128;
/** Full pages of events that are kept at most; those that are farthest from what is in sight are dropped. */
const KEPT = 64;
/** Events of a call that goes back over empty pages, beyond which it is given up: those that are wanted are its last ones. */
const ENOUGH = 4 * PAGE;

interface Page {
  readonly events: Event[];
  /** Whether the stream has left out progress that was superseded when it was sent, and that the log may have. */
  partial: boolean;
}

/** The page of a sequence, from 0. */
export function pageOf(sequence: number): number {
  return Math.floor((sequence - 1) / PAGE);
}

export class EventPages implements EventReader {
  epoch = "";
  /** Sequences of the oldest event that is kept and of the newest one; the newest is less if none is kept. */
  first = 1;
  last = 0;
  /** Why the last page could not be loaded; empty if it could. */
  error = "";
  readonly retries = new Retries();
  readonly #pages = new Map<number, Page>();
  #ended = false;
  #loading = false;
  /** The middle of the pages in sight. */
  #middle = 0;
  #abort = new AbortController();
  #search = NO_SEARCH;
  /** What came by the stream while a page is being loaded. */
  #meanwhile: Event[] = [];

  constructor(
    readonly client: MilepostClient,
    readonly jobId: string,
    readonly changed: () => void,
  ) {}

  /** Begin with a snapshot: what is known may be of another log. */
  restart({ epoch, firstSequence, lastSequence }: Job): void {
    this.#abort.abort();
    this.#abort = new AbortController();
    this.#pages.clear();
    this.#loading = this.#ended = false;
    this.#search = NO_SEARCH;
    this.epoch = epoch;
    this.first = Math.max(Number(firstSequence), 1);
    this.last = Number(lastSequence);
    this.error = "";
    this.retries.succeeded();
    this.changed();
  }

  /** Add events that have just come. */
  add(events: readonly Event[]): void {
    for (const event of events) {
      if (this.#loading) this.#meanwhile.push(event);
      this.#append(event);
    }
  }

  /** The events of a page that is loaded. */
  eventsOf(page: number): readonly Event[] | undefined {
    return this.#pages.get(page)?.events;
  }

  /** The sequences of a page that may be there. */
  rangeOf(page: number): { readonly start: number; readonly end: number } {
    return { start: Math.max(page * PAGE + 1, this.first), end: Math.min((page + 1) * PAGE, this.last) };
  }

  /** Load what is missing of the pages from `from` to `to`, which are in sight: one call at a time. */
  want(from: number, to: number): void {
    this.#middle = (from + to) / 2;
    if (this.#loading || this.error || this.#abort.signal.aborted) return;
    let start = from;
    while (start <= to && !this.#isMissing(start)) start += 1;
    let end = start;
    while (end < to && this.#isMissing(end + 1)) end += 1;
    if (start > to || this.first > this.last) return;
    if (end !== this.#search.next) this.#search = NO_SEARCH;
    const farthest = Math.max(end - this.#search.span + 1, pageOf(this.first));
    while (start > farthest && this.#isMissing(start - 1)) start -= 1;
    void this.#load(start, end);
  }

  /** Nobody looks any more: give up what is being loaded, and load nothing. */
  close(): void {
    this.#abort.abort();
  }

  /** Load what could not be loaded. */
  retry(): void {
    this.error = "";
    this.changed();
  }

  /** Whether a page is to be loaded: also where the stream has left out progress, once no more comes to the page. */
  #isMissing(page: number): boolean {
    const known = this.#pages.get(page);
    return !known || (known.partial && (this.#ended || page < pageOf(this.last)));
  }

  #append(event: Event): void {
    const sequence = Number(event.sequence);
    const page = pageOf(sequence);
    let known = this.#pages.get(page);
    if (!known && page > pageOf(this.last)) {
      const before = this.#pages.get(pageOf(this.last));
      if (before && this.last < page * PAGE) before.partial = true;
      known = this.#begin(page);
      this.#dropBeyond(this.#middle);
    }
    this.last = Math.max(this.last, sequence);
    this.#ended ||= event.payload.case === "jobEnded";
    const newest = Number(known?.events.at(-1)?.sequence ?? this.rangeOf(page).start - 1);
    if (!known || sequence <= newest) return; // it is loaded once it is in sight, or was
    known.partial ||= sequence > newest + 1;
    known.events.push(event);
  }

  async #load(from: number, to: number): Promise<void> {
    const { signal } = this.#abort;
    this.#loading = true;
    this.#meanwhile = [];
    this.retries.begun();
    try {
      await this.#read(from, to, signal);
      if (signal.aborted) return;
      this.retries.succeeded();
    } catch (error) {
      if (signal.aborted) return;
      this.retries.failed(error);
      this.error = error instanceof Error ? error.message : String(error);
    }
    this.#loading = false;
    for (const event of this.#meanwhile) this.#append(event);
    this.#meanwhile = [];
    this.#dropBeyond(this.#middle);
    this.changed();
  }

  async #read(from: number, to: number, signal: AbortSignal): Promise<void> {
    const after = this.rangeOf(from).start - 1;
    const { end } = this.rangeOf(to);
    const watch = this.client.watchJob(this.jobId, {
      after: BigInt(after),
      epoch: this.epoch,
      follow: false,
      pauseWhenHidden: true,
      connectTimeoutMs: Infinity, // the stream of the job itself waits, too
      signal,
    });
    const events: Event[] = [];
    let isCut = false;
    for await (const items of watch.batches()) {
      for (const item of items) {
        if (item.type === "snapshot") {
          if (item.job.epoch !== this.epoch) {
            this.restart(item.job);
            return;
          }
          // What was asked for is not kept any more; or streams do not get through, and each call gives a snapshot.
          const first = Number(item.job.firstSequence);
          if (first <= this.first) throw new Unreachable("events do not get through");
          this.first = first;
          return;
        }
        if (item.type === "event") events.push(item.event);
      }
      if (watch.sequence >= end) break;
      isCut = this.#search.span > 1 && events.length >= ENOUGH;
      if (isCut) break;
    }
    if (signal.aborted) return;
    // A node that has yet to read so far ends a stream at its own head.
    if (!isCut && watch.sequence < end)
      throw new Unreachable(`no more than event ${watch.sequence} of ${end} came`);
    const isFew = events.filter(({ sequence }) => sequence <= end).length < PAGE;
    this.#search = searchAfter(this.#search, from, to, isCut ? "too many" : isFew ? "few" : "enough");
    const reached = Number(watch.sequence);
    if (!isCut) for (let page = from; page <= to; page++) this.#begin(page);
    // A batch may go on beyond what is in sight: pages that are whole in it, as in a log without most of its progress, are kept.
    for (let page = isCut ? from : to + 1; page <= pageOf(this.last); page++) {
      if (this.rangeOf(page).end > reached) break;
      if (this.#isMissing(page)) this.#begin(page);
    }
    for (const event of events) {
      const known = this.#pages.get(pageOf(Number(event.sequence)));
      const newest = known?.events.at(-1)?.sequence ?? 0n;
      if (known && event.sequence > newest) known.events.push(event);
    }
  }

  #begin(page: number): Page {
    const begun = { events: [], partial: false };
    this.#pages.set(page, begun);
    return begun;
  }

  /** Drop pages once there are too many events. Those without any stay: they cost nothing, and many may be in sight. */
  #dropBeyond(middle: number): void {
    const byDistance = [...this.#pages].sort(([a], [b]) => Math.abs(a - middle) - Math.abs(b - middle));
    let kept = 0;
    for (const [page, { events }] of byDistance) {
      kept += events.length;
      // The newest is where the stream goes on.
      if (kept > KEPT * PAGE && events.length > 0 && page !== pageOf(this.last)) this.#pages.delete(page);
    }
  }
}
