import type { TemplateResult } from "lit";
import { pageParts } from "@milepost/client/elements";

const { LitElement, css, html, KEYS, sharedStyles, dialogStyles } = pageParts;

/** The keys of a page, and what they do. */
export class KeyHelp extends LitElement {
  static override properties = { without: { attribute: false } };
  static override styles = [
    sharedStyles,
    dialogStyles,
    css`
      dl {
        display: grid;
        grid-template-columns: auto 1fr;
        gap: 6px 16px;
        margin: 12px 0 0;
      }
      dd {
        margin: 0;
      }
      kbd {
        padding: 1px 6px;
        border: 1px solid var(--_line);
        border-radius: 3px;
        font: 12px var(--_mono);
      }
    `,
  ];

  /** The commands that the page does not have. */
  declare without: readonly string[];

  constructor() {
    super();
    this.without = [];
  }

  /** Show the keys, or hide them. */
  toggle(): void {
    const dialog = this.renderRoot.querySelector("dialog");
    if (dialog?.open) dialog.close();
    else dialog?.showModal();
  }

  override render(): TemplateResult {
    return html`<dialog aria-labelledby="title">
      <h2 id="title">Keys</h2>
      <dl>
        ${KEYS.filter(([, command]) => !this.without.includes(command)).map(
          ([keys, , what]) =>
            html`<dt>${keys.split(" ").map((key) => html`<kbd>${key}</kbd> `)}</dt>
              <dd>${what}</dd>`,
        )}
      </dl>
      <form method="dialog" class="actions"><button>Close</button></form>
    </dialog>`;
  }
}
