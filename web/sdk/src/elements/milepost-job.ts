import type { JobStore } from "./live/job-store.js";
import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { JobState, type Job } from "./messages.js";
import { absenceText, staleNotice } from "./model/connection-text.js";
import { numberOf } from "./model/growing-lines.js";
import { hasModifier } from "./model/keyboard.js";
import { type Announced, announcedOf, milestone } from "./model/milestones.js";
import { SmoothBar } from "./model/smooth-bar.js";
import { oneLine } from "./model/plain-text.js";
import { isRetryable } from "./model/resubmission.js";
import { hasEnded } from "../job-states.js";
import type { EventsView } from "./events/events-view.js";
import type { Server } from "./live/server.js";
import { CancelSheet } from "./parts/cancel-sheet.js";
import { artifactsPanel, attemptsPanel, childrenPanel, jsonPanel, rawPanel } from "./parts/job-details.js";
import { JobElement } from "./parts/job-element.js";
import { currentStageLine, identity, notices, progressLine } from "./parts/job-head.js";
import { jobStyles } from "./parts/job-styles.js";
import { RetrySheet } from "./parts/retry-sheet.js";
import { narrowTables } from "./parts/narrow-tables.js";
import type { LogView } from "./parts/log-view.js";
import { sharedStyles } from "./parts/shared-styles.js";
import type { StagesView } from "./parts/stages-view.js";

/** Width in pixels below which the stages are behind a tab. */
const NARROW_WIDTH = 640;
const EVENTS = "milepost-events-view";

type Tab = "stages" | "log" | "artifacts" | "result" | "input" | "attempts" | "children" | "events" | "raw";

/**
 * A job, live: `<milepost-job job-id="…">`.
 *
 * Attributes: `job-id`; `server`, by default the one that the script came from; `log`, which is `off`, `tail` or `full`;
 * `cancel`, to offer cancelling; `retry`, to offer submitting the job again; `compact`, to leave out the stages.
 *
 * Events: `milepost-change` and `milepost-end`, whose `detail.job` is the job; `milepost-open`, whose `detail.jobId` is the
 * child or parent that the reader opens, or the job that was submitted again, and whose page follows unless that is
 * prevented; `milepost-line` and `milepost-event`, whose `detail` has the new value of the property `line` or `event`.
 */
export class MilepostJob extends JobElement<JobStore> {
  static override properties = {
    log: {},
    cancel: { type: Boolean },
    retry: { type: Boolean },
    compact: { type: Boolean },
    tab: { state: true },
    narrow: { state: true },
    stageId: { state: true },
    childState: { state: true },
    line: { attribute: false },
    event: { attribute: false },
    said: { state: true },
    eventsError: { state: true },
  };
  static override styles = [sharedStyles, jobStyles, narrowTables];
  declare log: "off" | "tail" | "full";
  declare cancel: boolean;
  declare retry: boolean;
  declare compact: boolean;
  /** What the reader has chosen; until then it is what there is to see. */
  declare tab: Tab | undefined;
  declare narrow: boolean;
  declare stageId: string;
  /** The state of the children that are shown; undefined for all. */
  declare childState: JobState | undefined;
  declare said: string;
  /** Why the element that shows events could not be loaded; empty if it could. */
  declare eventsError: string;
  /** The sequence of the marked line of the log; 0 for none. `milepost-line` says that the reader has marked another one. */
  declare line: number;
  /** The sequence of the marked event; 0 for none. `milepost-event` says that the reader has marked another one. */
  declare event: number;
  #bar = new SmoothBar();
  #announced: Announced | undefined;
  #resized = new ResizeObserver(([entry]) => {
    this.narrow = (entry?.contentRect.width ?? NARROW_WIDTH) < NARROW_WIDTH;
  });

  constructor() {
    super();
    this.stageId = this.said = this.eventsError = "";
    this.line = this.event = 0;
    this.log = "off";
    this.cancel = this.retry = this.compact = false;
    this.narrow = false;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#resized.observe(this);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#resized.disconnect();
  }

  /** Ask whether to cancel the job, if it can be. */
  askToCancel(): void {
    if (this.#canCancel) this.renderRoot.querySelector<CancelSheet>("milepost-cancel-sheet")?.open();
  }

  /** Ask whether to submit the job again, if that is allowed. */
  askToRetry(): void {
    if (this.#canRetry) this.renderRoot.querySelector<RetrySheet>("milepost-retry-sheet")?.open();
  }

  get stages(): StagesView | null {
    return this.renderRoot.querySelector("milepost-stages-view");
  }

  get logView(): LogView | null {
    return this.renderRoot.querySelector("milepost-log-view");
  }

  get eventsView(): EventsView | null {
    return this.renderRoot.querySelector<EventsView>(EVENTS);
  }

  show(tab: Tab): void {
    this.tab = tab;
  }

  protected override storeOf(server: Server, jobId: string): JobStore {
    return server.job(jobId);
  }

  protected override forget(changed: PropertyValues): void {
    if (changed.has("store")) this.tab = undefined;
    this.childState = undefined;
    this.stageId = this.said = "";
    this.#unmark("line", changed);
    this.#unmark("event", changed);
    this.#bar = new SmoothBar();
    this.#announced = undefined;
  }

  protected override changed(): void {
    super.changed();
    if (this.store?.job) this.#announce(this.store.job);
  }

  override render(): TemplateResult | typeof nothing {
    const { store } = this;
    if (!store) return nothing;
    const { job } = store;
    if (!job) return this.#withoutJob(store);
    const { now } = store;
    const stale = staleNotice(store.connection, now);
    const wide = !this.narrow && !this.compact;
    return html`<article part="job" class="${this.log === "full" ? "full" : ""} ${stale ? "stale" : ""}">
      ${stale ? html`<p class="notice attention" part="stale">${stale}</p>` : nothing}
      ${identity(store, job, this.#actions(job))}
      ${progressLine(job, store, this.#bar.update(job.fraction, job.attempt, now), now, stale !== "")}
      ${notices(store, job, now)}
      ${wide ? html`<section class="stages" @milepost-select=${this.#selected}>${this.#stages()}</section>` : currentStageLine(job, now)}
      ${this.log === "tail" ? html`<milepost-log-view tail .store=${store}></milepost-log-view>` : nothing}
      ${this.log === "full" ? this.#tabs(job, wide) : nothing}
      <p class="hidden-text" role="status">${this.said}</p>
      <milepost-cancel-sheet .store=${store}></milepost-cancel-sheet>
      <milepost-retry-sheet .store=${store}></milepost-retry-sheet>
    </article>`;
  }

  #withoutJob(store: JobStore): TemplateResult {
    const { connection } = store;
    const jobId = oneLine(store.jobId);
    if (connection.state === "missing") {
      return html`<p class="notice bad" role="alert">
        <span>There is no job <span class="mono">${jobId}</span>, or it is not yours to see.</span>
      </p>`;
    }
    const absence = absenceText(connection);
    if (absence) return html`<p class="notice attention" role="alert">${jobId} ${absence}</p>`;
    return html`<p class="muted">loading…</p>`;
  }

  #actions(job: Job): TemplateResult | typeof nothing {
    if (this.#canRetry)
      return html`<button
        part="retry"
        @click=${() => {
          this.askToRetry();
        }}
      >
        Retry…
      </button>`;
    if (!this.#canCancel) return nothing;
    return html`<button
      part="cancel"
      @click=${() => {
        this.askToCancel();
      }}
    >
      ${job.state === JobState.CANCELLING ? "Cancel sooner…" : "Cancel…"}
    </button>`;
  }

  get #canCancel(): boolean {
    const job = this.store?.job;
    return this.cancel && job !== undefined && !hasEnded(job) && (this.store?.mayCancel ?? false);
  }

  get #canRetry(): boolean {
    const { job, server } = this.store ?? {};
    return this.retry && job !== undefined && isRetryable(job) && (server?.maySubmit(job.kind) ?? false);
  }

  #stages(): TemplateResult {
    return html`<milepost-stages-view
      exportparts="stage, track"
      ?narrow=${this.narrow}
      .store=${this.store}
    ></milepost-stages-view>`;
  }

  #tabs(job: Job, wide: boolean): TemplateResult {
    const tabs: [Tab, string, boolean][] = [
      ["log", "log", true],
      ["stages", `stages (${job.stages.length})`, !wide && job.stages.length > 0],
      ["artifacts", `artifacts (${job.artifacts.length})`, job.artifacts.length > 0],
      ["result", "result", job.result !== undefined],
      ["input", "input", job.input !== undefined],
      ["attempts", `attempts (${job.attempt})`, job.attempt > 0],
      [
        "children",
        this.#childrenLabel(job),
        job.plannedChildren > 0 || (this.store?.children.length ?? 0) > 0,
      ],
      ["events", "events", true],
      ["raw", "raw", true],
    ];
    const shown = tabs.filter(([, , there]) => there);
    const marked = this.event > 0 ? "events" : this.line > 0 ? "log" : undefined;
    const wanted = this.tab ?? marked ?? this.#firstTab(job);
    const tab = shown.some(([name]) => name === wanted) ? wanted : "log";
    return html`<section class="details">
      <div role="tablist" aria-label="details" @keydown=${this.#tabKey}>
        ${shown.map(
          ([name, label]) =>
            html`<button
              role="tab"
              id="tab-${name}"
              class="plain"
              aria-selected=${name === tab}
              aria-controls="panel"
              tabindex=${name === tab ? 0 : -1}
              @click=${() => {
                this.tab = name;
              }}
            >
              ${label}
            </button>`,
        )}
      </div>
      <div role="tabpanel" id="panel" aria-labelledby="tab-${tab}">${this.#panel(tab, job)}</div>
    </section>`;
  }

  /** The tab to open first: the log, if it has lines, else the children, the input or the result. */
  #firstTab(job: Job): Tab {
    const log = this.store?.log;
    const hasLog = !log?.isLoaded || log.hasOlder || numberOf(log.lines) > 0;
    if (job.plannedChildren > 0 && job.stages.length === 0) return "children";
    if (job.attempt === 0) return Object.keys(job.input ?? {}).length > 0 ? "input" : "log";
    return hasEnded(job) && !hasLog && job.result ? "result" : "log";
  }

  #childrenLabel(job: Job): string {
    const { children, hasMoreChildren } = this.store ?? {};
    const number = Math.max(children?.length ?? 0, job.plannedChildren);
    return `children (${number}${hasMoreChildren ? "+" : ""})`;
  }

  #panel(tab: Tab, job: Job): TemplateResult {
    const { store } = this;
    const now = store?.now ?? 0;
    switch (tab) {
      case "log":
        return html`<milepost-log-view
          .stageId=${this.stageId}
          .line=${this.line}
          .store=${store}
        ></milepost-log-view>`;
      case "stages":
        return this.#stages();
      case "artifacts":
        return artifactsPanel(job.artifacts);
      case "result":
        return jsonPanel(job.result, "result");
      case "input":
        return jsonPanel(job.input, "input");
      case "attempts":
        return attemptsPanel(store?.attempts ?? [], now, store?.attemptsError ?? "");
      case "children":
        return childrenPanel({
          children: store?.children ?? [],
          more: store?.hasMoreChildren ?? false,
          error: store?.childrenError ?? "",
          none: !store?.areChildrenLoaded ? "loading…" : hasEnded(job) ? "no children" : "no children yet",
          state: this.childState,
          onState: (state) => (this.childState = state),
          address: (id) => store?.server.jobAddress(id) ?? "",
          now,
        });
      case "events":
        return this.#events();
      case "raw":
        return rawPanel(job);
    }
  }

  /** Few look at events, so that their element is loaded when the first one does. */
  #events(): TemplateResult {
    if (customElements.get(EVENTS))
      return html`<milepost-events-view
        .event=${this.event}
        .store=${this.store}
        @milepost-event=${() => {
          this.tab = "events"; // it stays when the mark, which may have opened it, goes
        }}
      ></milepost-events-view>`;
    if (this.eventsError)
      return html`<p class="failed" role="alert">
        The events cannot be shown (${oneLine(this.eventsError)}). Load the page again.
      </p>`;
    void import("./events/events-view.js").then(
      ({ EventsView }) => {
        if (!customElements.get(EVENTS)) customElements.define(EVENTS, EventsView);
        this.requestUpdate();
      },
      (error: unknown) => (this.eventsError = String(error)),
    );
    return html`<p class="muted">loading…</p>`;
  }

  readonly #tabKey = (event: KeyboardEvent): void => {
    if (hasModifier(event)) return;
    const tabs = [...this.renderRoot.querySelectorAll<HTMLElement>("[role=tab]")];
    const place = tabs.findIndex((tab) => tab.getAttribute("aria-selected") === "true");
    const to = { ArrowRight: place + 1, ArrowLeft: place - 1, Home: 0, End: -1 }[event.key];
    if (to === undefined) return;
    const next = tabs.at(to % tabs.length);
    next?.click();
    next?.focus();
    event.preventDefault();
  };

  readonly #selected = (event: CustomEvent<{ stageId: string }>): void => {
    this.stageId = event.detail.stageId;
  };

  /** The page knows of the mark, which may be in its address. */
  #unmark(name: "line" | "event", changed: PropertyValues): void {
    if (this[name] === 0 || changed.has(name)) return;
    this[name] = 0;
    const detail = { [name]: 0 };
    this.dispatchEvent(new CustomEvent(`milepost-${name}`, { detail, bubbles: true, composed: true }));
  }

  #announce(job: Job): void {
    const said = this.#announced ? milestone(this.#announced, job) : "";
    this.#announced = announcedOf(job);
    if (said) this.said = said;
  }
}
