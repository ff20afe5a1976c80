/** A job that is submitted again as another one: what is to be submitted, and the call. */

import type { MilepostClient } from "../../client.js";
import { hasReason } from "../../errors.js";
import { Fold } from "../../fold/index.js";
import { randomId } from "../../random-id.js";
import type { Job } from "../messages.js";
import { hasInput, resubmission } from "../model/resubmission.js";
import { hasEnded } from "../../job-states.js";

/** One question whether to submit a job again. However often it is answered, it makes one job. */
export class Retry {
  readonly #requestId = randomId();

  private constructor(
    readonly client: MilepostClient,
    /** The job as it was submitted or, where that event is not kept, as it is. */
    readonly job: Job,
    /** The parent of the other job; empty where the job has none, or one that has ended and takes no more children. */
    readonly parentJobId: string,
  ) {}

  /** Look up what to submit. */
  static async of(client: MilepostClient, job: Job, signal: AbortSignal): Promise<Retry> {
    const [submitted, parentJobId] = await Promise.all([
      submittedJob(client, job, signal),
      openParent(client, job, signal),
    ]);
    return new Retry(client, submitted ?? job, parentJobId);
  }

  /** Whether it can be submitted: not where its input is not kept. */
  get isPossible(): boolean {
    return hasInput(this.job);
  }

  /** Submit it; returns the id of the other job. Safe to repeat. */
  async submit(): Promise<string> {
    const submission = { ...resubmission(this.job, this.parentJobId), requestId: this.#requestId };
    return (await this.client.submitJob(submission)).jobId;
  }
}

/** The job of its first event: later ones may plan other stages, or more children. Undefined if the event is not kept. */
async function submittedJob(
  client: MilepostClient,
  { jobId, epoch, firstSequence }: Job,
  signal: AbortSignal,
): Promise<Job | undefined> {
  if (firstSequence > 1n) return undefined;
  const watch = client.watchJob(jobId, {
    after: 0n,
    epoch,
    payloads: ["jobSubmitted"],
    follow: false,
    signal,
  });
  for await (const item of watch) {
    if (item.type !== "event") return undefined; // it was trimmed meanwhile
    const fold = new Fold();
    fold.apply(item.event);
    return fold.job;
  }
  return undefined;
}

async function openParent(
  client: MilepostClient,
  { parentJobId }: Job,
  signal: AbortSignal,
): Promise<string> {
  if (!parentJobId) return "";
  try {
    return hasEnded(await client.getJob(parentJobId, { signal })) ? "" : parentJobId;
  } catch (error) {
    if (hasReason(error, "JOB_NOT_FOUND")) return ""; // deleted
    throw error;
  }
}
