/** What people call a job: jobs have no title of their own, and a label is what a submitter can say of one. */

import type { Job } from "../messages.js";
import { oneLine } from "./plain-text.js";

/** The label that is shown as the title of a job. */
export const TITLE_LABEL = "title";

/** The title of a job; empty for most. */
export function titleOf({ labels }: Job): string {
  return oneLine(labels[TITLE_LABEL] ?? "", 128);
}
