import { LitElement, type PropertyDeclarations, type PropertyValues } from "lit";
import { ticker } from "../live/ticker.js";
import type { WatchedJob } from "../live/watched-job.js";

/** An element that shows a job, and is drawn again when its store changes and once a second. */
export abstract class StoreElement<Store extends WatchedJob> extends LitElement {
  static override properties: PropertyDeclarations = { store: { attribute: false } };
  declare store: Store | undefined;
  #subscribed: Store | undefined;
  #unsubscribe: (() => void) | undefined;
  /** Of the log that was shown last; empty before. */
  #epoch = "";
  #untick: (() => void) | undefined;

  override connectedCallback(): void {
    super.connectedCallback();
    this.#untick = ticker.add(() => {
      if (this.store?.isMoving) this.requestUpdate();
    });
    this.#subscribe();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#untick?.();
    this.#unsubscribe?.();
    this.#subscribed = undefined;
  }

  protected override willUpdate(changed: PropertyValues): void {
    super.willUpdate(changed);
    const before: unknown = changed.get("store");
    const epoch = this.store?.job?.epoch ?? "";
    const isOtherJob = before !== undefined && before !== this.store;
    const isOtherLog = this.#epoch !== "" && epoch !== "" && epoch !== this.#epoch;
    if (isOtherJob || isOtherLog) this.forget?.(changed);
    if (isOtherJob || epoch) this.#epoch = epoch;
    if (this.isConnected) this.#subscribe();
  }

  /**
   * Another job is shown from here on, or another log of the same id: what the reader has chosen of the one before is none of
   * its, unless it has come with the change. Most elements keep nothing of a job.
   */
  protected forget?(changed: PropertyValues): void;

  /** The store has changed. */
  protected changed(): void {
    this.requestUpdate();
  }

  #subscribe(): void {
    if (this.store === this.#subscribed) return;
    this.#unsubscribe?.();
    this.#subscribed = this.store;
    this.#unsubscribe = this.store?.subscribe(() => {
      this.changed();
    });
  }
}
