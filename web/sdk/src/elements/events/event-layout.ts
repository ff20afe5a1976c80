/** Where the events of a job are in their view: rows of one height, by sequence, of which some are unfolded. */

import type { Event } from "../messages.js";
import { ScrollMap } from "../model/scroll-map.js";
import { type EventPages, PAGE, pageOf } from "./event-pages.js";

/** Height of a row in pixels, as in the styles. */
const ROW = 26;
/** Rows beyond the view that are drawn as well. */
const MARGIN = 8;

/** A row: an event, or one that is not loaded yet. */
export interface EventRow {
  readonly sequence: number;
  readonly event: Event | undefined;
  /** Events right before it that are not kept, since later progress superseded them. */
  readonly superseded: number;
}

/** A place in the events: so many pixels below the top of a row. */
interface Place {
  readonly sequence: number;
  readonly within: number;
}

/** What is drawn, and where that begins in the scrolled area. */
export interface EventWindow {
  readonly rows: readonly EventRow[];
  readonly offset: number;
}

export class EventLayout {
  readonly map = new ScrollMap();
  /** Heights of what is unfolded below rows, by sequence. */
  readonly unfolded = new Map<number, number>();
  /** What is at the top of the view. It stays there, whatever is loaded above. */
  #top: Place = { sequence: 1, within: 0 };
  /** Where each page begins; one more for the end. */
  #starts: number[] = [0];
  #view = 400;

  constructor(readonly pages: EventPages) {}

  /** Lay out what is known now. */
  update(view: number): void {
    this.#view = view;
    const { pages } = this;
    const heights = new Map<number, number>();
    for (const [sequence, height] of this.unfolded)
      heights.set(pageOf(sequence), (heights.get(pageOf(sequence)) ?? 0) + height);
    this.#starts = [0];
    let total = 0;
    for (let page = pageOf(pages.first); page <= pageOf(pages.last); page++)
      this.#starts.push((total += this.#rowsOf(page) * ROW + (heights.get(page) ?? 0)));
    this.map.resize(total, view);
    this.map.moveTo(this.#offsetOf(this.#top));
  }

  /** Keep the newest event in sight. */
  moveToEnd(): void {
    this.map.moveTo(this.map.bottom);
    this.#top = this.#placeAt(this.map.top);
  }

  moveTo(sequence: number): void {
    this.#top = { sequence, within: 0 };
  }

  /** The browser has scrolled; returns where its scroll bar is to be. */
  scrolled(position: number): number {
    const physical = this.map.scrolled(position);
    this.#top = this.#placeAt(this.map.top);
    return physical;
  }

  /** The pages that are in sight. */
  get pagesInSight(): { readonly from: number; readonly to: number } {
    const from = pageOf(this.#placeAt(this.map.top).sequence);
    return { from, to: pageOf(this.#placeAt(this.map.top + this.#view).sequence) };
  }

  /** The rows in sight, and a few around them. */
  window(): EventWindow {
    const first = this.#placeAt(this.map.top - MARGIN * ROW);
    const rows: EventRow[] = [];
    let at = this.#offsetOf({ ...first, within: 0 });
    const offset = at + this.map.shift;
    const end = this.map.top + this.#view + MARGIN * ROW;
    for (let page = pageOf(first.sequence); page <= pageOf(this.pages.last) && at < end; page++) {
      const start = page === pageOf(first.sequence) ? this.#placeInPage(first.sequence) : 0;
      for (let place = start; place < this.#rowsOf(page) && at < end; place++) {
        const row = this.#row(page, place);
        rows.push(row);
        at += ROW + (this.unfolded.get(row.sequence) ?? 0);
      }
    }
    return { rows, offset };
  }

  #row(page: number, place: number): EventRow {
    const events = this.pages.eventsOf(page);
    const event = events?.[place];
    if (!event) return { sequence: this.pages.rangeOf(page).start + place, event, superseded: 0 };
    const sequence = Number(event.sequence);
    const before = place > 0 ? Number(events[place - 1]?.sequence) : this.#newestBefore(page);
    return { sequence, event, superseded: sequence - before - 1 };
  }

  /** The newest event in the pages before, as far as they are loaded. */
  #newestBefore(page: number): number {
    for (let earlier = page - 1; ; earlier--) {
      const events = this.pages.eventsOf(earlier);
      const newest = events?.at(-1);
      if (newest) return Number(newest.sequence);
      if (!events) return Math.max((earlier + 1) * PAGE, this.pages.first - 1);
    }
  }

  #rowsOf(page: number): number {
    const { start, end } = this.pages.rangeOf(page);
    return this.pages.eventsOf(page)?.length ?? Math.max(end - start + 1, 0);
  }

  /** The number of rows of its page before a sequence. */
  #placeInPage(sequence: number): number {
    const page = pageOf(sequence);
    const events = this.pages.eventsOf(page);
    if (!events) return Math.max(sequence - this.pages.rangeOf(page).start, 0);
    const place = events.findIndex((event) => Number(event.sequence) >= sequence);
    return place < 0 ? events.length : place;
  }

  #offsetOf({ sequence, within }: Place): number {
    const page = pageOf(sequence) - pageOf(this.pages.first);
    if (page < 0) return 0;
    let offset =
      (this.#starts[page] ?? this.#starts.at(-1) ?? 0) + this.#placeInPage(sequence) * ROW + within;
    for (const [unfolded, height] of this.unfolded)
      if (unfolded < sequence && pageOf(unfolded) === pageOf(sequence)) offset += height;
    return offset;
  }

  #placeAt(offset: number): Place {
    const { first, last } = this.pages;
    const at = Math.max(offset, 0);
    let index = this.#starts.findIndex((start) => start > at) - 1;
    if (index < 0) index = Math.max(this.#starts.length - 2, 0);
    const page = pageOf(first) + index;
    let within = at - (this.#starts[index] ?? 0);
    const rows = this.#rowsOf(page);
    for (let place = 0; place < rows; place++) {
      const { sequence } = this.#row(page, place);
      const height = ROW + (this.unfolded.get(sequence) ?? 0);
      if (within < height || place === rows - 1) return { sequence, within: Math.min(within, height) };
      within -= height;
    }
    return { sequence: Math.max(last, 1), within: 0 };
  }
}
