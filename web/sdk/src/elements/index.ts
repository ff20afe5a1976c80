/** Custom elements that show jobs live, and who works on them. */

import { MilepostJob } from "./milepost-job.js";
import { MilepostJobs } from "./milepost-jobs.js";
import { MilepostProgress } from "./milepost-progress.js";
import { MilepostWorkers } from "./milepost-workers.js";
import { CancelSheet } from "./parts/cancel-sheet.js";
import { CopyButton } from "./parts/copy-button.js";
import { LogView } from "./parts/log-view.js";
import { RetrySheet } from "./parts/retry-sheet.js";
import { StagesView } from "./parts/stages-view.js";

export { configure } from "./live/server.js";
export { MilepostJob, MilepostJobs, MilepostProgress, MilepostWorkers };

const elements: readonly (readonly [string, CustomElementConstructor])[] = [
  ["milepost-copy", CopyButton],
  ["milepost-cancel-sheet", CancelSheet],
  ["milepost-retry-sheet", RetrySheet],
  ["milepost-log-view", LogView],
  ["milepost-stages-view", StagesView],
  ["milepost-job", MilepostJob],
  ["milepost-jobs", MilepostJobs],
  ["milepost-progress", MilepostProgress],
  ["milepost-workers", MilepostWorkers],
];

for (const [name, element] of elements) if (!customElements.get(name)) customElements.define(name, element);

declare global {
  interface HTMLElementTagNameMap {
    "milepost-job": MilepostJob;
    "milepost-jobs": MilepostJobs;
    "milepost-progress": MilepostProgress;
    "milepost-workers": MilepostWorkers;
  }
}

/** For Milepost's own pages; it changes without notice. */
export * as pageParts from "./page-parts.js";
