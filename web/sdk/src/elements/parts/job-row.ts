/** A job in the list. */

import { html, nothing, svg, type TemplateResult } from "lit";
import { JobState, type Job, type Waiting } from "../messages.js";
import { remainingCell } from "../model/estimate-text.js";
import { absolute, age, elapsed, instantOf, took, type Instant } from "../model/instants.js";
import type { Run } from "../model/job-list.js";
import { titleOf } from "../model/job-title.js";
import { oneLine } from "../model/plain-text.js";
import type { Movement } from "../model/smooth-bar.js";
import { hasEnded } from "../../job-states.js";
import { isActive, isKnown, jobLook } from "../model/state-words.js";
import { needsAttention, waitingCell } from "../model/waiting-text.js";
import { stateIcon } from "./icons.js";
import { progressBar, progressText } from "./job-head.js";
import { onOpen } from "./opening.js";
import { vars } from "./vars-directive.js";

/** Runs in the column of small bars. */
export const RUNS = 14;
/** Characters at the end of an id that are always in sight. */
const TAIL = 4;
/** Characters of an id that is never cut. */
const WHOLE = 10;

/** What a row shows besides the job. */
export interface RowOptions {
  readonly selected: boolean;
  /** Number of its ancestors among the rows above it. */
  readonly depth: number;
  /** The page of the job. */
  readonly address: string;
  readonly movement: Movement;
  /** The last runs of its kind. */
  readonly runs: readonly Run[];
  /** What it waits for, as far as that is known. */
  readonly waiting: Waiting | undefined;
  readonly now: Instant;
  /** Whether all of this may be out of date. */
  readonly stale: boolean;
}

export function jobRow(job: Job, options: RowOptions): TemplateResult {
  const { selected, depth, address, movement, runs, waiting, now, stale } = options;
  const note = noteText(job, waiting, now);
  const isQueued = job.state === JobState.QUEUED;
  const { word, shape } = jobLook(job.state);
  const submitted = instantOf(job.submitTime) ?? now;
  return html`<div role="listitem">
    <a
      class="row ${selected ? "selected" : ""} ${note ? "noted" : ""} ${isQueued ? "waits" : ""}"
      part="row"
      href=${address}
      aria-current=${selected ? "true" : nothing}
      @click=${(event: MouseEvent) => {
        onOpen(event, job.jobId);
      }}
    >
      <span class=${shape}>${stateIcon(shape)} <span class="word">${word}</span></span>
      <span class="name" ${vars({ "--depth": `${Math.min(depth, 6)}` })}
        >${
          job.parentJobId
            ? html`<span
                class="child muted"
                role="img"
                aria-label="child"
                title=${`part of ${job.parentJobId}`}
                >↳</span
              >`
            : nothing
        }<span class="kind foreign cut" title=${job.kind}>${oneLine(job.kind, 64)}</span
        >${nameCell(job)}</span
      >
      <span class="owner foreign cut">${oneLine(job.owner, 128)}</span>
      <span class="progress"
        >${
          isActive(job)
            ? html`${progressBar(job, movement, isKnown(job), shape)}
                <span class="number">${progressText(job)}</span>`
            : html`<span
                class="note cut foreign ${isQueued && needsAttention(waiting) ? "attention" : "muted"}"
                title=${note}
                >${note}</span
              >`
        }</span
      >
      <span class="remaining number muted">${timeText(job, now, stale)}</span>
      <span class="number muted" title=${`submitted ${absolute(submitted)}`}
        >${age((now - submitted) / 1000)}<span class="ago"> ago</span></span
      >
      <span class="worker foreign cut mono muted">${isActive(job) ? oneLine(job.workerId, 64) : ""}</span>
      <span class="runs-cell">${smallBars(runs)}</span>
    </a>
  </div>`;
}

/** The title of a job or, as most have none, its id. */
function nameCell(job: Job): TemplateResult {
  const title = titleOf(job);
  return title ? html`<span class="title foreign cut" title=${job.jobId}>${title}</span>` : idCell(job.jobId);
}

/** Ids of one day begin alike: where there is little room, only the last characters stay. */
function idCell(jobId: string): TemplateResult {
  const end = jobId.length > WHOLE ? -TAIL : 0;
  const head = end ? html`<span class="cut">${oneLine(jobId.slice(0, end))}</span>` : nothing;
  return html`<span class="id mono foreign" title=${jobId}>${head}${oneLine(jobId.slice(end))}</span>`;
}

/** What a job waits for, and why it failed. */
function noteText(job: Job, waiting: Waiting | undefined, now: Instant): string {
  if (isActive(job)) return "";
  const { message = "", code = "" } = job.failure ?? {};
  const failure = oneLine(message || code, 120);
  const waits = job.state === JobState.QUEUED ? waitingCell(job, waiting, now) : "";
  return [waits, failure].filter(Boolean).join(" · ");
}

function timeText(job: Job, now: Instant, stale: boolean): string {
  // What ran before is no time of an attempt that has yet to start.
  if (job.state === JobState.QUEUED) return "";
  const start = instantOf(job.firstStartTime);
  const end = instantOf(job.endTime);
  // Over several attempts it also waited in between.
  const verb = job.attempt > 1 ? "took" : "ran";
  if (start !== undefined && end !== undefined) return `${verb} ${took((end - start) / 1000)}`;
  if (hasEnded(job) || start === undefined) return "";
  return (stale ? "" : remainingCell(job, now)) || elapsed((now - start) / 1000);
}

/** The durations of the last runs; those that did not succeed are hollow. */
function smallBars(runs: readonly Run[]): TemplateResult | typeof nothing {
  if (runs.length < 2) return nothing;
  const longest = Math.max(...runs.map((run) => run.seconds), 0.001);
  const words = runs.map((run) => `${took(run.seconds)} ${jobLook(run.state).word}`);
  return html`<svg
    class="runs"
    viewBox="0 0 ${RUNS * 6} 18"
    role="img"
    aria-label=${`last runs: ${words.join(", ")}`}
  >
    <title>${words.join("\n")}</title>
    ${runs.map((run, place) => {
      const height = Math.max((run.seconds / longest) * 17, 1.5);
      const { shape } = jobLook(run.state);
      const good = run.state === JobState.SUCCEEDED;
      return svg`<rect class=${shape} x=${place * 6 + 0.5} y=${17.5 - height} width="4" height=${height} fill=${good ? "currentColor" : "none"} stroke="currentColor"/>`;
    })}
  </svg>`;
}
