import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { Severity, type Stage } from "../messages.js";
import { spansOf } from "../model/ansi.js";
import { absolute, clock } from "../model/instants.js";
import type { LogFilter, LogLine } from "../model/log-lines.js";
import { grouped, oneLine } from "../model/plain-text.js";
import { RowHeights } from "../model/row-heights.js";
import { ScrollMap } from "../model/scroll-map.js";
import { severityWord } from "../model/state-words.js";
import { MAX_ROWS, cutAt, wrappedRows } from "../model/wrapping.js";
import { logStyles } from "./log-styles.js";
import { sharedStyles } from "./shared-styles.js";
import { StoreElement } from "./store-element.js";
import { vars } from "./vars-directive.js";

/** Height of a line of text in pixels, as in the styles. */
const LINE = 19;
/** Characters of the text that the width of one is measured by. */
const PROBE = 100;
/** Lines beyond the view that are drawn as well. */
const MARGIN = 12;
/** Nearer to the beginning than this many views, the page before is loaded. */
const LOAD_AHEAD = 2;

/** The log of a job: any number of lines, of which only those in sight are drawn. */
export class LogView extends StoreElement {
  static override properties = {
    follow: { type: Boolean, reflect: true },
    tail: { type: Boolean, reflect: true },
    stageId: { attribute: false },
    severity: { state: true },
    text: { state: true },
  };
  static override styles = [sharedStyles, logStyles];
  /** Whether the newest line is kept in sight. */
  declare follow: boolean;
  /** Whether only the newest lines are shown, without controls. */
  declare tail: boolean;
  /** The stage whose lines are shown; empty for all. */
  declare stageId: string;
  declare severity: Severity;
  declare text: string;
  #heights = new RowHeights();
  #map = new ScrollMap();
  #columns = 80;
  #charWidth = 7.5;
  #whole = new Set<number>();
  #measured: { first: number | undefined; count: number; columns: number; filter: LogFilter | undefined } = {
    first: undefined,
    count: 0,
    columns: 0,
    filter: undefined,
  };
  #resized = new ResizeObserver(() => {
    this.#measure();
  });

  constructor() {
    super();
    this.follow = true;
    this.tail = false;
    this.stageId = "";
    this.severity = Severity.DEBUG;
    this.text = "";
  }

  /** Put the focus into the search, for the keyboard. */
  search(): void {
    this.renderRoot.querySelector<HTMLInputElement>("input")?.focus();
  }

  override connectedCallback(): void {
    super.connectedCallback();
    void this.updateComplete.then(() => {
      const view = this.#view;
      if (view) this.#resized.observe(view);
    });
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#resized.disconnect();
  }

  protected override willUpdate(changed: PropertyValues): void {
    super.willUpdate(changed);
    const lines = this.store?.log.lines;
    if (!lines) return;
    const filterChanged = ["stageId", "severity", "text"].some((name) => changed.has(name));
    if (filterChanged)
      lines.setFilter({ stageIds: this.#stageIds(), severity: this.severity, text: this.text });
    this.#syncHeights();
    if (lines.isFiltering) {
      requestAnimationFrame(() => {
        lines.continueFiltering();
        this.requestUpdate();
      });
    }
  }

  override render(): TemplateResult {
    return html`${this.tail ? nothing : this.#controls()}
      <div
        class="view ${this.store?.log.lines.hasStages ? "" : "without-stages"}"
        part="log"
        role="log"
        aria-live="off"
        aria-label="log"
        tabindex="0"
        @scroll=${this.#scrolled}
        @wheel=${this.#wheel}
      >
        <span class="probe" aria-hidden="true">${"0".repeat(PROBE)}</span>
        <div class="area">${this.#rows()}</div>
      </div>
      ${this.#notice()}`;
  }

  #controls(): TemplateResult {
    const stages = this.store?.job?.stages ?? [];
    return html`<div class="controls">
      <select aria-label="stage of the lines" .value=${this.stageId} @change=${this.#chooseStage}>
        <option value="">all stages</option>
        ${stages.map(
          (stage) =>
            html`<option value=${stage.stageId} ?selected=${stage.stageId === this.stageId}>
              ${"\u2002".repeat(depthOf(stage, stages))}${oneLine(stage.title || stage.stageId, 60)}
            </option>`,
        )}
      </select>
      <select aria-label="least severity of the lines" @change=${this.#chooseSeverity}>
        ${[Severity.DEBUG, Severity.INFO, Severity.WARNING, Severity.ERROR].map(
          (severity) =>
            html`<option value=${severity} ?selected=${severity === this.severity}>
              ${severityWord(severity)}${severity === Severity.ERROR ? "" : " +"}
            </option>`,
        )}
      </select>
      <input
        type="search"
        placeholder="filter…  /"
        aria-label="filter the lines by text"
        .value=${this.text}
        @input=${this.#chooseText}
      />
      <span class="muted count" role="status">${this.#count()}</span>
      <button
        aria-pressed=${this.follow}
        @click=${this.toggleFollow}
        title="keep the newest line in sight (f)"
      >
        ${this.follow ? "following" : "follow"}
      </button>
    </div>`;
  }

  #count(): string {
    const log = this.store?.log;
    if (!log?.isLoaded) return "";
    const { lines } = log;
    const more = log.hasOlder ? "+" : "";
    const loaded = `${grouped(lines.size)}${more} ${lines.size === 1 ? "line" : "lines"}`;
    if (lines.isFiltering) return `filtering ${loaded}…`;
    return lines.shown.length === lines.size ? loaded : `${grouped(lines.shown.length)} of ${loaded}`;
  }

  #notice(): TemplateResult | typeof nothing {
    const log = this.store?.log;
    if (log?.error) {
      return html`<p class="notice failed" role="alert">
        The log could not be loaded: ${log.error} <button @click=${this.#loadOlder}>try again</button>
      </p>`;
    }
    if (!log?.isLoaded || (log.lines.size === 0 && log.isLoading))
      return html`<p class="notice muted">loading…</p>`;
    if (log.lines.size === 0 && log.hasOlder) {
      return html`<p class="notice muted">
        no lines among the newest events <button @click=${this.#loadOlder}>look further back</button>
      </p>`;
    }
    if (log.lines.size === 0 && this.store?.isCaughtUp)
      return html`<p class="notice muted">no log lines${this.store.isEnded ? "" : " yet"}</p>`;
    if (log.lines.size === 0) return html`<p class="notice muted">loading…</p>`;
    if (log.lines.shown.length === 0 && !log.lines.isFiltering) {
      return html`<p class="notice muted">
        none of ${grouped(log.lines.size)} lines matches <button @click=${this.#showAll}>show all</button>
      </p>`;
    }
    return nothing;
  }

  #rows(): TemplateResult | typeof nothing {
    const store = this.store;
    if (!store) return nothing;
    const lines = store.log.lines.shown;
    if (lines.length === 0) return nothing;
    const top = Math.floor(this.#map.top / LINE);
    const first = Math.max(this.#heights.rowAt(top) - MARGIN, 0);
    const last = Math.min(this.#heights.rowAt(top + this.#viewRows) + MARGIN, lines.length - 1);
    const offset = this.#heights.offsetOf(first) * LINE + this.#map.shift;
    const names = new Map(store.job?.stages.map((stage) => [stage.stageId, stage.title || stage.stageId]));
    return html`<div class="rows" ${vars({ transform: `translateY(${offset}px)` })}>
      ${repeat(
        lines.slice(first, last + 1),
        (line) => line.sequence,
        (line) => this.#row(line, names),
      )}
    </div>`;
  }

  #row(line: LogLine, names: ReadonlyMap<string, string>): TemplateResult {
    const whole = this.#whole.has(line.sequence);
    const end = whole ? line.text.length : cutAt(line.text, this.#columns);
    const severity = severityWord(line.severity);
    return html`<div class="line ${severity}">
      <time title="${absolute(line.time)} · event ${line.sequence}">${clock(line.time)}</time>
      <span class="stage foreign cut" title=${line.stageId}
        >${oneLine(names.get(line.stageId) ?? line.stageId, 64)}</span
      >
      <span class="text foreign" dir="auto"
        >${severity === "info" ? nothing : html`<b class="severity">${severity}</b> `}${spansOf(
          line.text.slice(0, end),
        ).map(({ text, styles }) => (styles ? html`<span class=${styles}>${text}</span>` : text))}${
          end < line.text.length
            ? html`<button
                class="plain more"
                @click=${() => {
                  this.#showWhole(line);
                }}
              >
                … show all ${grouped(line.text.length)} characters
              </button>`
            : nothing
        }</span
      >
    </div>`;
  }

  protected override updated(): void {
    const view = this.#view;
    const area = this.renderRoot.querySelector<HTMLElement>(".area");
    if (!view || !area) return;
    area.style.height = `${this.#map.height}px`;
    if (this.follow) {
      const bottom = this.#map.moveTo(Infinity);
      if (Math.abs(view.scrollTop - bottom) > 1) view.scrollTop = bottom;
    }
    this.#correctHeights();
    const log = this.store?.log;
    if (
      log?.isLoaded &&
      !log.isLoading &&
      !log.error &&
      log.hasOlder &&
      this.#map.top < LOAD_AHEAD * view.clientHeight &&
      !this.follow
    ) {
      this.#loadOlder();
    }
  }

  /** Bring the heights of rows in line with the lines. */
  #syncHeights(): void {
    const lines = this.store?.log.lines;
    if (!lines) return;
    const { shown, filter } = lines;
    const before = this.#measured;
    const first = shown[0]?.sequence;
    const heights = (part: readonly LogLine[]): number[] => part.map((line) => this.#rowsOf(line));
    if (before.columns !== this.#columns || before.filter !== filter || before.first === undefined) {
      this.#heights.clear();
      this.#heights.append(heights(shown));
    } else {
      const kept = shown.findIndex((line) => line.sequence === before.first);
      let added = kept;
      if (kept < 0) {
        // The oldest were dropped, or the lines are others altogether.
        this.#heights.clear();
        this.#heights.append(heights(shown));
        added = 0;
      } else if (kept > 0) {
        this.#heights.prepend(heights(shown.slice(0, kept)));
        const above = this.#heights.offsetOf(kept) * LINE;
        this.#resizeMap();
        this.#scrollTo(this.#map.top + above);
      }
      void added;
      if (this.#heights.count < shown.length) this.#heights.append(heights(shown.slice(this.#heights.count)));
    }
    this.#measured = { first, count: shown.length, columns: this.#columns, filter };
    this.#resizeMap();
  }

  #rowsOf(line: LogLine): number {
    const severity = line.severity === Severity.INFO ? 0 : severityWord(line.severity).length + 1;
    const rows = wrappedRows(severity ? "x".repeat(severity) + line.text : line.text, this.#columns);
    return this.#whole.has(line.sequence) ? rows : Math.min(rows, MAX_ROWS + 1);
  }

  /** Rows whose text is not as wide as reckoned, such as with fonts of other scripts, get the height that they have. */
  #correctHeights(): void {
    const lines = this.store?.log.lines.shown ?? [];
    const first = Math.max(this.#heights.rowAt(Math.floor(this.#map.top / LINE)) - MARGIN, 0);
    let changed = false;
    this.renderRoot.querySelectorAll<HTMLElement>(".line").forEach((row, place) => {
      if (first + place >= lines.length) return;
      const rows = Math.max(Math.round(row.offsetHeight / LINE), 1);
      if (rows === this.#heights.get(first + place)) return;
      this.#heights.set(first + place, rows);
      changed = true;
    });
    if (!changed) return;
    this.#resizeMap();
    this.requestUpdate();
  }

  #resizeMap(): void {
    this.#map.resize(this.#heights.total * LINE, this.#view?.clientHeight ?? 400);
  }

  #measure(): void {
    const view = this.#view;
    const probe = this.renderRoot.querySelector<HTMLElement>(".probe");
    if (probe) this.#charWidth = probe.getBoundingClientRect().width / PROBE || this.#charWidth;
    const text = this.renderRoot.querySelector<HTMLElement>(".text");
    const width = text?.clientWidth ?? (view ? view.clientWidth - 200 : 600);
    this.#columns = Math.max(Math.floor(width / this.#charWidth), 10);
    this.requestUpdate();
  }

  readonly #scrolled = (): void => {
    const view = this.#view;
    if (!view) return;
    const position = this.#map.scrolled(view.scrollTop);
    if (Math.abs(position - view.scrollTop) > 1) view.scrollTop = position;
    if (this.#map.top >= this.#map.bottom - LINE) this.follow = true;
    this.requestUpdate();
  };

  // Whoever scrolls up wants to read: the log no longer follows.
  readonly #wheel = (event: WheelEvent): void => {
    if (event.deltaY < 0 && this.#map.bottom > 0) this.follow = false;
  };

  readonly toggleFollow = (): void => {
    this.follow = !this.follow;
  };

  #scrollTo(top: number): void {
    const view = this.#view;
    const position = this.#map.moveTo(top);
    if (view && !this.follow) {
      const area = this.renderRoot.querySelector<HTMLElement>(".area");
      if (area) area.style.height = `${this.#map.height}px`;
      view.scrollTop = position;
    }
  }

  get #view(): HTMLElement | null {
    return this.renderRoot.querySelector(".view");
  }

  get #viewRows(): number {
    return Math.ceil((this.#view?.clientHeight ?? 400) / LINE);
  }

  #stageIds(): ReadonlySet<string> | undefined {
    if (!this.stageId) return undefined;
    const ids = new Set([this.stageId]);
    for (const stage of this.store?.job?.stages ?? [])
      if (ids.has(stage.parentStageId)) ids.add(stage.stageId);
    return ids;
  }

  #showWhole(line: LogLine): void {
    this.#whole.add(line.sequence);
    this.#measured.columns = 0;
    this.follow = false;
    this.requestUpdate();
  }

  readonly #chooseStage = (event: Event): void => {
    this.stageId = (event.target as HTMLSelectElement).value;
  };

  readonly #chooseSeverity = (event: Event): void => {
    this.severity = Number((event.target as HTMLSelectElement).value);
  };

  readonly #chooseText = (event: Event): void => {
    this.text = (event.target as HTMLInputElement).value;
  };

  readonly #showAll = (): void => {
    this.stageId = this.text = "";
    this.severity = Severity.DEBUG;
  };

  readonly #loadOlder = (): void => {
    void this.store?.loadOlderLines();
  };
}

function depthOf(stage: Stage, stages: readonly Stage[]): number {
  let depth = 0;
  let outer = stages.find((found) => found.stageId === stage.parentStageId);
  while (outer && depth < 6) {
    depth += 1;
    const parent = outer.parentStageId;
    outer = stages.find((found) => found.stageId === parent);
  }
  return depth;
}
