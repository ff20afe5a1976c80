import type { PropertyDeclarations, PropertyValues } from "lit";
import type { Server } from "../live/server.js";
import { serverAt } from "../live/server.js";
import type { WatchedJob } from "../live/watched-job.js";
import { JobEvents } from "./job-events.js";
import { StoreElement } from "./store-element.js";

/** An element that a host page uses for a job: `job-id` names it, `server` where it is. It fires events of the job. */
export abstract class JobElement<Store extends WatchedJob> extends StoreElement<Store> {
  static override properties: PropertyDeclarations = { jobId: { attribute: "job-id" }, server: {} };
  declare jobId: string;
  declare server: string;
  readonly #events = new JobEvents(this);

  constructor() {
    super();
    this.jobId = this.server = "";
  }

  /** The store of a job that this element needs. */
  protected abstract storeOf(server: Server, jobId: string): Store;

  protected override willUpdate(changed: PropertyValues): void {
    if (changed.has("jobId") || changed.has("server")) {
      if (this.jobId) this.store = this.storeOf(serverAt(this.server), this.jobId);
      else if (changed.get("jobId")) this.store = undefined;
    }
    super.willUpdate(changed);
  }

  protected override changed(): void {
    super.changed();
    if (this.store?.job) this.#events.tell(this.store.job);
  }
}
