/** The three steps of a cancellation, as they happen: requested, acknowledged, stopped. */

import { JobState, type Job } from "../messages.js";
import { clock, elapsed, instantOf, type Instant } from "./instants.js";
import { oneLine } from "./plain-text.js";
import { hasEnded } from "../../job-states.js";

export interface CancelStep {
  readonly name: "requested" | "acknowledged" | "stopped" | "forced" | "completed first";
  /** When it happened; undefined if it is still to come. */
  readonly at: Instant | undefined;
  readonly text: string;
}

/** The steps of the job's cancellation; empty if nobody asked for one. */
export function cancelSteps(job: Job, now: Instant): CancelStep[] {
  const cancel = job.cancellation;
  if (!cancel) return [];
  const requested = instantOf(cancel.requestTime);
  const acknowledged = instantOf(cancel.acknowledgeTime);
  const deadline = instantOf(cancel.deadline);
  const ended = hasEnded(job) ? instantOf(job.endTime) : undefined;
  const who = cancel.requestedBy ? ` by ${oneLine(cancel.requestedBy, 64)}` : "";
  const steps: CancelStep[] = [{ name: "requested", at: requested, text: `requested${at(requested)}${who}` }];
  if (acknowledged !== undefined)
    steps.push({ name: "acknowledged", at: acknowledged, text: `acknowledged${at(acknowledged)}` });
  else if (ended === undefined)
    steps.push({ name: "acknowledged", at: undefined, text: "not yet acknowledged by the worker" });
  if (ended !== undefined) steps.push(lastStep(job, requested, ended));
  else {
    const left = deadline === undefined ? "" : `, by force in ${elapsed(Math.max(deadline - now, 0) / 1000)}`;
    steps.push({ name: "stopped", at: undefined, text: `stopping${left}` });
  }
  return steps;
}

function lastStep(job: Job, requested: Instant | undefined, ended: Instant): CancelStep {
  if (job.state !== JobState.CANCELLED) {
    return { name: "completed first", at: ended, text: `ended by itself first${at(ended)}` };
  }
  if (job.cancellation?.forced) {
    const after = requested === undefined ? "" : ` after ${elapsed((ended - requested) / 1000 + 0.5)}`;
    return { name: "forced", at: ended, text: `forced${after}: the worker did not stop in time` };
  }
  return { name: "stopped", at: ended, text: `stopped${at(ended)}` };
}

function at(time: Instant | undefined): string {
  return time === undefined ? "" : ` ${clock(time)}`;
}
