import type { Job } from "../messages.js";
import { hasEnded } from "../../job-states.js";

/** Fires `milepost-change` for each state of a job, and `milepost-end` once; `detail.job` is the job. */
export class JobEvents {
  #last: Job | undefined;

  constructor(readonly element: HTMLElement) {}

  tell(job: Job): void {
    const before = this.#last?.jobId === job.jobId ? this.#last : undefined;
    if (job === before) return;
    this.#last = job;
    this.#fire("milepost-change", job);
    if (hasEnded(job) && !(before && hasEnded(before))) this.#fire("milepost-end", job);
  }

  #fire(name: string, job: Job): void {
    this.element.dispatchEvent(new CustomEvent(name, { detail: { job }, bubbles: true, composed: true }));
  }
}
