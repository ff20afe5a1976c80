/** What a job's end means, and what to do next, in one line each. */

import { JobState, type Job } from "../messages.js";
import { elapsed, instantOf, took } from "./instants.js";
import { count, oneLine } from "./plain-text.js";

export interface Ending {
  /** What happened: the failure's message before its code. */
  readonly headline: string;
  /** What there is to look at, or to do now; empty for nothing. */
  readonly next: string;
}

/** The end of a job; undefined while it has none. */
export function endingOf(job: Job): Ending | undefined {
  const ended = instantOf(job.endTime);
  const started = instantOf(job.firstStartTime);
  const seconds = ended === undefined || started === undefined ? undefined : (ended - started) / 1000;
  const after = seconds === undefined ? "" : ` after ${elapsed(seconds)}`;
  switch (job.state) {
    case JobState.SUCCEEDED:
      return {
        headline: `succeeded${seconds === undefined ? "" : ` in ${took(seconds)}`}`,
        next: [job.artifacts.length > 0 && count(job.artifacts.length, "artifact"), job.result && "a result"]
          .filter(Boolean)
          .join(" and "),
      };
    case JobState.FAILED:
      return { headline: failureText(job) || `failed${after}`, next: nextAfterFailure(job) };
    case JobState.CANCELLED:
      return {
        headline: `cancelled${after}${job.cancellation?.forced ? ", by force" : ""}`,
        next: "Nothing is left to stop. Submit it again to run it.",
      };
    case JobState.LOST:
      return {
        headline: `lost${after}: worker ${oneLine(job.workerId, 128) || "of unknown name"} was silent for longer than its lease`,
        next: "Look at that worker's own log. Submit the job again, or allow it more attempts.",
      };
    default:
      return undefined;
  }
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
