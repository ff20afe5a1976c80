import type { TemplateResult } from "lit";
import { pageParts } from "@milepost/client/elements";

const { LitElement, css, html, nothing, sharedStyles, dialogStyles, absolute, instantOf } = pageParts;
type JobStore = ReturnType<ReturnType<typeof pageParts.serverAt>["job"]>;

const LIFETIMES: readonly (readonly [number, string])[] = [
  [15 * 60, "15 minutes"],
  [3600, "1 hour"],
  [86_400, "1 day"],
  [7 * 86_400, "7 days"],
];

/** Makes a link to one job for people who have no credential; its token stands in the fragment, which no server sees. */
export class ShareSheet extends LitElement {
  static override properties = {
    store: { attribute: false },
    link: { state: true },
    until: { state: true },
    error: { state: true },
  };
  static override styles = [
    sharedStyles,
    dialogStyles,
    css`
      .link {
        display: flex;
        gap: 8px;
        margin-top: 12px;
      }
      .link input {
        flex: 1;
        min-width: 0;
      }
    `,
  ];
  declare store: JobStore | undefined;
  declare link: string;
  declare until: string;
  declare error: string;
  /** Aborted once its answer would be one to an earlier question. */
  #asking = new AbortController();

  constructor() {
    super();
    this.link = this.until = this.error = "";
  }

  open(): void {
    this.#forget();
    this.renderRoot.querySelector("dialog")?.showModal();
  }

  /** What is shown, or on its way, is of other choices, or of another job. */
  readonly #forget = (): void => {
    this.#asking.abort();
    this.#asking = new AbortController();
    this.link = this.error = "";
  };

  override render(): TemplateResult {
    return html`<dialog aria-labelledby="title">
      <form method="dialog" @submit=${this.#share} @change=${this.#forget}>
        <h2 id="title">Share this job</h2>
        <p class="muted">Whoever has the link sees this job and its children, and nothing else.</p>
        <label for="ttl">For</label>
        <select id="ttl">
          ${LIFETIMES.map(([seconds, words]) => html`<option value=${seconds}>${words}</option>`)}
        </select>
        <label><input type="checkbox" id="cancel" /> may also cancel it</label>
        ${this.error ? html`<p class="failed" role="alert">${this.error}</p>` : nothing}
        ${
          this.link
            ? html`<div class="link">
                  <input
                    readonly
                    aria-label="link"
                    .value=${this.link}
                    @focus=${(event: FocusEvent) => {
                      (event.target as HTMLInputElement).select();
                    }}
                  />
                  <milepost-copy .text=${this.link} .label=${"copy the link"}></milepost-copy>
                </div>
                <p class="muted">until ${this.until}</p>`
            : nothing
        }
        <div class="actions">
          <button
            type="button"
            @click=${() => {
              this.renderRoot.querySelector("dialog")?.close();
            }}
          >
            Close
          </button>
          <button type="submit" class="primary">Make a link</button>
        </div>
      </form>
    </dialog>`;
  }

  readonly #share = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const { store } = this;
    if (!store) return;
    this.#forget();
    const { signal } = this.#asking;
    const seconds = Number(this.renderRoot.querySelector("select")?.value);
    const scopes: ("read" | "cancel")[] = ["read"];
    if (this.renderRoot.querySelector<HTMLInputElement>("#cancel")?.checked) scopes.push("cancel");
    try {
      const { token, expireTime } = await store.server.client.shareJob(store.jobId, {
        ttlMs: seconds * 1000,
        scopes,
        signal,
      });
      this.link = `${store.server.jobAddress(store.jobId).split("#")[0] ?? ""}#token=${token}`;
      // In whole seconds.
      this.until = expireTime ? absolute(instantOf(expireTime)).replace(/\.\d+/, "") : "it expires";
    } catch (error) {
      if (signal.aborted) return;
      this.error = error instanceof Error ? error.message : String(error);
    }
  };
}
