import type { TemplateResult } from "lit";
import { type MilepostJob, pageParts } from "@milepost/client/elements";
import type { KeyHelp } from "./key-help.js";
import { inFragment, setInFragment } from "./fragment.js";
import { pageStyles } from "./page-styles.js";
import type { ShareSheet } from "./share-sheet.js";
import { WindowFit } from "./window-fit.js";

const {
  LitElement,
  html,
  nothing,
  serverAt,
  ticker,
  absenceText,
  chipIcon,
  chipOf,
  grouped,
  oneLine,
  jobLook,
  titleOf,
  sharedStyles,
  Keyboard,
  isForeignKey,
  wholePercent,
  isKnown,
} = pageParts;

/** Pixels that stay in sight above a log that was scrolled to: the head of the page, and the log's controls. */
const ABOVE_LOG = 112;

/** The job that the address names. What cannot be decoded is the id of no job, and is shown as it stands. */
function jobIdOf(path: string): string {
  const part = path.split("/").at(-1) ?? "";
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** The line or the event that the address marks: `#line=1204`; 0 for none. */
function markedIn(name: "line" | "event"): number {
  const sequence = Number(inFragment(name));
  return Number.isSafeInteger(sequence) ? Math.max(sequence, 0) : 0;
}

/** The page of one job. */
export class JobPage extends LitElement {
  static override styles = [sharedStyles, pageStyles];
  readonly #store = serverAt().job(jobIdOf(location.pathname));
  readonly #keyboard = new Keyboard();
  #line = markedIn("line");
  #event = markedIn("event");
  #leave: (() => void)[] = [];

  constructor() {
    super();
    const log = () =>
      (this.#element?.logView ?? this.#element?.eventsView)?.renderRoot.querySelector(".view");
    new WindowFit(this, "--milepost-log-height", log, ABOVE_LOG);
  }

  override connectedCallback(): void {
    super.connectedCallback();
    const update = (): void => {
      this.requestUpdate();
    };
    this.#leave = [this.#store.subscribe(update), ticker.add(update)];
    document.addEventListener("keydown", this.#keydown);
    addEventListener("hashchange", this.#read);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    for (const leave of this.#leave) leave();
    document.removeEventListener("keydown", this.#keydown);
    removeEventListener("hashchange", this.#read);
  }

  override render(): TemplateResult {
    const store = this.#store;
    const { job, server } = store;
    const chip = chipOf(store.connection, server.clock.now());
    const isMissing = store.connection.state === "missing";
    const isSignedOut = store.connection.state === "unauthenticated";
    this.#title();
    return html`
      <nav aria-label="place">
        <a href=${server.address}>milepost</a><span class="muted crumb" aria-hidden="true">/</span>
        <a class="foreign cut crumb" href=${`${server.address}?kind=${encodeURIComponent(job?.kind ?? "")}`}
          >${oneLine(job?.kind ?? (absenceText(store.connection) ? store.jobId : "…"), 64)}</a
        >
        <span class="chip ${chip.tone}" aria-hidden="true">${chipIcon(chip.shape)} ${chip.text}</span>
        <span class="hidden-text" role="status">${chip.milestone}</span>
        ${
          job
            ? html`<span class="event muted" title="cursor ${store.epoch}:${job.lastSequence}"
                  >event ${grouped(job.lastSequence)}
                  <milepost-copy
                    .text=${`${store.epoch}:${job.lastSequence}`}
                    .label=${"copy the cursor of the newest event"}
                  ></milepost-copy
                ></span>
                <milepost-copy
                  class="command"
                  .text=${`milepost watch ${store.jobId}`}
                  .label=${"copy the command that shows this job in a terminal"}
                  ><span class="mono">milepost watch</span></milepost-copy
                >
                ${server.may("share") ? html`<button @click=${this.#share}>Share…</button>` : nothing}`
            : nothing
        }
      </nav>
      <main>
        ${
          isSignedOut
            ? html`<milepost-sign-in
                message=${server.isShared || store.connection.expired ? store.connection.error : ""}
                ?shared=${server.isShared}
              ></milepost-sign-in>`
            : job
              ? nothing
              : html`<h1 class="hidden-text">Job ${oneLine(store.jobId)}</h1>`
        }
        ${
          isSignedOut && !job
            ? nothing
            : html`<milepost-job
                log="full"
                cancel
                retry
                .line=${this.#line}
                .event=${this.#event}
                .store=${store}
                @milepost-line=${this.#writeLine}
                @milepost-event=${this.#writeEvent}
              ></milepost-job>`
        }
        ${isMissing ? html`<p><a href=${server.address}>Show all jobs</a></p>` : nothing}
      </main>
      <milepost-share-sheet .store=${store}></milepost-share-sheet>
      <milepost-key-help></milepost-key-help>
    `;
  }

  #title(): void {
    const { job } = this.#store;
    if (!job) return;
    const done = isKnown(job) && job.attempt > 0 ? ` ${wholePercent(job.fraction)} %` : "";
    document.title = [`${jobLook(job.state).word}${done}`, oneLine(job.kind, 64), titleOf(job)]
      .filter(Boolean)
      .join(" · ");
  }

  get #element(): MilepostJob | null {
    return this.renderRoot.querySelector("milepost-job");
  }

  readonly #read = (): void => {
    this.#line = markedIn("line");
    this.#event = markedIn("event");
    this.requestUpdate();
  };

  // The address of the page is then that of the line or the event, to be sent to others.
  readonly #writeLine = (event: CustomEvent<{ line: number }>): void => {
    this.#line = event.detail.line;
    this.#write("line", this.#line);
  };

  readonly #writeEvent = (event: CustomEvent<{ event: number }>): void => {
    this.#event = event.detail.event;
    this.#write("event", this.#event);
  };

  #write(name: string, sequence: number): void {
    setInFragment(name, sequence > 0 ? `${sequence}` : undefined);
    this.requestUpdate();
  }

  readonly #share = (): void => {
    this.renderRoot.querySelector<ShareSheet>("milepost-share-sheet")?.open();
  };

  readonly #keydown = (event: KeyboardEvent): void => {
    if (isForeignKey(event)) return;
    const command = this.#keyboard.press(event.key, event.timeStamp);
    const element = this.#element;
    if (!command || !element) return;
    switch (command) {
      case "search":
        element.show("log");
        void element.updateComplete.then(() => element.logView?.search());
        break;
      case "next":
        element.stages?.move(1);
        break;
      case "previous":
        element.stages?.move(-1);
        break;
      case "toggle":
        element.stages?.toggle();
        break;
      case "follow":
        (element.logView ?? element.eventsView)?.toggleFollow();
        break;
      case "cancel":
        element.askToCancel();
        break;
      case "retry":
        element.askToRetry();
        break;
      case "list":
        location.href = this.#store.server.address;
        break;
      case "help":
        this.renderRoot.querySelector<KeyHelp>("milepost-key-help")?.toggle();
        break;
      default:
        return;
    }
    event.preventDefault();
  };
}
