/** Where the lines of a log are: their heights, what is in sight, and where that is in the scrolled area. */

import { Severity } from "../messages.js";
import { type GrowingLines, GrowthReader } from "./growing-lines.js";
import type { LogLine } from "./log-line.js";
import { RowHeights } from "./row-heights.js";
import { ScrollMap } from "./scroll-map.js";
import { severityWord } from "./state-words.js";
import { MAX_ROWS, wrappedRows } from "./wrapping.js";

/** Rows beyond the view that are drawn as well. */
const MARGIN = 12;

/** The rows that are drawn, and where the first of them begins in the scrolled area. */
export interface LogWindow {
  readonly first: number;
  /** Behind the last. */
  readonly end: number;
  readonly offset: number;
}

export class LogLayout {
  readonly #heights = new RowHeights();
  readonly #map = new ScrollMap();
  readonly #whole = new WeakSet<LogLine>();
  #growth = new GrowthReader();
  #columns = 80;
  #view = 400;

  constructor(
    /** Height of a line of text in pixels. */
    readonly lineHeight: number,
  ) {}

  get columns(): number {
    return this.#columns;
  }

  /** Height of the scrolled area in pixels. */
  get height(): number {
    return this.#map.height;
  }

  /** Pixels between the beginning of the log and the view, and between the view and the end. */
  get above(): number {
    return this.#map.top;
  }

  get below(): number {
    return this.#map.bottom - this.#map.top;
  }

  /** Lay out lines, of which some may have been laid out before; the scroll position stays with the line in sight. */
  update(list: GrowingLines): void {
    const { reset, dropped, prepended, appended } = this.#growth.read(list);
    if (reset) this.#heights.clear();
    let moved = 0;
    if (dropped > 0) {
      moved -= this.#heights.offsetOf(dropped);
      this.#heights.drop(dropped);
    }
    if (prepended.length > 0) {
      this.#heights.prepend(prepended.map((line) => this.#rowsOf(line)));
      moved += this.#heights.offsetOf(prepended.length);
    }
    this.#heights.append(appended.map((line) => this.#rowsOf(line)));
    const top = this.#map.top;
    this.#resize();
    if (moved !== 0) this.#map.moveTo(top + moved * this.lineHeight);
  }

  /** The view has another size: `columns` characters wide, `height` pixels high. Returns whether lines wrap differently now. */
  setView(columns: number, height: number): boolean {
    const rewrapped = columns !== this.#columns;
    this.#columns = columns;
    this.#view = height;
    if (rewrapped) this.#growth = new GrowthReader(); // all lines are laid out again
    this.#resize();
    return rewrapped;
  }

  /** The rows in sight, and a few around them. */
  window(): LogWindow {
    const top = Math.floor(this.#map.top / this.lineHeight);
    const first = Math.max(this.#heights.rowAt(top) - MARGIN, 0);
    const last = this.#heights.rowAt(top + Math.ceil(this.#view / this.lineHeight)) + MARGIN;
    const offset = this.#heights.offsetOf(first) * this.lineHeight + this.#map.shift;
    return { first, end: Math.min(last + 1, this.#heights.count), offset };
  }

  /** A row turned out to have another height, such as with fonts of other scripts. Returns whether that is news. */
  correct(row: number, height: number): boolean {
    const rows = Math.max(Math.round(height / this.lineHeight), 1);
    if (rows === this.#heights.get(row)) return false;
    this.#heights.set(row, rows);
    this.#resize();
    return true;
  }

  /** Whether a long line is shown as a whole. */
  isWhole(line: LogLine): boolean {
    return this.#whole.has(line);
  }

  showWhole(line: LogLine): void {
    this.#whole.add(line);
  }

  /** Move to the end; returns where the browser's scroll bar is to be. */
  moveToEnd(): number {
    return this.#map.moveTo(this.#map.bottom);
  }

  /** Move so that a row is in the middle of the view; returns where the browser's scroll bar is to be. */
  moveToRow(row: number): number {
    return this.#map.moveTo(this.#heights.offsetOf(row) * this.lineHeight - this.#view / 2);
  }

  /** The browser has scrolled; returns where its scroll bar is to be. */
  scrolled(position: number): number {
    return this.#map.scrolled(position);
  }

  /** Where the browser's scroll bar is to be. */
  get position(): number {
    return this.#map.position;
  }

  #rowsOf(line: LogLine): number {
    const word = line.severity === Severity.INFO ? "" : `${severityWord(line.severity)} `;
    const rows = wrappedRows(word + line.text, this.#columns);
    return this.isWhole(line) ? rows : Math.min(rows, MAX_ROWS + 1);
  }

  #resize(): void {
    this.#map.resize(this.#heights.total * this.lineHeight, this.#view);
  }
}
