import type { TemplateResult } from "lit";
import { pageParts } from "@milepost/client/elements";
import { forgetSharedToken } from "./shared-token.js";

const { LitElement, css, html, nothing, serverAt, sharedStyles } = pageParts;

/** What can be sent: browsers refuse other characters in a header, as if there were no connection. */
const TOKEN = /^[\x21-\x7e]+$/;

/**
 * Asks for a token, and changes it into a cookie that scripts cannot read. `message` is why the credential of before is refused:
 * empty where there was none, since a server's words for that are for programs.
 */
export class SignIn extends LitElement {
  static override properties = { error: { state: true }, message: {}, shared: { type: Boolean } };
  static override styles = [
    sharedStyles,
    css`
      form {
        max-width: 420px;
        margin: 12vh auto 0;
      }
      h1 {
        margin: 0 0 4px;
        font-size: 16px;
      }
      .line {
        display: flex;
        gap: 8px;
        margin-top: 12px;
      }
      input {
        flex: 1;
        min-width: 0;
      }
    `,
  ];
  declare error: string;
  declare message: string;
  /** Whether the page was opened by a share link. */
  declare shared: boolean;

  constructor() {
    super();
    this.error = this.message = "";
    this.shared = false;
  }

  override render(): TemplateResult {
    return html`<form @submit=${this.#submit}>
      <h1>Sign in</h1>
      ${this.message ? html`<p role="status">${this.message}</p>` : nothing}
      <p class="muted">
        ${this.shared ? "With a token of your own you need no link." : "This server needs a token."} Its
        operator makes one with <code>milepost token create</code>.
      </p>
      <div class="line">
        <input type="password" autocomplete="off" aria-label="token" placeholder="token" required />
        <button class="primary">Sign in</button>
      </div>
      ${this.error ? html`<p class="failed" role="alert">${this.error}</p>` : nothing}
    </form>`;
  }

  readonly #submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const token = this.renderRoot.querySelector("input")?.value.trim() ?? "";
    if (!TOKEN.test(token)) {
      this.error = "This is no token: one has ASCII letters, digits and marks only, and no spaces.";
      return;
    }
    try {
      const response = await fetch(`${serverAt().address}v1/session`, {
        method: "POST",
        headers: { Authorization: `Bearer ${token}` },
      });
      const answer = await answerOf(response);
      if (response.ok && answer) {
        forgetSharedToken(); // it was refused, and must not be tried again
        location.reload();
        return;
      }
      this.error =
        answer?.error?.message ?? `A proxy answered in the server's place: status ${response.status}.`;
    } catch {
      this.error = "The server cannot be reached: no connection.";
    }
  };
}

/** What the server says; undefined where a proxy answered in its place, with a page or with nothing. */
async function answerOf(response: Response): Promise<{ error?: { message?: string } } | undefined> {
  try {
    return (await response.json()) as { error?: { message?: string } };
  } catch {
    return undefined;
  }
}
