import { LitElement, css, html, type TemplateResult } from "lit";
import { copyIcon } from "./icons.js";
import { sharedStyles } from "./shared-styles.js";

const SHOWN_MILLISECONDS = 1500;

/** A button that copies `text`, and says so. */
export class CopyButton extends LitElement {
  static override properties = { text: {}, label: {}, done: { state: true } };
  static override styles = [
    sharedStyles,
    css`
      :host {
        display: inline-block;
      }
      button.plain {
        display: inline-flex;
        gap: 6px;
        align-items: center;
        color: var(--_muted);
      }
      ::slotted(*) {
        margin-inline-end: 6px;
      }
      @media (forced-colors: active) {
        /* Its border is drawn there, and stood against the text before it. */
        button.plain {
          margin-inline-start: 4px;
        }
      }
    `,
  ];
  declare text: string;
  /** What is copied, for people: `copy the job's id`. */
  declare label: string;
  declare done: string;
  #hiding: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    super();
    this.text = "";
    this.label = "copy";
    this.done = "";
  }

  override render(): TemplateResult {
    return html`<button
        class="plain"
        part="button"
        title=${this.label}
        aria-label=${this.label}
        @click=${this.#copy}
      >
        <slot></slot>${copyIcon()}</button
      ><span role="status" class=${this.done ? "" : "hidden-text"}>${this.done}</span>`;
  }

  readonly #copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(this.text);
      this.done = "copied";
    } catch {
      this.done = "The browser does not allow copying.";
    }
    clearTimeout(this.#hiding);
    this.#hiding = setTimeout(() => {
      this.done = "";
    }, SHOWN_MILLISECONDS);
  };
}
