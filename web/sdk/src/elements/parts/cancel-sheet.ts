import { html, nothing, type TemplateResult } from "lit";
import type { JobStore } from "../live/job-store.js";
import { oneLine } from "../model/plain-text.js";
import { hasEnded } from "../../job-states.js";
import { jobLook } from "../model/state-words.js";
import { dialogStyles } from "./dialog-styles.js";
import { sharedStyles } from "./shared-styles.js";
import { StoreElement } from "./store-element.js";

/** Grace periods to choose from, in seconds. */
const GRACE: readonly (readonly [number, string])[] = [
  [0, "at once, by force"],
  [10, "10 seconds"],
  [30, "30 seconds"],
  [120, "2 minutes"],
  [600, "10 minutes"],
];
const REASON_LENGTH = 4096;

/** Asks whether to cancel a job: why, and how much time its worker gets. */
export class CancelSheet extends StoreElement<JobStore> {
  static override properties = { error: { state: true }, busy: { state: true } };
  static override styles = [sharedStyles, dialogStyles];
  declare error: string;
  declare busy: boolean;
  /** Another one each time the reader is asked: an answer to an earlier question is none to this one. */
  #asking = {};

  constructor() {
    super();
    this.error = "";
    this.busy = false;
  }

  open(): void {
    this.#asking = {};
    this.busy = false;
    this.error = "";
    this.#dialog?.showModal();
  }

  // Whoever is asked about one job is not to cancel another one.
  protected override forget(): void {
    this.#dialog?.close();
  }

  override render(): TemplateResult {
    const job = this.store?.job;
    const ended = job && hasEnded(job) ? jobLook(job.state).word : "";
    return html`<dialog
      aria-labelledby="title"
      @close=${() => {
        this.#asking = {};
        this.busy = false;
      }}
    >
      <form method="dialog" @submit=${this.#submit}>
        <h2 id="title">Cancel this job?</h2>
        <p class="muted">
          <span class="foreign">${oneLine(job?.kind ?? "")}</span>
          <span class="foreign mono">${job?.jobId}</span> and its children will stop.
        </p>
        <label for="reason">Reason</label>
        <textarea
          id="reason"
          rows="2"
          maxlength=${REASON_LENGTH}
          placeholder="for whoever looks at this later"
        ></textarea>
        <label for="grace">Time to stop cleanly</label>
        <select id="grace">
          ${GRACE.map(([seconds, words]) => html`<option value=${seconds} ?selected=${seconds === 30}>${words}</option>`)}
        </select>
        ${ended ? html`<p role="alert">It has ended meanwhile: ${ended}.</p>` : nothing}
        ${this.error ? html`<p class="failed" role="alert">${this.error}</p>` : nothing}
        <div class="actions">
          <button
            type="button"
            @click=${() => {
              this.#dialog?.close();
            }}
          >
            ${ended ? "Close" : "Keep it running"}
          </button>
          <button type="submit" class="danger" ?disabled=${this.busy || ended !== ""}>Cancel the job</button>
        </div>
      </form>
    </dialog>`;
  }

  readonly #submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const reason = this.renderRoot.querySelector("textarea")?.value ?? "";
    const grace = Number(this.renderRoot.querySelector("select")?.value ?? 30);
    const asking = this.#asking;
    this.busy = true;
    let problem = "";
    try {
      await this.store?.cancel(reason, grace);
    } catch (error) {
      problem = error instanceof Error ? error.message : String(error);
    }
    if (asking !== this.#asking) return;
    this.busy = false;
    this.error = problem;
    if (!problem) this.#dialog?.close();
  };

  get #dialog(): HTMLDialogElement | null {
    return this.renderRoot.querySelector("dialog");
  }
}
