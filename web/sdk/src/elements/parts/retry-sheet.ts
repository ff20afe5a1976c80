import { html, nothing, type TemplateResult } from "lit";
import type { JobStore } from "../live/job-store.js";
import { Retry } from "../live/retry.js";
import type { Job } from "../messages.js";
import { oneLine, shortId } from "../model/plain-text.js";
import { dialogStyles } from "./dialog-styles.js";
import { mayOpen } from "./opening.js";
import { sharedStyles } from "./shared-styles.js";
import { StoreElement } from "./store-element.js";

/** Asks whether to submit a job again, as another one. `milepost-open` says which one that is. */
export class RetrySheet extends StoreElement<JobStore> {
  static override properties = { error: { state: true }, busy: { state: true }, retry: { state: true } };
  static override styles = [sharedStyles, dialogStyles];
  declare error: string;
  declare busy: boolean;
  declare retry: Retry | undefined;
  /** A submission of which the reader does not know what became: if it is made again, it makes no second job. */
  #unanswered: { readonly of: string; readonly retry: Retry } | undefined;
  /** Aborted once the question is another one. */
  #asking = new AbortController();

  constructor() {
    super();
    this.error = "";
    this.busy = false;
  }

  open(): void {
    if (this.#dialog?.open) return; // the question may have been answered already
    this.#forgetQuestion();
    this.#dialog?.showModal();
    void this.#prepare();
  }

  // Whoever is asked about one job is not to submit another one.
  protected override forget(): void {
    this.#dialog?.close();
  }

  override render(): TemplateResult {
    const { retry, error } = this;
    const job = this.store?.job;
    return html`<dialog aria-labelledby="title" @close=${this.#forgetQuestion}>
      <form method="dialog" @submit=${this.#submit}>
        <h2 id="title">Retry this job?</h2>
        <p class="muted">
          Another <span class="foreign">${oneLine(job?.kind ?? "", 64)}</span> is submitted as this one was,
          with the same input, labels, stages, limits and retries. This one stays as it is.
        </p>
        ${
          retry && job?.parentJobId && !retry.parentJobId
            ? html`<p>
                Its parent <span class="foreign mono">${shortId(job.parentJobId)}</span> takes no more
                children: the new job has none.
              </p>`
            : nothing
        }
        ${retry && !retry.isPossible ? html`<p class="failed" role="alert">Its input is not kept, so that it cannot be submitted again.</p>` : nothing}
        ${error ? html`<p class="failed" role="alert">${error}</p>` : nothing}
        <div class="actions">
          <button
            type="button"
            @click=${() => {
              this.#dialog?.close();
            }}
          >
            Close
          </button>
          <button
            type="submit"
            class="primary"
            ?disabled=${this.busy || (retry ? !retry.isPossible : !error)}
          >
            Submit it again
          </button>
        </div>
      </form>
    </dialog>`;
  }

  readonly #forgetQuestion = (): void => {
    this.#asking.abort();
    this.#asking = new AbortController();
    this.retry = undefined;
    this.busy = false;
    this.error = "";
  };

  async #prepare(): Promise<void> {
    const { store } = this;
    const { signal } = this.#asking;
    const job = store?.job;
    if (!store || !job) return;
    await this.#try(signal, async () => {
      const last = this.#unanswered;
      const retry = last?.of === nameOf(job) ? last.retry : await Retry.of(store.server.client, job, signal);
      if (!signal.aborted) this.retry = retry;
    });
  }

  readonly #submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const { signal } = this.#asking;
    if (!this.retry) await this.#prepare();
    const { retry, store } = this;
    if (!retry?.isPossible || signal.aborted) return;
    await this.#try(signal, async () => {
      this.#unanswered = { of: nameOf(store?.job), retry };
      const jobId = await retry.submit();
      if (signal.aborted) return;
      this.#unanswered = undefined;
      this.#dialog?.close();
      if (store && mayOpen(this, jobId)) location.href = store.server.jobAddress(jobId);
    });
  };

  async #try(signal: AbortSignal, work: () => Promise<void>): Promise<void> {
    this.busy = true;
    this.error = "";
    try {
      await work();
    } catch (error) {
      if (signal.aborted) return;
      this.store?.server.note(error, "submit");
      this.error = error instanceof Error ? error.message : String(error);
    }
    if (!signal.aborted) this.busy = false;
  }

  get #dialog(): HTMLDialogElement | null {
    return this.renderRoot.querySelector("dialog");
  }
}

/** A job by its id and the log that it is of. */
function nameOf(job: Job | undefined): string {
  return job ? `${job.epoch} ${job.jobId}` : "";
}
