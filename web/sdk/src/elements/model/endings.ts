/** What a job's end means, and what to do next, in one line each. How long it took stands beside its bar, once. */

import { JobState, type Job } from "../messages.js";
import { count, oneLine } from "./plain-text.js";

export interface Ending {
  /** What happened: the failure's message before its code. */
  readonly headline: string;
  /** What to look at, or to do next; empty for nothing. */
  readonly next: string;
}

/** The end of a job; undefined while it has none, or where its state says all of it. */
export function endingOf(job: Job): Ending | undefined {
  switch (job.state) {
    case JobState.SUCCEEDED: {
      const outcome = outcomeText(job);
      // Its state alone stands beside its kind.
      return outcome || job.message
        ? { headline: `succeeded${outcome && ` with ${outcome}`}`, next: "" }
        : undefined;
    }
    case JobState.FAILED:
      return { headline: failureText(job) || "failed", next: nextAfterFailure(job) };
    case JobState.CANCELLED:
      return {
        headline: `cancelled${job.cancellation?.forced ? ", by force" : ""}`,
        next: job.cancellation?.forced
          ? "Its handler may still be running; nothing that it reports is taken. Look at that worker first."
          : "Submit it again to run it.",
      };
    case JobState.LOST:
      return {
        headline: `lost: worker ${oneLine(job.workerId, 128) || "of unknown name"} was silent for longer than its lease`,
        next: "Look at that worker's own log. Submit the job again, or allow it more attempts.",
      };
    default:
      return undefined;
  }
}

/** What a job left behind: `2 artifacts and a result`. */
function outcomeText(job: Job): string {
  const artifacts = job.artifacts.length > 0 && count(job.artifacts.length, "artifact");
  return [artifacts, job.result && "a result"].filter(Boolean).join(" and ");
}

/** The message of the job's failure, shortened; its code if it has none. */
export function failureText(job: Job): string {
  const failure = job.failure;
  return failure ? oneLine(failure.message, 1000) || failure.code : "";
}

function nextAfterFailure(job: Job): string {
  switch (job.failure?.code ?? "") {
    case "TIMEOUT":
    case "ATTEMPT_TIMEOUT":
      return "It took longer than it may. Give it more time, or less to do.";
    case "START_DEADLINE":
      return "No worker started it in time. Start a worker of its kind, or give it longer to wait.";
  }
  if (job.failure?.retryable)
    return "Another attempt may succeed. Submit it again, or allow it more attempts.";
  return "The last lines of its log say more. Submit it again once the cause is gone.";
}
