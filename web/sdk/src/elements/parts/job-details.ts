/** The panels beneath a job: artifacts, result, input, attempts, children, raw. */

import { toJson } from "@bufbuild/protobuf";
import { html, nothing, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { JobSchema } from "../../gen/milepost/v1/job_pb.js";
import { JobState, type Artifact, type Job } from "../messages.js";
import type { Attempt } from "../model/attempts.js";
import { absolute, clock, elapsed, instantOf, took, type Instant } from "../model/instants.js";
import { LISTED_STATES } from "../model/job-list.js";
import { titleOf } from "../model/job-title.js";
import { humanSize, oneLine, printable } from "../model/plain-text.js";
import { isActive, isKnown, jobLook } from "../model/state-words.js";
import { stateIcon } from "./icons.js";
import { progressBar, progressText } from "./job-head.js";
import { onOpen } from "./opening.js";

export function artifactsPanel(artifacts: readonly Artifact[]): TemplateResult {
  return html`<table part="artifacts">
    <thead>
      <tr>
        <th scope="col">name</th>
        <th scope="col" class="number">size</th>
        <th scope="col">type</th>
        <th scope="col">where</th>
      </tr>
    </thead>
    <tbody>
      ${artifacts.map(
        (artifact) =>
          html`<tr>
            <td class="name"><span class="foreign">${oneLine(artifact.name)}</span></td>
            <td class="number">${artifact.sizeBytes ? humanSize(Number(artifact.sizeBytes)) : ""}</td>
            <td class="type muted"><span class="foreign">${oneLine(artifact.mediaType)}</span></td>
            <td class="foreign mono own-line">
              ${link(artifact.uri)}<milepost-copy
                .text=${artifact.uri}
                .label=${`copy where ${oneLine(artifact.name, 60)} is`}
              ></milepost-copy>
              ${artifact.sha256 ? html`<span class="muted" title="SHA-256">${artifact.sha256.slice(0, 12)}…</span>` : nothing}
            </td>
          </tr>`,
      )}
    </tbody>
  </table>`;
}

/** Only addresses of the web are links: a job may name others, and scripts, too. */
function link(uri: string): TemplateResult | string {
  if (!/^https?:\/\//i.test(uri)) return printable(uri);
  return html`<a href=${uri} rel="noopener noreferrer nofollow" target="_blank">${printable(uri)}</a>`;
}

export function jsonPanel(value: unknown, label: string): TemplateResult {
  const text = JSON.stringify(
    value,
    (_key, inner: unknown) => (typeof inner === "bigint" ? inner.toString() : inner),
    2,
  );
  return html`<div class="json">
    <milepost-copy .text=${text} .label=${`copy the ${label}`}></milepost-copy>
    <pre class="foreign mono" tabindex="0" aria-label=${label}>${printable(text)}</pre>
  </div>`;
}

export function rawPanel(job: Job): TemplateResult {
  return jsonPanel(toJson(JobSchema, job), "job as JSON");
}

/** `error`: why the earlier ones could not be loaded; empty if they could. */
export function attemptsPanel(attempts: readonly Attempt[], now: Instant, error: string): TemplateResult {
  return html`${notLoaded("The earlier attempts", error)}
    <table part="attempts">
      <thead>
        <tr>
          <th scope="col" class="number">attempt</th>
          <th scope="col">outcome</th>
          <th scope="col" class="number">waited</th>
          <th scope="col" class="number">ran</th>
          <th scope="col">started</th>
          <th scope="col">worker</th>
          <th scope="col">why it ended</th>
        </tr>
      </thead>
      <tbody>
        ${attempts.map(
          (attempt) =>
            html`<tr>
              <td class="number" data-label="attempt">${attempt.number}</td>
              <td>${attempt.outcome || "running"}</td>
              <td class="number" data-label="waited">${elapsed((attempt.start - attempt.queued) / 1000)}</td>
              <td class="number" data-label="ran">
                ${attempt.end === undefined ? (attempt.outcome ? "" : elapsed((now - attempt.start) / 1000)) : took((attempt.end - attempt.start) / 1000)}
              </td>
              <td data-label="started" title=${absolute(attempt.start)}>${clock(attempt.start)}</td>
              <td class="worker cut foreign mono" data-label="by" title=${oneLine(attempt.workerId)}>
                ${oneLine(attempt.workerId, 128)}
              </td>
              <td class="foreign own-line">
                ${attempt.failure ? html`${oneLine(attempt.failure.message, 500)} <span class="muted mono">${attempt.failure.code}</span>` : nothing}
              </td>
            </tr>`,
        )}
      </tbody>
    </table>`;
}

function notLoaded(what: string, error: string): TemplateResult | typeof nothing {
  if (!error) return nothing;
  return html`<p class="failed" role="alert">${what} could not be loaded: ${oneLine(error, 1000)}</p>`;
}

/** What `childrenPanel` shows. */
export interface ShownChildren {
  readonly children: readonly Job[];
  /** Whether there are more of them. */
  readonly more: boolean;
  /** Why they could not be loaded; empty if they could. */
  readonly error: string;
  /** What is said while there are none. */
  readonly none: string;
  /** The state of those that are shown; undefined for all. */
  readonly state: JobState | undefined;
  readonly onState: (state: JobState | undefined) => void;
  /** The page of a job. */
  readonly address: (jobId: string) => string;
  readonly now: Instant;
}

export function childrenPanel(shown: ShownChildren): TemplateResult {
  const { more, error, none, state, address, now } = shown;
  if (shown.children.length === 0)
    return error ? html`${notLoaded("The children", error)}` : html`<p class="muted">${none}</p>`;
  const children = shown.children.filter((child) => state === undefined || child.state === state);
  return html`${notLoaded("The children", error)} ${childStates(shown)}
    <table part="children">
      <thead>
        <tr>
          <th scope="col">state</th>
          <th scope="col">kind</th>
          <th scope="col">job</th>
          <th scope="col">progress</th>
          <th scope="col" class="number">ran</th>
        </tr>
      </thead>
      <tbody>
        ${children.map((child) => {
          const { word, shape } = jobLook(child.state);
          const start = instantOf(child.startTime);
          // What ran before is no time of an attempt that has yet to start.
          const hasRun = start !== undefined && child.state !== JobState.QUEUED;
          const ran = hasRun ? elapsed(((instantOf(child.endTime) ?? now) - start) / 1000) : nothing;
          return html`<tr>
            <td class=${shape}>${stateIcon(shape)} ${word}</td>
            <td class="foreign">${oneLine(child.kind, 64)} <span class="muted">${titleOf(child)}</span></td>
            <td class="mono">
              <a
                class="foreign"
                href=${address(child.jobId)}
                @click=${(event: MouseEvent) => {
                  onOpen(event, child.jobId);
                }}
                >${child.jobId}</a
              >
            </td>
            <td class="progress-cell ${isActive(child) ? "own-line" : ""}">${childProgress(child)}</td>
            <td class="number" data-label="ran">${ran}</td>
          </tr>`;
        })}
      </tbody>
    </table>
    ${more ? html`<p class="muted">These are the newest ${shown.children.length} children, which the numbers count; the list has all of them.</p>` : nothing}`;
}

/** How many children are in each state, for those who look for the one that failed among hundreds. */
function childStates({
  children,
  more,
  state: chosen,
  onState,
}: ShownChildren): TemplateResult | typeof nothing {
  const numbers = new Map<JobState, number>();
  for (const { state } of children) numbers.set(state, (numbers.get(state) ?? 0) + 1);
  if (numbers.size < 2 && chosen === undefined) return nothing;
  return html`<div class="states" role="group" aria-label="state of the children">
    ${repeat(
      LISTED_STATES.filter(([, state]) => numbers.has(state) || state === chosen),
      ([name]) => name, // a button that has the focus keeps it when another one comes before it
      ([name, state]) => {
        const isChosen = state === chosen;
        const { shape } = jobLook(state);
        return html`<button
          aria-pressed=${isChosen}
          @click=${() => {
            onState(isChosen ? undefined : state);
          }}
        >
          <span class=${shape}>${stateIcon(shape)}</span> ${numbers.get(state) ?? 0}${more ? "+" : ""} ${name}
        </button>`;
      },
    )}
  </div>`;
}

/** Children are looked up once a second, or more rarely: their bars move evenly in that time. */
const BAR_SECONDS = 1;

function childProgress(child: Job): TemplateResult | typeof nothing {
  const text = progressText(child);
  if (!isActive(child)) return text ? html`<span class="muted">${text}</span>` : nothing;
  const { fraction } = child;
  return html`<span class="child-progress"
    >${progressBar(child, { fraction, seconds: BAR_SECONDS }, isKnown(child), jobLook(child.state).shape)}
    <span class="number">${text}</span></span
  >`;
}
