import { html, nothing, type TemplateResult } from "lit";
import { spansOf } from "../model/ansi.js";
import { absolute, clock } from "../model/instants.js";
import type { LogLine } from "../model/log-line.js";
import { grouped, oneLine } from "../model/plain-text.js";
import { severityWord } from "../model/state-words.js";
import { cutAt } from "../model/wrapping.js";

/** The boundary before the lines of an attempt: `attempt 2 of 3, started 14:02:11, after WORKER_LOST`. */
export function boundaryRow(line: LogLine, text: string): TemplateResult {
  return html`<div
    class="line boundary"
    role="heading"
    aria-level="2"
    title="${absolute(line.time)} · event ${line.sequence}"
  >
    ${text}
  </div>`;
}

/** A line of the log. Of a very long one only as much as fits into some lines of `columns` characters. */
export function logRow(
  line: LogLine,
  stage: string,
  columns: number,
  isMarked: boolean,
  showWhole: (line: LogLine) => void,
  mark: (line: LogLine) => void,
): TemplateResult {
  const severity = severityWord(line.severity);
  const end = columns === Infinity ? line.text.length : cutAt(line.text, columns);
  const spans = spansOf(line.text.slice(0, end));
  return html`<div class="line ${severity} ${isMarked ? "marked" : ""}">
    <time title="${absolute(line.time)} · event ${line.sequence} · click to mark the line"
      ><button
        class="at"
        @click=${() => {
          mark(line);
        }}
      >
        ${clock(line.time)}
      </button></time
    >
    <span class="stage foreign cut" title=${line.stageId}>${oneLine(stage, 64)}</span>
    <span class="text foreign" dir="auto"
      >${severity === "info" ? nothing : html`<b class="severity">${severity}</b> `}${spans.map(
        ({ text, styles }) => (styles ? html`<span class=${styles}>${text}</span>` : text),
      )}${
        end < line.text.length
          ? html`<button
              class="plain more"
              @click=${() => {
                showWhole(line);
              }}
            >
              … show all ${grouped(line.text.length)} characters
            </button>`
          : nothing
      }</span
    >
  </div>`;
}
