import type { JobStore } from "../live/job-store.js";
import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { Severity } from "../messages.js";
import { boundaryText } from "../model/attempts.js";
import { absenceText, isRefused } from "../model/connection-text.js";
import { FilteredLines } from "../model/filtered-lines.js";
import { lineCount, missingText } from "../model/log-extent.js";
import { LogLayout } from "../model/log-layout.js";
import { numberOf } from "../model/growing-lines.js";
import { logFile } from "../model/log-file.js";
import type { LogLine } from "../model/log-line.js";
import type { LogLines } from "../model/log-lines.js";
import { grouped } from "../model/plain-text.js";
import { ScrollPosition } from "../model/scroll-position.js";
import { logControls } from "./log-controls.js";
import { boundaryRow, logRow } from "./log-row.js";
import { logStyles } from "./log-styles.js";
import { sharedStyles } from "./shared-styles.js";
import { StoreElement } from "./store-element.js";
import { vars } from "./vars-directive.js";

/** Height of a line of text in pixels, as in the styles. */
const LINE = 19;
/** Characters of the text that the width of one is measured by. */
const PROBE = 100;
/** Nearer to the beginning than this many views, the page before is loaded. */
const LOAD_AHEAD = 2;
/** As near to the end as this many pixels, the log follows again. */
const AT_END = 4;

/** Milliseconds after which a browser has begun to save a file. */
const SAVING_MS = 60_000;

/** The log of a job: any number of lines, of which only those in sight are drawn. */
export class LogView extends StoreElement<JobStore> {
  static override properties = {
    follow: { type: Boolean, reflect: true },
    tail: { type: Boolean, reflect: true },
    stageId: { attribute: false },
    line: { attribute: false },
    severity: { state: true },
    text: { state: true },
    searching: { state: true },
    saving: { state: true },
  };
  static override styles = [sharedStyles, logStyles];
  /** Whether the newest line is kept in sight. */
  declare follow: boolean;
  /** Whether only the newest lines are shown, without controls. */
  declare tail: boolean;
  /** The stage whose lines are shown; empty for all. */
  declare stageId: string;
  /** The sequence of the line that is marked; 0 for none. It is brought into sight, from wherever in the log it is. */
  declare line: number;
  declare severity: Severity;
  declare text: string;
  /** Whether older lines are loaded one page after the other, to search them. */
  declare searching: boolean;
  /** The same, to save all lines as a file. */
  declare saving: boolean;
  #filtered: FilteredLines | undefined;
  /** Whether the lines are being made into a file. */
  #isMakingFile = false;
  /** Whether the marked line is still to be brought into sight. */
  #seeking = false;
  readonly #layout = new LogLayout(LINE);
  readonly #position = new ScrollPosition();
  readonly #resized = new ResizeObserver(() => {
    this.#measure();
  });

  constructor() {
    super();
    this.follow = true;
    this.tail = this.searching = this.saving = false;
    this.stageId = this.text = "";
    this.line = 0;
    this.severity = Severity.DEBUG;
  }

  /** Put the focus into the search, for the keyboard. */
  search(): void {
    this.renderRoot.querySelector<HTMLInputElement>("input")?.focus();
  }

  readonly toggleFollow = (): void => {
    this.follow = !this.follow;
  };

  override connectedCallback(): void {
    super.connectedCallback();
    void this.updateComplete.then(() => {
      if (this.#view) this.#resized.observe(this.#view);
    });
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#resized.disconnect();
  }

  protected override forget(changed: PropertyValues): void {
    this.text = "";
    this.follow = true;
    this.searching = this.saving = false;
    if (!changed.has("stageId")) this.stageId = "";
    if (!changed.has("line")) this.line = 0;
  }

  protected override willUpdate(changed: PropertyValues): void {
    const isAskedToFollow = this.follow && changed.has("follow");
    if (this.#view && !isAskedToFollow && this.#position.hasMoved(this.#view)) this.#scrolled();
    super.willUpdate(changed);
    if (changed.has("line")) {
      this.#seeking = this.line > 0;
      if (this.#seeking) this.follow = false;
    }
    const lines = this.store?.log.lines;
    if (!lines) return;
    const filtered = this.#filteredOf(lines);
    if (["store", "stageId", "severity", "text"].some((name) => changed.has(name))) {
      filtered.setFilter({ stageIds: this.#stageIds(), severity: this.severity, text: this.text });
    } else filtered.update();
    this.#layout.update(filtered.shown);
    if (filtered.isBusy) {
      requestAnimationFrame(() => {
        this.requestUpdate();
      });
    }
  }

  override render(): TemplateResult {
    const { log, job } = this.store ?? {};
    return html`${
        this.tail || !log
          ? nothing
          : logControls({
              stages: job?.stages ?? [],
              stageId: this.stageId,
              severity: this.severity,
              text: this.text,
              follow: this.follow,
              isEnded: this.store?.isEnded ?? false,
              count: this.#count(),
              isSaving: this.saving,
              onStage: (stageId) => (this.stageId = stageId),
              onSeverity: (severity) => (this.severity = severity),
              onText: (text) => (this.text = text),
              canSave: log.hasOlder || numberOf(log.lines) > 0,
              onSave: this.#toggleSaving,
              onFollow: this.toggleFollow,
            })
      }
      <div
        class="view ${this.#viewClasses()}"
        part="log"
        role="log"
        aria-live="off"
        aria-label="log"
        tabindex="0"
        @scroll=${this.#scrolled}
        @wheel=${this.#wheel}
        @keydown=${this.#keydown}
      >
        <span class="probe" aria-hidden="true">${"0".repeat(PROBE)}</span>
        <div class="area" ${vars({ height: `${this.#layout.height}px` })}>${this.#rows()}</div>
      </div>
      ${this.#notice()}`;
  }

  #rows(): TemplateResult | typeof nothing {
    const lines = this.#filtered?.shown.lines ?? [];
    if (lines.length === 0) return nothing;
    const { first, end, offset } = this.#layout.window();
    const { job, attempts = [] } = this.store ?? {};
    const names = new Map(job?.stages.map((stage) => [stage.stageId, stage.title || stage.stageId]));
    const { columns } = this.#layout;
    // Of all stages, so that lines keep their places while the reader scrolls.
    const width = Math.max(4, ...[...names.values()].map((name) => name.length));
    return html`<div
      class="rows"
      ${vars({ transform: `translateY(${offset}px)`, "--stage-width": `${Math.min(width, 24)}ch` })}
    >
      ${repeat(
        lines.slice(first, end),
        (line) => line.sequence,
        (line) =>
          line.startsAttempt
            ? boundaryRow(line, boundaryText(line.startsAttempt, line.time, job, attempts))
            : logRow(
                line,
                names.get(line.stageId) ?? line.stageId,
                this.#layout.isWhole(line) ? Infinity : columns,
                line.sequence === this.line,
                this.#showWhole,
                this.#mark,
              ),
      )}
    </div>`;
  }

  #viewClasses(): string {
    const empty = this.#filtered && numberOf(this.#filtered.shown) === 0 ? "empty" : "";
    return this.store?.log.lines.hasStages ? empty : `${empty} without-stages`;
  }

  #count(): string {
    const log = this.store?.log;
    const all = log ? numberOf(log.lines) : 0;
    if (!log?.isLoaded || !this.#filtered || all === 0) return "";
    const shown = numberOf(this.#filtered.shown);
    return lineCount(log, all, this.#filtered.isBusy ? undefined : shown);
  }

  /** The text below the lines. "No log lines" is shown only once that is known. */
  #notice(): TemplateResult | typeof nothing {
    const { log, isCaughtUp, isEnded, connection } = this.store ?? {};
    const all = log ? numberOf(log.lines) : 0;
    if (log?.error) {
      return html`<p class="notice failed" role="alert">
        The log could not be loaded: ${log.error} <button @click=${this.#loadOlder}>try again</button>
      </p>`;
    }
    if (all > 0) return this.#searchNotice(all, log?.hasOlder ?? false);
    if (!isCaughtUp && connection && isRefused(connection))
      return html`<p class="notice failed" role="alert">The newest lines ${absenceText(connection)}</p>`;
    if (!log?.isLoaded || log.isLoading || !isCaughtUp) return html`<p class="notice muted">loading…</p>`;
    if (log.hasOlder) {
      return html`<p class="notice muted">
        no lines among the newest events <button @click=${this.#loadOlder}>look further back</button>
      </p>`;
    }
    const among = log.isTrimmed ? " among the events that are kept" : "";
    return html`<p class="notice muted">no log lines${among || (isEnded ? "" : " yet")}</p>`;
  }

  /** How much of the log a filter has looked at, where that is not all of it. */
  #searchNotice(all: number, hasOlder: boolean): TemplateResult | typeof nothing {
    const filtered = this.#filtered;
    if (!filtered || filtered.shown === filtered.source || filtered.isBusy) return nothing;
    if (!hasOlder) {
      if (numberOf(filtered) > 0) return nothing;
      return html`<p class="notice muted">
        none of ${grouped(all)} lines matches <button @click=${this.#showAll}>show all</button>
      </p>`;
    }
    return html`<p class="notice muted">
      searched the newest ${grouped(all)} lines
      <button
        @click=${() => {
          this.searching = !this.searching;
        }}
      >
        ${this.searching ? "stop" : "search older ones"}
      </button>
    </p>`;
  }

  protected override updated(): void {
    const view = this.#view;
    if (!view) return;
    if (this.#seeking) this.#seek();
    const position = this.follow ? this.#layout.moveToEnd() : this.#layout.position;
    this.#position.put(view, position);
    this.#correctHeights();
    const log = this.store?.log;
    const near = !this.follow && this.#layout.above < LOAD_AHEAD * view.clientHeight;
    if (log?.hasOlder === false) this.searching = false;
    if (log?.error) this.saving = false; // the notice says why
    if (this.saving && log?.hasOlder === false && !this.#filtered?.isBusy) void this.#save();
    if (
      (near || this.searching || this.saving || this.#seeking) &&
      log?.isLoaded &&
      !log.isLoading &&
      !log.error &&
      log.hasOlder
    )
      this.#loadOlder();
  }

  /** Rows may be higher than reckoned, such as with fonts of other scripts. */
  #correctHeights(): void {
    const { first, end } = this.#layout.window();
    const rows = this.renderRoot.querySelectorAll<HTMLElement>(".line");
    if (rows.length !== end - first) return; // what is drawn is not what is in sight now; the next frame has it
    const corrected = [...rows].filter((row, place) => this.#layout.correct(first + place, row.offsetHeight));
    if (corrected.length > 0) this.requestUpdate();
  }

  #measure(): void {
    const view = this.#view;
    const probe = this.renderRoot.querySelector(".probe")?.getBoundingClientRect().width ?? 0;
    if (!view || probe === 0) return;
    const text = this.renderRoot.querySelector(".text")?.clientWidth ?? view.clientWidth - 220;
    this.#layout.setView(Math.max(Math.floor((text * PROBE) / probe), 10), view.clientHeight);
    this.requestUpdate();
  }

  readonly #scrolled = (): void => {
    const view = this.#view;
    if (!view || Math.abs(view.scrollTop - this.#layout.position) <= 1) return;
    const position = this.#layout.scrolled(view.scrollTop);
    if (Math.abs(position - view.scrollTop) > 1) view.scrollTop = position;
    this.follow = this.#layout.below <= AT_END;
    this.requestUpdate();
  };

  // Whoever scrolls up wants to read: the log no longer follows.
  readonly #wheel = (event: WheelEvent): void => {
    if (event.deltaY < 0 && this.#layout.above > 0) this.follow = false;
  };

  readonly #keydown = (event: KeyboardEvent): void => {
    if (["ArrowUp", "PageUp", "Home"].includes(event.key) && this.#layout.above > 0) this.follow = false;
  };

  readonly #showWhole = (line: LogLine): void => {
    this.#layout.showWhole(line);
    this.follow = false;
    this.requestUpdate();
  };

  /** Bring the marked line into sight once it is loaded, or what is nearest to it where it is kept no more. */
  #seek(): void {
    const { log } = this.store ?? {};
    const lines = this.#filtered?.shown.lines ?? [];
    const first = lines[0]?.sequence ?? Infinity;
    if (!log?.isLoaded || (first > this.line && log.hasOlder && !log.error)) return;
    this.#seeking = false;
    const row = lines.findIndex(({ sequence }) => sequence >= this.line);
    this.#layout.moveToRow(row < 0 ? lines.length : row);
    this.requestUpdate();
  }

  readonly #mark = ({ sequence }: LogLine): void => {
    this.line = sequence === this.line ? 0 : sequence;
    const detail = { line: this.line };
    this.dispatchEvent(new CustomEvent("milepost-line", { detail, bubbles: true, composed: true }));
  };

  readonly #showAll = (): void => {
    this.stageId = this.text = "";
    this.severity = Severity.DEBUG;
  };

  readonly #toggleSaving = (): void => {
    this.saving = !this.saving;
    if (this.saving && this.store?.log.error) this.#loadOlder();
  };

  async #save(): Promise<void> {
    const { store } = this;
    if (!store || this.#isMakingFile) return;
    const { job, jobId, attempts, log } = store;
    this.#isMakingFile = true;
    const file = await logFile(
      this.#filtered?.shown.lines ?? [],
      ({ startsAttempt = 0, time }) => boundaryText(startsAttempt, time, job, attempts),
      missingText(log),
    );
    this.#isMakingFile = false;
    this.requestUpdate(); // another job may wait to be saved
    if (!this.saving || store !== this.store) return;
    this.saving = false;
    const link = document.createElement("a");
    link.href = URL.createObjectURL(file);
    link.download = `${jobId}.log`;
    link.click();
    setTimeout(() => {
      URL.revokeObjectURL(link.href);
    }, SAVING_MS);
  }

  readonly #loadOlder = (): void => {
    void this.store?.loadOlderLines();
  };

  #filteredOf(lines: LogLines): FilteredLines {
    if (this.#filtered?.source !== lines) this.#filtered = new FilteredLines(lines);
    return this.#filtered;
  }

  /** The chosen stage and those within it. */
  #stageIds(): ReadonlySet<string> | undefined {
    if (!this.stageId) return undefined;
    const ids = new Set([this.stageId]);
    for (const stage of this.store?.job?.stages ?? [])
      if (ids.has(stage.parentStageId)) ids.add(stage.stageId);
    return ids;
  }

  get #view(): HTMLElement | null {
    return this.renderRoot.querySelector(".view");
  }
}
