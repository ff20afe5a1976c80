import { css, html, nothing, type TemplateResult } from "lit";
import type { Server } from "./live/server.js";
import type { WatchedJob } from "./live/watched-job.js";
import { absenceText, chipOf } from "./model/connection-text.js";
import { SmoothBar } from "./model/smooth-bar.js";
import { isKnown, jobLook } from "./model/state-words.js";
import { stateIcon } from "./parts/icons.js";
import { remainingCell } from "./model/estimate-text.js";
import { JobElement } from "./parts/job-element.js";
import { progressBar, progressText } from "./parts/job-head.js";
import { sharedStyles } from "./parts/shared-styles.js";

/**
 * The progress of a job in one line, also in the cell of a table: `<milepost-progress job-id="…">`.
 *
 * Attributes: `job-id`, and `server` as `<milepost-job>` has it. Events: `milepost-change` and `milepost-end`.
 */
export class MilepostProgress extends JobElement<WatchedJob> {
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
  #bar = new SmoothBar();

  protected override storeOf(server: Server, jobId: string): WatchedJob {
    return server.progressOf(jobId);
  }

  protected override forget(): void {
    this.#bar = new SmoothBar();
  }

  override render(): TemplateResult | typeof nothing {
    const { store } = this;
    if (!store) return nothing;
    const { job } = store;
    if (!job) {
      const absence = store.connection.state === "missing" ? "no such job" : absenceText(store.connection);
      return html`<span class="muted cut" title=${absence}>${absence || "…"}</span>`;
    }
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
