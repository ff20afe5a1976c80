import { css, html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { serverAt } from "./live/server.js";
import type { WatchedJob } from "./live/watched-job.js";
import { chipOf } from "./model/connection-text.js";
import { SmoothBar } from "./model/smooth-bar.js";
import { isKnown, jobLook } from "./model/state-words.js";
import { stateIcon } from "./parts/icons.js";
import { JobEvents } from "./parts/job-events.js";
import { remainingCell } from "./model/estimate-text.js";
import { progressBar, progressText } from "./parts/job-head.js";
import { sharedStyles } from "./parts/shared-styles.js";
import { StoreElement } from "./parts/store-element.js";

/**
 * The progress of a job in one line, also in the cell of a table: `<milepost-progress job-id="…">`.
 *
 * Attributes: `job-id`, and `server` as `<milepost-job>` has it. Events: `milepost-change` and `milepost-end`.
 */
export class MilepostProgress extends StoreElement<WatchedJob> {
  static override properties = { jobId: { attribute: "job-id" }, server: {} };
  static override styles = [
    sharedStyles,
    css`
      :host {
        display: inline-flex;
        align-items: center;
        gap: 8px;
        width: 100%;
        min-width: 0;
        white-space: nowrap;
      }
      .bar {
        flex: 1 1 60px;
        min-width: 24px;
      }
      .percent {
        min-width: 44px;
        text-align: end;
      }
    `,
  ];
  declare jobId: string;
  declare server: string;
  readonly #bar = new SmoothBar();
  readonly #events = new JobEvents(this);

  constructor() {
    super();
    this.jobId = this.server = "";
  }

  protected override willUpdate(changed: PropertyValues): void {
    if ((changed.has("jobId") || changed.has("server")) && this.jobId) {
      this.store = serverAt(this.server).progressOf(this.jobId);
    }
    super.willUpdate(changed);
  }

  protected override changed(): void {
    super.changed();
    if (this.store?.job) this.#events.tell(this.store.job);
  }

  override render(): TemplateResult {
    const { store } = this;
    const job = store?.job;
    if (!store || !job)
      return html`<span class="muted">${store?.connection.state === "missing" ? "no such job" : "…"}</span>`;
    const { now } = store;
    const { word, shape } = jobLook(job.state);
    const chip = chipOf(store.connection, now);
    const left = chip.stale ? "" : remainingCell(job, now);
    return html`<span class=${shape} part="state" title=${word}
        >${stateIcon(shape)}<span class="hidden-text">${word}</span></span
      >
      ${progressBar(job, this.#bar.update(job.fraction, job.attempt, now), isKnown(job), shape)}
      <span class="percent" part="percent">${progressText(job)}</span>
      ${left ? html`<span class="muted" part="remaining">${left}</span>` : nothing}
      ${chip.stale ? html`<span class="muted" title=${chip.text}>stale</span>` : nothing}`;
  }
}
