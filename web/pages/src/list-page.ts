import type { TemplateResult } from "lit";
import { type MilepostJobs, pageParts } from "@milepost/client/elements";
import { KeyHelp } from "./key-help.js";
import { pageStyles } from "./page-styles.js";
import { WindowFit } from "./window-fit.js";

const {
  LitElement,
  html,
  nothing,
  oneLine,
  serverAt,
  ticker,
  chipIcon,
  chipOf,
  sharedStyles,
  Keyboard,
  isForeignKey,
  filterOf,
  queryOf,
  needsWorkers,
} = pageParts;

type JobsStore = ReturnType<ReturnType<typeof serverAt>["jobs"]>;

/** Commands that only the page of a job has. */
const OF_A_JOB: readonly string[] = ["follow", "cancel", "retry", "list"];

/** The page of all jobs. Its filter stands in its address. */
export class ListPage extends LitElement {
  static override styles = [sharedStyles, pageStyles];
  readonly #keyboard = new Keyboard();
  #filter = filterOf(location.search);
  #store: JobsStore | undefined;
  /** Why the last attempt to sign out failed. */
  #stillSignedIn = "";
  #leaveStore = (): void => undefined;
  #leave: (() => void)[] = [];

  constructor() {
    super();
    const list = () =>
      this.renderRoot.querySelector("milepost-jobs")?.renderRoot.querySelector("[part=list]");
    new WindowFit(this, "--milepost-list-height", list);
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#leave = [
      ticker.add(() => {
        this.requestUpdate();
      }),
    ];
    document.addEventListener("keydown", this.#keydown);
    addEventListener("popstate", this.#read);
    void serverAt()
      .whoAmI()
      .then(() => {
        this.requestUpdate();
      });
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    for (const leave of this.#leave) leave();
    this.#leaveStore();
    this.#store = undefined;
    document.removeEventListener("keydown", this.#keydown);
    removeEventListener("popstate", this.#read);
  }

  override render(): TemplateResult {
    const server = serverAt();
    const store = server.jobs(this.#filter);
    this.#follow(store);
    const { connection } = store;
    const isSignedOut = connection.state === "unauthenticated";
    const chip = chipOf(connection, server.clock.now());
    return html`<nav aria-label="place">
        <a href=${server.address} aria-current="page">milepost</a>
        <span class="chip ${chip.tone}" aria-hidden="true">${chipIcon(chip.shape)} ${chip.text}</span>
        <span class="hidden-text" role="status">${chip.milestone}</span>
        ${
          server.user && !isSignedOut
            ? html`<span class="foreign cut muted">${oneLine(server.user, 64)}</span>
                ${this.#stillSignedIn ? html`<span class="failed" role="alert">${this.#stillSignedIn}</span>` : nothing}
                <button @click=${this.#signOut}>Sign out</button>`
            : nothing
        }
      </nav>
      <main>
        <h1 class="hidden-text">Jobs</h1>
        ${isSignedOut ? html`<milepost-sign-in message=${connection.expired ? connection.error : ""}></milepost-sign-in>` : nothing}
        <milepost-workers ?quiet=${!needsWorkers(store.all())}></milepost-workers>
        ${
          isSignedOut && store.all().next().done
            ? nothing
            : html`<milepost-jobs
                controls
                .filter=${this.#filter}
                @milepost-filter=${this.#write}
              ></milepost-jobs>`
        }
      </main>
      <milepost-key-help .without=${OF_A_JOB}></milepost-key-help>`;
  }

  #follow(store: JobsStore): void {
    if (store === this.#store) return;
    this.#store = store;
    const leave = this.#leaveStore;
    this.#leaveStore = store.subscribe(() => {
      this.requestUpdate();
    });
    leave();
  }

  readonly #read = (): void => {
    this.#filter = filterOf(location.search);
    this.requestUpdate();
  };

  readonly #write = (event: CustomEvent<{ filter: ReturnType<typeof filterOf> }>): void => {
    this.#filter = event.detail.filter;
    history.replaceState(null, "", `${location.pathname}${queryOf(this.#filter)}${location.hash}`);
    this.requestUpdate();
  };

  readonly #signOut = async (): Promise<void> => {
    try {
      const { ok, status } = await fetch(`${serverAt().address}v1/session:clear`, { method: "POST" });
      if (ok) location.reload();
      else this.#stillSignedIn = `still signed in: status ${status}`;
    } catch {
      this.#stillSignedIn = "still signed in: no connection";
    }
    this.requestUpdate();
  };

  readonly #keydown = (event: KeyboardEvent): void => {
    const list = this.renderRoot.querySelector<MilepostJobs>("milepost-jobs");
    if (!list || isForeignKey(event)) return;
    switch (this.#keyboard.press(event.key, event.timeStamp)) {
      case "search":
        list.search();
        break;
      case "next":
        list.move(1);
        break;
      case "previous":
        list.move(-1);
        break;
      case "toggle":
        list.open();
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
