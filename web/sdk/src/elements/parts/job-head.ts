/** The upper part of a job: what it is, how far, how long, and what holds it up. */

import { html, nothing, type TemplateResult } from "lit";
import type { JobStore } from "../live/job-store.js";
import { Dispatch, JobState, type Failure, type Job } from "../messages.js";
import { cancelSteps } from "../model/cancel-steps.js";
import { endingOf } from "../model/endings.js";
import { evidenceText, remainingText, runEvidenceText, runText } from "../model/estimate-text.js";
import { absolute, clock, elapsed, instantOf, took, when, type Instant } from "../model/instants.js";
import { count, oneLine, percent, printable, shortId, wholePercent } from "../model/plain-text.js";
import { TITLE_LABEL, titleOf } from "../model/job-title.js";
import { currentStage, isDone } from "../model/stage-rows.js";
import { hasEnded } from "../../job-states.js";
import { isActive, isKnown, jobLook } from "../model/state-words.js";
import { usualText } from "../model/usual.js";
import { needsAttention, waitingHint, waitingText } from "../model/waiting-text.js";
import type { Movement } from "../model/smooth-bar.js";
import { stateIcon } from "./icons.js";
import { onOpen } from "./opening.js";
import { vars } from "./vars-directive.js";

/** The code of the failure of an attempt whose worker disappeared. */
const WORKER_LOST = "WORKER_LOST";

/** A name that is broken after its parts, where it is too long for a line. */
function breakable(name: string): TemplateResult[] {
  return name.split(/(?<=[._/:-])/).map((part) => html`${part}<wbr />`);
}

/** Kind, id, state, and who it belongs to. */
export function identity(
  store: JobStore,
  job: Job,
  actions: TemplateResult | typeof nothing,
): TemplateResult {
  const { word, shape } = jobLook(job.state);
  const attempts = Math.max(job.retryPolicy?.maxAttempts ?? 1, 1);
  // A job that waits to be tried again waits for its next attempt.
  const number = job.attempt + (job.state === JobState.QUEUED ? 1 : 0);
  const attempt =
    number > 1 || attempts > 1 ? ` · attempt ${Math.max(number, 1)} of ${Math.max(attempts, number)}` : "";
  // The title stands beside the kind.
  const labels = Object.entries(job.labels).filter(([key]) => key !== TITLE_LABEL);
  return html`<header part="header">
    <h1 class="foreign" part="kind">
      <span class=${shape}>${stateIcon(shape)}</span> ${breakable(oneLine(job.kind, 64))}
    </h1>
    ${titleOf(job) ? html`<span class="title foreign" part="title" title="label title">${titleOf(job)}</span>` : nothing}
    <div class="status"><span class="state ${shape}" part="state">${word}${attempt}</span>${actions}</div>
    <p class="facts muted">
      <span class="mono foreign" title=${job.jobId}>${shortId(job.jobId, 24)}</span
      ><milepost-copy .text=${job.jobId} .label=${"copy the job's id"}></milepost-copy>
      ${job.owner ? html`<span title=${job.owner}>owner <span class="foreign value">${oneLine(job.owner, 128)}</span></span>` : nothing}
      ${labels.map(([key, value]) => html`<span class="label foreign" title=${`label ${key}=${value}`}>${oneLine(key)}=${oneLine(value)}</span>`)}
      ${
        job.parentJobId
          ? html`<span
              >part of
              <a
                class="mono"
                href=${store.server.jobAddress(job.parentJobId)}
                @click=${(event: MouseEvent) => {
                  onOpen(event, job.parentJobId);
                }}
                >${shortId(job.parentJobId)}</a
              ></span
            >`
          : nothing
      }
      ${job.workerId && isActive(job) ? html`<span>worker <span class="mono foreign value">${oneLine(job.workerId, 64)}</span></span>` : nothing}
    </p>
  </header>`;
}

/** The bar with its numbers. */
export function progressLine(
  job: Job,
  { waiting, usual: history }: Pick<JobStore, "waiting" | "usual">,
  movement: Movement,
  now: Instant,
  stale: boolean,
): TemplateResult {
  const { shape } = jobLook(job.state);
  const known = isKnown(job);
  const done = progressText(job);
  const left = stale ? "" : remainingText(job, now) || runText(waiting);
  return html`<section class="progress" part="progress">
    ${
      done || left || job.state === JobState.RUNNING
        ? html`<div class="numbers">
            <span class="percent">${done}</span><span class="left" part="remaining">${left}</span>
          </div>`
        : nothing
    }
    ${progressBar(job, movement, known, shape)}
    <div class="numbers muted">
      <span part="elapsed" title=${timesTitle(job)}>${elapsedText(job, now)}</span>
      <span part="evidence"
        >${stale ? nothing : evidenceText(job, now) || runEvidenceText(waiting) || usualText(job, history)}</span
      >
    </div>
  </section>`;
}

/** A bar for eyes and for screen readers. */
export function progressBar(job: Job, movement: Movement, known: boolean, shape: string): TemplateResult {
  const indeterminate = !known && isActive(job);
  return html`<div
    class="bar ${shape} ${indeterminate ? "unknown moving" : ""}"
    part="bar"
    role="progressbar"
    aria-label=${`progress of ${oneLine(job.kind, 64)}`}
    aria-valuemin="0"
    aria-valuemax="100"
    aria-valuenow=${known ? wholePercent(job.fraction) : nothing}
    aria-valuetext=${[progressText(job), jobLook(job.state).word].filter(Boolean).join(", ")}
    ${vars({ "--fraction": `${movement.fraction}`, "--seconds": `${movement.seconds}s` })}
  >
    <div class="fill" part="fill"></div>
  </div>`;
}

/** The percentage, or the number of stages that are done where it means nothing. */
export function progressText(job: Job): string {
  // All stages may be done of a job that failed: "100 %" would say that it succeeded.
  if (hasEnded(job) && job.state !== JobState.SUCCEEDED && job.fraction >= 1) return "";
  if (job.state === JobState.QUEUED && job.attempt === 0) return ""; // "0 %" says less than that it waits
  if (isKnown(job)) {
    // What it got to before is none of the attempt that it waits for.
    const before = job.state === JobState.QUEUED && job.attempt > 0;
    return before ? `attempt ${job.attempt} ended at ${percent(job.fraction)}` : percent(job.fraction);
  }
  const done = job.stages.filter((stage) => !stage.parentStageId && isDone(stage)).length;
  return done ? `${count(done, "stage")} done` : "";
}

/** How long it runs, or ran, from its first start on, and how long it was in the queue before: each with what it counts. */
function elapsedText(job: Job, now: Instant): string {
  const submitted = instantOf(job.submitTime) ?? now;
  const first = instantOf(job.firstStartTime);
  const end = instantOf(job.endTime);
  const queued = ((first ?? end ?? now) - submitted) / 1000;
  const ended = end === undefined ? "" : ` · ended ${when(end, now)}`;
  if (first === undefined) return `${elapsed(queued)} in the queue${ended}`;
  const attempts = job.attempt > 1 ? ` over ${job.attempt} attempts` : "";
  const ran = ((end ?? now) - first) / 1000;
  // Over several attempts it also waited in between.
  const verb = job.attempt > 1 ? "took" : "ran";
  const running =
    end === undefined
      ? `${elapsed(ran)} since it started at ${when(first, now)}`
      : `${verb} ${took(ran)}${attempts}`;
  return `${running}${queued < 1 ? "" : ` · ${took(queued)} in the queue before`}${ended}`;
}

function timesTitle(job: Job): string {
  const times: [string, Instant | undefined][] = [
    ["submitted", instantOf(job.submitTime)],
    ["started", instantOf(job.firstStartTime)],
    ["attempt started", job.attempt > 1 ? instantOf(job.startTime) : undefined],
    ["ended", instantOf(job.endTime)],
  ];
  return times
    .flatMap(([name, time]) => (time === undefined ? [] : [`${name} ${absolute(time)}`]))
    .join("\n");
}

function failedAttempt(attempt: number, { code, message }: Failure): string {
  return `attempt ${attempt} ${code === WORKER_LOST ? "lost its worker" : "failed"}: ${oneLine(message, 1000) || code}`;
}

const ENDING_TONES: Readonly<Partial<Record<JobState, string>>> = {
  [JobState.SUCCEEDED]: "good",
  [JobState.FAILED]: "bad",
  [JobState.LOST]: "bad",
  [JobState.CANCELLED]: "attention",
};

/** What holds the job up, or how it ended. */
export function notices(store: JobStore, job: Job, now: Instant): TemplateResult {
  const ending = endingOf(job);
  const { shape } = jobLook(job.state);
  const steps = cancelSteps(job, now);
  const hint = waitingHint(store.waiting);
  return html`
    ${
      job.state === JobState.QUEUED
        ? html`<p class="notice ${needsAttention(store.waiting) ? "attention" : ""}" part="waiting">
              <span class="waiting">${stateIcon("waiting")}</span>
              <span class="foreign"
                >${waitingText(job, store.waiting, now)}${hint ? html`<br /><span class="muted">${hint}</span>` : nothing}</span
              >
            </p>
            ${job.dispatch === Dispatch.EXTERNAL ? nothing : html`<milepost-workers server=${store.server.address} .kind=${needsAttention(store.waiting) ? "" : job.kind}></milepost-workers>`}`
        : nothing
    }
    ${
      job.state === JobState.QUEUED && job.failure
        ? html`<p class="notice bad">
            <span class="failed">${stateIcon("failed")}</span>
            <span class="foreign">${failedAttempt(job.attempt, job.failure)}</span>
          </p>`
        : nothing
    }
    ${
      steps.length
        ? html`<ol class="notice steps" part="cancellation" aria-label="cancellation">
            ${steps.map(
              ({ name, at, text }) =>
                html`<li
                  class=${at === undefined ? "muted" : name === "forced" ? "failed" : ""}
                  title=${at === undefined ? "" : absolute(at)}
                >
                  ${stateIcon(at === undefined ? "waiting" : name === "forced" ? "failed" : "succeeded")}
                  <span class="foreign">${text}</span>
                </li>`,
            )}
            ${job.cancellation?.reason ? html`<li class="reason foreign">“${oneLine(job.cancellation.reason, 500)}”</li>` : nothing}
          </ol>`
        : nothing
    }
    ${
      ending
        ? html`<section class="notice ending ${ENDING_TONES[job.state] ?? ""}" part="ending">
            <span class=${shape}>${stateIcon(shape)}</span>
            <div>
              <p class="headline foreign">
                ${ending.headline}
                ${job.failure ? html`<code class="muted">${job.failure.code}</code>` : nothing}
              </p>
              ${job.message && job.message !== job.failure?.message ? html`<p class="foreign">${oneLine(job.message, 1000)}</p>` : nothing}
              ${ending.next ? html`<p class="muted">${ending.next}</p>` : nothing}
              ${
                job.failure?.detail
                  ? html`<details>
                      <summary>detail</summary>
                      <pre class="foreign mono" tabindex="0" aria-label="detail of the failure">
${printable(job.failure.detail)}</pre>
                    </details>`
                  : nothing
              }
            </div>
          </section>`
        : nothing
    }
  `;
}

/** What the job does now, for where there is no room for its stages. */
export function currentStageLine(job: Job, now: Instant): TemplateResult | typeof nothing {
  const stage = hasEnded(job) ? undefined : currentStage(job.stages);
  if (!stage) return nothing;
  const start = instantOf(stage.startTime);
  return html`<p class="current" part="stage">
    <span class="running">${stateIcon("running")}</span>
    <span class="cut foreign">${oneLine(stage.title || stage.stageId)}</span>
    <span class="muted">${stage.fractionKnown ? percent(stage.fraction) : ""}</span>
    <span class="muted" title=${start === undefined ? "" : `since ${clock(start)}`}
      >${start === undefined ? "" : elapsed((now - start) / 1000)}</span
    >
  </p>`;
}
