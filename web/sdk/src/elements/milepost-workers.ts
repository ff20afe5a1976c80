import { LitElement, css, html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { isHidden, whenShown } from "../watch/page.js";
import { serverAt } from "./live/server.js";
import type { ServerConnection } from "./live/server-connection.js";
import { ticker } from "./live/ticker.js";
import type { ConnectedWorker } from "./messages.js";
import { absolute, age, instantOf } from "./model/instants.js";
import { oneLine, shortId } from "./model/plain-text.js";
import { onlyClaims, workersText } from "./model/worker-text.js";
import { narrowTables } from "./parts/narrow-tables.js";
import { sharedStyles } from "./parts/shared-styles.js";

/** Milliseconds between two calls: there is no stream of workers. */
const POLL_INTERVAL_MS = 5000;
/** Workers in the table; the line above it counts all. */
const TABLE_LIMIT = 200;

/**
 * The connected workers, in one line that unfolds: `<milepost-workers kind="…">`. It is empty unless the caller may see them.
 *
 * Attributes: `kind`, for the workers that take it; `server`, as `<milepost-job>` has it; `quiet`, to show nothing where no
 * worker is connected, such as beside jobs that engines claim.
 */
export class MilepostWorkers extends LitElement {
  static override properties = { kind: {}, server: {}, quiet: { type: Boolean }, workers: { state: true } };
  static override styles = [
    sharedStyles,
    css`
      :host {
        container-type: inline-size;
        margin-bottom: 8px;
      }
      summary {
        cursor: pointer;
        color: var(--_muted);
      }
      .area {
        max-height: 40vh;
        margin: 4px 0 12px;
        overflow: auto;
      }
      table {
        width: 100%;
        border-collapse: collapse;
      }
      th,
      td {
        padding: 4px 12px 4px 0;
        border-top: 1px solid var(--_line);
        font-weight: normal;
        text-align: start;
        vertical-align: top;
        overflow-wrap: anywhere;
      }
      thead th {
        border: 0;
        color: var(--_muted);
      }
    `,
    narrowTables,
  ];
  declare kind: string;
  declare server: string;
  declare quiet: boolean;
  /** Undefined until they are known, and where the caller may not see them. */
  declare workers: readonly ConnectedWorker[] | undefined;
  #askedAt = -Infinity;
  #untick: (() => void) | undefined;

  constructor() {
    super();
    this.kind = this.server = "";
    this.quiet = false;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#untick = ticker.add(() => void this.#ask());
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#untick?.();
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (!changed.has("kind") && !changed.has("server")) return;
    this.workers = undefined;
    this.#askedAt = -Infinity;
    void this.#ask();
  }

  override render(): TemplateResult | typeof nothing {
    const { workers, kind } = this;
    if (!workers || (this.quiet && workers.length === 0)) return nothing;
    const text = workersText(workers, kind);
    if (workers.length === 0) return html`<p class="muted" part="workers">${text}</p>`;
    const now = this.#connection.clock.now();
    return html`<details part="workers">
      <summary class="foreign">${text}</summary>
      <div class="area" tabindex="0" role="group" aria-label="workers">
        <table>
          <thead>
            <tr>
              <th scope="col">worker</th>
              <th scope="col">jobs</th>
              <th scope="col">takes</th>
              <th scope="col">node</th>
              <th scope="col">connected</th>
              <th scope="col">heard</th>
            </tr>
          </thead>
          <tbody>
            ${workers.slice(0, TABLE_LIMIT).map((worker) => this.#row(worker, now))}
          </tbody>
        </table>
      </div>
    </details>`;
  }

  #row(worker: ConnectedWorker, now: number): TemplateResult {
    const { workerId, peer, node, sdk, kinds, jobIds, jobCount, maxConcurrency } = worker;
    return html`<tr>
      <th
        scope="row"
        class="foreign mono own-line"
        title=${`${oneLine(workerId)}\n${oneLine(peer)}\n${oneLine(sdk)}`}
      >
        ${oneLine(workerId, 64)}
      </th>
      <td data-label="jobs">
        <span title="jobs, of as many as it takes at once"
          >${jobCount}${onlyClaims(worker) ? nothing : ` of ${maxConcurrency}`}</span
        >
        ${jobIds.slice(0, 5).map((jobId) => html`<a class="mono" href=${this.#connection.jobAddress(jobId)}>${shortId(jobId)}</a> `)}
      </td>
      <td class="foreign own-line" data-label="takes">
        ${onlyClaims(worker) ? html`<span class="muted">what it claims</span>` : kinds.map((kind) => oneLine(kind, 64)).join(", ")}
      </td>
      <td class="foreign" data-label="node">${oneLine(node, 64)}</td>
      <td data-label="connected">${since(worker.connectTime, now)}</td>
      <td data-label="heard">${since(worker.lastHeardTime, now)}</td>
    </tr>`;
  }

  get #connection(): ServerConnection {
    return serverAt(this.server);
  }

  async #ask(): Promise<void> {
    if (isHidden() || performance.now() - this.#askedAt < POLL_INTERVAL_MS) return;
    this.#askedAt = performance.now();
    const { kind, server } = this;
    const connection = this.#connection;
    await connection.whoAmI();
    if (!connection.may("see workers")) return;
    const workers: ConnectedWorker[] = [];
    try {
      await whenShown();
      for await (const worker of connection.client.listWorkers(kind)) {
        workers.push(worker);
        await whenShown(); // the next worker may be of another page
      }
    } catch (error) {
      // What was shown stays, and the next call tries again.
      connection.note(error, "see workers");
      return;
    }
    if (kind === this.kind && server === this.server) this.workers = workers;
  }
}

function since(
  time: Parameters<typeof instantOf>[0] | undefined,
  now: number,
): TemplateResult | typeof nothing {
  const instant = instantOf(time);
  return instant === undefined
    ? nothing
    : html`<span title=${absolute(instant)}>${age((now - instant) / 1000)} ago</span>`;
}
