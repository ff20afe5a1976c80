import { LitElement, html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import type { JobsStore } from "./live/jobs-store.js";
import { serverAt } from "./live/server.js";
import { ticker } from "./live/ticker.js";
import { type Job, JobState } from "./messages.js";
import { absenceText, isRefused, staleNotice } from "./model/connection-text.js";
import type { Instant } from "./model/instants.js";
import {
  type ListFilter,
  type ListRow,
  NO_FILTER,
  type Run,
  lastRuns,
  queryOf,
  listRows,
  totals,
} from "./model/job-list.js";
import { grouped, oneLine } from "./model/plain-text.js";
import { SmoothBar } from "./model/smooth-bar.js";
import { RUNS, jobRow } from "./parts/job-row.js";
import { listControls, listHeadings } from "./parts/list-controls.js";
import { listStyles } from "./parts/list-styles.js";
import { mayOpen } from "./parts/opening.js";
import { sharedStyles } from "./parts/shared-styles.js";
import { vars } from "./parts/vars-directive.js";

/** Height of a row in pixels, as in the styles. */
const ROW_HEIGHT = 36;
/** Bars that are remembered, many more than are in sight. */
const BARS_LIMIT = 1000;
/** Rows that are drawn beyond the view, on either side. */
const MARGIN_ROWS = 10;

/**
 * A list of jobs, live: `<milepost-jobs kind="…">`.
 *
 * Attributes: `kind`, `owner` and `server`; `controls`, to offer filters and totals. The property `filter` has all filters.
 *
 * Events: `milepost-filter`, once the reader has changed the filter, which `detail.filter` is; `milepost-open`, once the
 * reader opens the job `detail.jobId`, whose page follows unless that is prevented.
 */
export class MilepostJobs extends LitElement {
  static override properties = {
    kind: {},
    owner: {},
    server: {},
    controls: { type: Boolean },
    filter: { attribute: false },
    store: { attribute: false },
    selected: { state: true },
    hovered: { state: true },
  };
  static override styles = [sharedStyles, listStyles];
  declare kind: string;
  declare owner: string;
  declare server: string;
  declare controls: boolean;
  declare filter: ListFilter;
  declare store: JobsStore | undefined;
  declare selected: string;
  declare hovered: boolean;
  #rows: readonly ListRow[] = [];
  #shownVersion = -1;
  #runs: ReadonlyMap<string, readonly Run[]> = new Map();
  #totals: ReadonlyMap<JobState, number> = new Map();
  #bars = new Map<string, SmoothBar>();
  /** The queued jobs that are drawn. */
  #queued: readonly string[] = [];
  #subscribed: JobsStore | undefined;
  #leave: (() => void)[] = [];
  #resized = new ResizeObserver(() => {
    this.requestUpdate();
  });

  constructor() {
    super();
    this.kind = this.owner = this.server = this.selected = "";
    this.controls = this.hovered = false;
    this.filter = NO_FILTER;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.requestUpdate(); // which subscribes again
    this.#resized.observe(this);
    this.#leave.push(
      ticker.add(() => {
        this.requestUpdate();
      }),
    );
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#resized.disconnect();
    for (const leave of this.#leave) leave();
    this.#leave = [];
    this.#subscribed = undefined;
  }

  /** Put the focus into the search, for the keyboard. */
  search(): void {
    this.renderRoot.querySelector<HTMLInputElement>("input")?.focus();
  }

  /** Select the next or previous job, for the keyboard. */
  move(step: number): void {
    const jobs = this.#rows.filter((row) => row.type === "job");
    const place = jobs.findIndex((row) => row.key === this.selected);
    const next = jobs[Math.min(Math.max(place + step, 0), jobs.length - 1)];
    if (!next) return;
    this.selected = next.key;
    const view = this.#view;
    const top = this.#rows.indexOf(next) * ROW_HEIGHT;
    if (view && top < view.scrollTop) view.scrollTop = top;
    if (view && top + ROW_HEIGHT > view.scrollTop + view.clientHeight)
      view.scrollTop = top + ROW_HEIGHT - view.clientHeight;
  }

  /** Open the selected job. */
  open(): void {
    if (this.selected && this.store && mayOpen(this, this.selected)) {
      location.href = this.store.server.jobAddress(this.selected);
    }
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (changed.has("kind") || changed.has("owner")) {
      this.filter = {
        ...this.filter,
        // What the attributes do not say is as the property `filter` has it, until they have said it.
        kind: this.kind || (changed.get("kind") ? "" : this.filter.kind),
        owner: this.owner || (changed.get("owner") ? "" : this.filter.owner),
      };
    }
    if (changed.has("filter") || changed.has("server") || changed.has("kind") || changed.has("owner")) {
      this.store = serverAt(this.server).jobs(this.filter);
    }
    if (this.isConnected) this.#subscribe();
    this.#arrange(changed.has("filter"));
  }

  override render(): TemplateResult {
    const { store } = this;
    if (!store) return html``;
    const isKnown = this.#rows.length > 0 || !(store.isLoading || store.error);
    const stale = isKnown ? staleNotice(store.connection, store.now) : "";
    return html`${stale ? html`<p class="stale-notice" part="stale">${stale}</p>` : nothing}
      ${
        this.controls
          ? listControls({
              filter: this.filter,
              totals: this.#totals,
              isComplete: (state) => store.isComplete(state),
              onFilter: this.#change,
              onFind: this.#find,
            })
          : nothing
      }
      ${this.#hasNews ? html`<button class="news" @click=${this.#showNews}>show changes</button>` : nothing}
      ${this.controls ? listHeadings() : nothing}
      <div
        class="view ${stale ? "stale" : ""}"
        part="list"
        role="group"
        aria-label="jobs"
        @scroll=${this.#scrolled}
        @pointerenter=${() => {
          this.hovered = true;
        }}
        @pointerleave=${() => {
          this.hovered = false;
        }}
      >
        <div class="area" ${vars({ height: `${this.#rows.length * ROW_HEIGHT}px` })}>
          ${this.#visible(store, stale !== "")}
        </div>
        ${this.#notice(store)}
      </div>`;
  }

  #visible(store: JobsStore, stale: boolean): TemplateResult {
    const view = this.#view;
    const top = view?.scrollTop ?? 0;
    const first = Math.max(Math.floor(top / ROW_HEIGHT) - MARGIN_ROWS, 0);
    const last = Math.ceil((top + (view?.clientHeight ?? 800)) / ROW_HEIGHT) + MARGIN_ROWS;
    const rows = this.#rows.slice(first, last);
    const { now } = store;
    this.#queued = rows.flatMap((row) =>
      row.type === "job" && store.get(row.key)?.state === JobState.QUEUED ? [row.key] : [],
    );
    if (rows.length === 0) return html``;
    return html`<div class="rows" role="list" ${vars({ transform: `translateY(${first * ROW_HEIGHT}px)` })}>
      ${repeat(
        rows,
        (row) => row.key,
        (row) => {
          if (row.type === "group") {
            const more = store.isGroupComplete(row.key) ? "" : "+";
            return html`<div class="group" role="listitem">
              ${row.key} <span>${grouped(row.count)}${more}</span>
            </div>`;
          }
          const job = store.get(row.key);
          return job
            ? this.#row(store, job, row.depth, now, stale)
            : html`<div class="row muted" role="listitem">deleted</div>`;
        },
      )}
    </div>`;
  }

  #row(store: JobsStore, job: Job, depth: number, now: Instant, stale: boolean): TemplateResult {
    if (this.#bars.size > BARS_LIMIT) this.#bars.clear();
    const log = `${job.epoch} ${job.jobId}`; // that of a later job with the id begins anew
    let bar = this.#bars.get(log);
    if (!bar) this.#bars.set(log, (bar = new SmoothBar()));
    return jobRow(job, {
      selected: job.jobId === this.selected,
      depth,
      address: store.server.jobAddress(job.jobId),
      movement: bar.update(job.fraction, job.attempt, now),
      runs: this.#runs.get(job.kind) ?? [],
      waiting: store.waitingOf(job.jobId),
      now,
      stale,
    });
  }

  #showAllButton(): TemplateResult | typeof nothing {
    if (!this.controls) return nothing;
    return html`<button
      @click=${() => {
        this.#change(NO_FILTER);
      }}
    >
      show all
    </button>`;
  }

  #notice(store: JobsStore): TemplateResult | typeof nothing {
    if (store.error) {
      return html`<p class="notice failed" role="alert">
        The jobs could not be loaded: ${oneLine(store.error)}
        <button
          @click=${() => {
            store.retry();
          }}
        >
          try again
        </button>
      </p>`;
    }
    const absence = absenceText(store.connection);
    const hasRows = this.#rows.length > 0;
    if (store.isLoading && absence && (!hasRows || isRefused(store.connection)))
      return html`<p class="notice failed" role="alert">${hasRows ? "Further" : "The"} jobs ${absence}</p>`;
    if (store.isLoading) return html`<p class="notice muted">loading…</p>`;
    if (hasRows) return nothing;
    if (queryOf(this.filter))
      return html`<p class="notice muted">no jobs that match ${this.#showAllButton()}</p>`;
    const how = html` <code>milepost submit KIND</code> submits one.`;
    return html`<p class="notice muted">no jobs yet${this.controls ? html`.${how}` : nothing}</p>`;
  }

  protected override updated(): void {
    const view = this.#view;
    const { store } = this;
    if (!view || !store) return;
    void store.lookUpWaiting(this.#queued);
    if (view.scrollTop + 3 * view.clientHeight > this.#rows.length * ROW_HEIGHT) store.loadMore();
  }

  /** Put the rows in order, unless the pointer is over them: then nothing moves. */
  #arrange(filtered: boolean): void {
    const { store } = this;
    if (!store || (store.version === this.#shownVersion && !filtered)) return;
    if (this.hovered && !filtered && this.#rows.length > 0) return;
    this.#shownVersion = store.version;
    this.#rows = listRows(store.all(), this.filter, store.now);
    this.#totals = totals(store.all(), this.filter);
    this.#runs = lastRuns(store.all(), RUNS);
  }

  get #hasNews(): boolean {
    return this.hovered && this.store !== undefined && this.store.version !== this.#shownVersion;
  }

  readonly #showNews = (): void => {
    this.#shownVersion = -1;
    this.#rows = [];
    this.requestUpdate();
  };

  #subscribe(): void {
    if (this.store === this.#subscribed) return;
    this.#leave.splice(1).forEach((leave) => {
      leave();
    });
    this.#subscribed = this.store;
    this.#shownVersion = -1;
    if (this.store) {
      this.#leave.push(
        this.store.subscribe(() => {
          this.requestUpdate();
        }),
      );
    }
  }

  readonly #change = (filter: ListFilter): void => {
    this.filter = filter;
    this.dispatchEvent(
      new CustomEvent("milepost-filter", { detail: { filter }, bubbles: true, composed: true }),
    );
  };

  readonly #find = async (): Promise<void> => {
    const id = this.filter.search.trim();
    const { store } = this;
    if (!id || !store || !(await store.exists(id))) return;
    const isWanted = this.isConnected && id === this.filter.search.trim();
    if (isWanted && mayOpen(this, id)) location.href = store.server.jobAddress(id);
  };

  readonly #scrolled = (): void => {
    this.requestUpdate();
  };

  get #view(): HTMLElement | null {
    return this.renderRoot.querySelector(".view");
  }
}
