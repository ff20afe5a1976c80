import type { JobStore } from "../live/job-store.js";
import { html, nothing, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { type Job, type Stage, StageState } from "../messages.js";
import type { Attempt } from "../model/attempts.js";
import { absolute, elapsed, instantOf, took, type Instant } from "../model/instants.js";
import { hasModifier } from "../model/keyboard.js";
import { amount, oneLine, percent, wholePercent } from "../model/plain-text.js";
import { SmoothBar } from "../model/smooth-bar.js";
import {
  type Folding,
  type RestRow,
  type StageRow,
  type TreeRow,
  stateCounts,
  treeRows,
} from "../model/stage-rows.js";
import { jobLook, stageLook } from "../model/state-words.js";
import { isSlow, usualStages } from "../model/usual.js";
import { type TimeScale, jobSegments, stageSegments, timeScale } from "../model/waterfall.js";
import { foldIcon, stateIcon } from "./icons.js";
import { sharedStyles } from "./shared-styles.js";
import { stagesStyles } from "./stages-styles.js";
import { StoreElement } from "./store-element.js";
import { vars } from "./vars-directive.js";
import { track } from "./waterfall-track.js";

/** What the rows of one rendering have in common. */
interface Drawn {
  readonly job: Job;
  readonly attempts: readonly Attempt[];
  readonly stages: ReadonlyMap<string, Stage>;
  /** The largest weight among the stages of each parent. */
  readonly heaviest: ReadonlyMap<string, number>;
  /** How long each stage usually takes, in seconds. */
  readonly usual: ReadonlyMap<string, number>;
  readonly scale: TimeScale;
  readonly now: Instant;
}

/** The stages of a job as a tree, beside the waterfall of when each of them waited and ran. */
export class StagesView extends StoreElement<JobStore> {
  static override properties = { narrow: { type: Boolean, reflect: true }, selected: { state: true } };
  static override styles = [sharedStyles, stagesStyles];
  declare narrow: boolean;
  declare selected: string;
  #folding: Folding = new Map();
  #bars = new Map<string, SmoothBar>();
  #rows: TreeRow[] = [];

  constructor() {
    super();
    this.narrow = false;
    this.selected = "";
  }

  protected override forget(): void {
    this.#folding = new Map();
    this.#bars = new Map();
    this.selected = "";
  }

  /** Select the next or previous row, for the keyboard. */
  move(step: number): void {
    const place = this.#rows.findIndex((row) => row.key === this.selected);
    const next = this.#rows[Math.min(Math.max(place + step, 0), this.#rows.length - 1)];
    if (next) this.#select(next.key);
  }

  /** Fold or unfold the selected row. */
  toggle(key = this.selected): void {
    const row = this.#rows.find((found) => found.key === key);
    if (row?.open === undefined) return;
    this.#folding = new Map(this.#folding).set(row.key, !row.open);
    this.requestUpdate();
  }

  override render(): TemplateResult | typeof nothing {
    const { store } = this;
    const job = store?.job;
    if (!store || !job?.stages.length) return nothing;
    const { now, attempts } = store;
    const scale = timeScale(job, now);
    this.#rows = treeRows(job.stages, this.#folding);
    const stages = new Map(job.stages.map((stage) => [stage.stageId, stage]));
    const usual = usualStages(store.usual);
    const drawn: Drawn = { job, attempts, stages, heaviest: heaviestOf(job.stages), usual, scale, now };
    const focusable = this.#rows.some((row) => row.key === this.selected)
      ? this.selected
      : this.#rows[0]?.key;
    return html`
      <div class="scale" aria-hidden="true">
        <span>stages</span><span class="weight-cell"></span><span></span><span class="number">time</span>
        <span class="number usual">${usual.size > 0 ? "usual" : ""}</span>
        <div class="ticks">
          ${scale.ticks.map(({ at, label }) => html`<span ${vars({ "--at": `${at}` })}>${label}</span>`)}
        </div>
      </div>
      ${this.#jobRow(drawn)}
      <div role="tree" aria-label="stages" @keydown=${this.#keydown}>
        ${repeat(
          this.#rows,
          (row) => row.key,
          (row) =>
            row.type === "rest"
              ? this.#restRow(row, scale, row.key === focusable)
              : this.#stageRow(row, drawn, row.key === focusable),
        )}
      </div>
    `;
  }

  /** When it waited and ran; how long that was stands beside its bar. */
  #jobRow({ job, attempts, scale, now }: Drawn): TemplateResult {
    return html`<div class="row" aria-hidden="true">
      <span class="name muted" ${vars({ "--depth": "0" })}>whole job</span><span class="weight-cell"></span
      ><span></span><span></span><span class="usual"></span>
      ${track(jobSegments(job, attempts, scale, now), scale, jobLook(job.state).shape, true)}
    </div>`;
  }

  #stageRow(row: StageRow, drawn: Drawn, focusable: boolean): TemplateResult {
    const { stage } = row;
    const { job, attempts, stages, heaviest, usual, scale, now } = drawn;
    const { word, shape } = stageLook(stage.state);
    const name = oneLine(stage.title || stage.stageId);
    const numbers = row.inner
      ? `${row.innerDone} of ${row.inner}`
      : amount(stage.current, stage.total, stage.unit);
    const done =
      stage.state === StageState.RUNNING ? (stage.fractionKnown ? percent(stage.fraction) : "") : word;
    const message = oneLine(stage.failure?.message ?? stage.message);
    const segments = stageSegments(stage, stages.get(stage.parentStageId), job, attempts, scale, now);
    const time = stageTime(stage, now);
    const usually = usual.get(stage.stageId);
    const slow = usually !== undefined && isSlow(stage, usually, now);
    const beside = usually === undefined ? "" : `usually ${took(usually)}`;
    return html`<div
      class="row"
      part="stage"
      role="treeitem"
      tabindex=${focusable ? 0 : -1}
      data-key=${row.key}
      aria-level=${row.depth + 1}
      aria-expanded=${row.open ?? nothing}
      aria-selected=${row.key === this.selected}
      aria-label=${[name, word, done === word ? "" : done, numbers, time, slow ? beside : "", message].filter(Boolean).join(", ")}
      title=${[stageTitle(stage, word), beside].filter(Boolean).join("\n")}
      @click=${() => {
        this.#select(row.key);
        if (row.inner) this.toggle(row.key);
      }}
    >
      <span class="name" ${vars({ "--depth": `${Math.min(row.depth, 12)}` })}>
        ${row.open === undefined ? nothing : foldIcon(row.open)}<span class=${shape}
          >${stateIcon(shape)}</span
        >
        <span class="cut foreign ${shape === "waiting" || shape === "skipped" ? "muted" : ""}">${name}</span>
        <span class="amount foreign">${numbers}${numbers && message ? " · " : ""}</span
        >${message ? html`<span class="message cut foreign ${stage.failure ? "failed" : ""}">${message}</span>` : nothing}
      </span>
      <span class="weight-cell ${shape}"
        >${this.#bar(stage, heaviest.get(stage.parentStageId) ?? 1, job.attempt, now)}</span
      >
      <span class="number ${shape === "running" ? "" : shape === "failed" ? "failed" : "muted word"}"
        >${done}</span
      >
      <span class="number ${slow ? "slow" : "muted"}">${time}</span>
      <span class="number usual muted">${usually === undefined ? "" : took(usually)}</span>
      ${track(segments, scale, shape)}
    </div>`;
  }

  #bar(stage: Stage, heaviest: number, attempt: number, now: Instant): TemplateResult | typeof nothing {
    const weight = (stage.weight ?? 1) / (heaviest || 1);
    const unknown = !stage.fractionKnown && stage.state === StageState.RUNNING;
    let bar = this.#bars.get(stage.stageId);
    if (!bar) this.#bars.set(stage.stageId, (bar = new SmoothBar()));
    const { fraction, seconds } = bar.update(stage.fraction, attempt, now);
    return html`<div
      class="bar ${unknown ? "unknown moving" : ""}"
      ${vars({
        "--weight": `${Math.max(weight * 100, 16).toFixed(1)}%`,
        "--fraction": `${fraction}`,
        "--seconds": `${seconds}s`,
      })}
    >
      <div class="fill"></div>
    </div>`;
  }

  #restRow(row: RestRow, scale: TimeScale, focusable: boolean): TemplateResult {
    const counts = stateCounts(row.hidden).map(([state, number]) => `${number} ${stageLook(state).word}`);
    const text = row.open ? "show fewer" : `${row.hidden.length} more: ${counts.join(", ")}`;
    return html`<div
      class="row rest"
      role="treeitem"
      tabindex=${focusable ? 0 : -1}
      data-key=${row.key}
      aria-level=${row.depth + 1}
      aria-expanded=${row.open}
      aria-selected=${row.key === this.selected}
      @click=${() => {
        this.#select(row.key);
        this.toggle(row.key);
      }}
    >
      <span class="name" ${vars({ "--depth": `${Math.min(row.depth, 12)}` })}
        >${foldIcon(row.open)}<span class="cut">${text}</span></span
      >
      ${track([], scale)}
    </div>`;
  }

  #select(key: string): void {
    this.selected = key;
    void this.updateComplete.then(() => {
      this.renderRoot.querySelector<HTMLElement>('[aria-selected="true"]')?.focus();
    });
    const row = this.#rows.find((found) => found.key === key);
    const stageId = row?.type === "stage" ? row.stage.stageId : "";
    this.dispatchEvent(
      new CustomEvent("milepost-select", { detail: { stageId }, bubbles: true, composed: true }),
    );
  }

  readonly #keydown = (event: KeyboardEvent): void => {
    if (hasModifier(event)) return;
    const row = this.#rows.find((found) => found.key === this.selected);
    const steps: Record<string, number> = { ArrowDown: 1, ArrowUp: -1, Home: -Infinity, End: Infinity };
    const step = steps[event.key];
    if (step !== undefined) this.move(step);
    else if (event.key === "ArrowRight" && row?.open === false) this.toggle();
    else if (event.key === "ArrowLeft" && row?.open) this.toggle();
    else if (event.key === " ") this.toggle();
    else return;
    event.preventDefault();
  };

  protected override updated(): void {
    const ids = new Set(this.store?.job?.stages.map((stage) => stage.stageId));
    for (const id of this.#bars.keys()) if (!ids.has(id)) this.#bars.delete(id);
  }
}

function stageTime(stage: Stage, now: Instant): string {
  const start = instantOf(stage.startTime);
  if (start === undefined) return "";
  const end = instantOf(stage.endTime);
  return end === undefined ? elapsed((now - start) / 1000) : took((end - start) / 1000);
}

function stageTitle(stage: Stage, word: string): string {
  const start = instantOf(stage.startTime);
  const end = instantOf(stage.endTime);
  return [
    `${oneLine(stage.title || stage.stageId)} (${stage.stageId}): ${word}`,
    stage.fractionKnown ? `${wholePercent(stage.fraction)} %` : "",
    stage.weight === undefined ? "" : `weight ${stage.weight}`,
    start === undefined ? "" : `started ${absolute(start)}`,
    end === undefined ? "" : `ended ${absolute(end)}`,
    oneLine(stage.message),
  ]
    .filter(Boolean)
    .join("\n");
}

function heaviestOf(stages: readonly Stage[]): ReadonlyMap<string, number> {
  const heaviest = new Map<string, number>();
  for (const { parentStageId, weight } of stages) {
    heaviest.set(parentStageId, Math.max(heaviest.get(parentStageId) ?? 0, weight ?? 1));
  }
  return heaviest;
}
