import { html, type TemplateResult } from "lit";
import { guard } from "lit/directives/guard.js";
import { Severity, type Stage } from "../messages.js";
import { oneLine } from "../model/plain-text.js";
import { severityWord } from "../model/state-words.js";

/** The user's choices, and the callback for new ones. */
export interface LogChoices {
  readonly stages: readonly Stage[];
  readonly stageId: string;
  readonly severity: Severity;
  readonly text: string;
  readonly follow: boolean;
  /** Whether no line will be added. */
  readonly isEnded: boolean;
  /** How many lines there are, and how many are shown; empty if there are none. */
  readonly count: string;
  /** Whether lines are being loaded, to save all of them. */
  readonly isSaving: boolean;
  /** Whether there are lines, or may be. */
  readonly canSave: boolean;
  readonly onStage: (stageId: string) => void;
  readonly onSeverity: (severity: Severity) => void;
  readonly onText: (text: string) => void;
  readonly onSave: () => void;
  readonly onFollow: () => void;
}

const SEVERITIES = [Severity.DEBUG, Severity.INFO, Severity.WARNING, Severity.ERROR];
/** Deeper stages are indented no further. */
const MAX_DEPTH = 6;

/** The controls above a log: stage, severity, text, a file of the lines, and whether it follows. */
export function logControls(choices: LogChoices): TemplateResult {
  const { stages, stageId, severity, text, follow, isEnded, count } = choices;
  // Thousands of options are drawn only when there are others.
  const names = stages.map((stage) => `${stage.stageId}\n${stage.title}`).join("\n");
  return html`<div class="controls">
    <select
      aria-label="stage of the lines"
      @change=${(event: Event) => {
        choices.onStage((event.target as HTMLSelectElement).value);
      }}
    >
      ${guard([names, stageId], () => stageOptions(stages, stageId))}
    </select>
    <select
      aria-label="least severity of the lines"
      @change=${(event: Event) => {
        choices.onSeverity(SEVERITIES[(event.target as HTMLSelectElement).selectedIndex] ?? Severity.DEBUG);
      }}
    >
      ${SEVERITIES.map(
        (each) =>
          html`<option value=${each} ?selected=${each === severity}>
            ${severityWord(each)}${each === Severity.ERROR ? "" : " +"}
          </option>`,
      )}
    </select>
    <input
      type="search"
      placeholder="filter…  /"
      aria-label="filter the lines by text"
      .value=${text}
      @input=${(event: Event) => {
        choices.onText((event.target as HTMLInputElement).value);
      }}
    />
    <span class="muted count" role="status">${count}</span>
    <button
      title="save the lines that these filters show as a file"
      ?disabled=${!choices.isSaving && !choices.canSave}
      @click=${choices.onSave}
    >
      ${choices.isSaving ? "stop saving" : "save"}
    </button>
    ${followButton(follow, isEnded, choices.onFollow)}
  </div>`;
}

/** Whether the newest line is kept in sight; of what has ended it is only gone to. */
export function followButton(follow: boolean, isEnded: boolean, onFollow: () => void): TemplateResult {
  return isEnded
    ? html`<button title="go to the last line (f)" ?disabled=${follow} @click=${onFollow}>to the end</button>`
    : html`<button aria-pressed=${follow} title="keep the newest line in sight (f)" @click=${onFollow}>
        ${follow ? "following" : "follow"}
      </button>`;
}

function stageOptions(stages: readonly Stage[], chosen: string): TemplateResult {
  const depths = new Map<string, number>();
  for (const { stageId, parentStageId } of stages) {
    depths.set(stageId, Math.min((depths.get(parentStageId) ?? -1) + 1, MAX_DEPTH));
  }
  return html`<option value="" ?selected=${chosen === ""}>all stages</option>
    ${stages.map(
      (stage) =>
        html`<option value=${stage.stageId} ?selected=${stage.stageId === chosen}>
          ${"\u2003".repeat(depths.get(stage.stageId) ?? 0)}${oneLine(stage.title || stage.stageId, 60)}
        </option>`,
    )}`;
}
