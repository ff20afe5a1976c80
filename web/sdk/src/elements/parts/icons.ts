import { html, svg, type SVGTemplateResult, type TemplateResult } from "lit";
import type { ChipShape } from "../model/connection-text.js";
import type { Shape } from "../model/state-words.js";

// Drawn and not written, so that no font or platform makes pictures of them.
const SHAPES: Readonly<Record<Shape, SVGTemplateResult>> = {
  waiting: svg`<circle cx="8" cy="8" r="5" fill="none" stroke="currentColor" stroke-width="1.6"/>`,
  running: svg`<path d="M5 3.2v9.6L13 8z" fill="currentColor"/>`,
  stopping: svg`<rect x="4" y="4" width="8" height="8" rx="1" fill="currentColor"/>`,
  succeeded: svg`<path d="M3 8.6l3.2 3.2L13 5" fill="none" stroke="currentColor" stroke-width="2.2" stroke-linecap="round" stroke-linejoin="round"/>`,
  failed: svg`<path d="M4 4l8 8M12 4l-8 8" fill="none" stroke="currentColor" stroke-width="2.2" stroke-linecap="round"/>`,
  cancelled: svg`<circle cx="8" cy="8" r="5.4" fill="none" stroke="currentColor" stroke-width="1.8"/><path d="M4.4 11.6l7.2-7.2" stroke="currentColor" stroke-width="1.8"/>`,
  lost: svg`<path d="M5.4 6a2.7 2.7 0 1 1 3.7 2.6c-.8.3-1.1.8-1.1 1.6" fill="none" stroke="currentColor" stroke-width="1.9" stroke-linecap="round"/><circle cx="8" cy="13" r="1.2" fill="currentColor"/>`,
  skipped: svg`<path d="M4 8h8" stroke="currentColor" stroke-width="2" stroke-linecap="round"/>`,
};

const CHIPS: Readonly<Record<ChipShape, SVGTemplateResult>> = {
  full: svg`<circle cx="8" cy="8" r="4.5" fill="currentColor"/>`,
  half: svg`<circle cx="8" cy="8" r="4.5" fill="none" stroke="currentColor" stroke-width="1.6"/><path d="M8 3.5a4.5 4.5 0 0 0 0 9z" fill="currentColor"/>`,
  empty: SHAPES.waiting,
  cross: SHAPES.failed,
  turned: svg`<path d="M12.5 8A4.5 4.5 0 1 1 8 3.5h3M9 1.5l2.2 2L9 5.6" fill="none" stroke="currentColor" stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round"/>`,
  done: SHAPES.succeeded,
};

/** The shape of a state; the word stands beside it. */
export function stateIcon(shape: Shape): TemplateResult {
  return icon(SHAPES[shape], `icon ${shape}`);
}

export function chipIcon(shape: ChipShape): TemplateResult {
  return icon(CHIPS[shape], "icon");
}

export function copyIcon(): TemplateResult {
  return icon(
    svg`<rect x="5.5" y="5.5" width="8" height="8" rx="1.5" fill="none" stroke="currentColor" stroke-width="1.4"/><path d="M10.5 5.500V4A1.500 1.500 0 0 0 9 2.500H4A1.500 1.500 0 0 0 2.500 4v5A1.500 1.500 0 0 0 4 10.500h1.500" fill="none" stroke="currentColor" stroke-width="1.4"/>`,
    "icon",
  );
}

export function foldIcon(open: boolean): TemplateResult {
  return icon(
    svg`<path d=${open ? "M4 6l4 4 4-4" : "M6 4l4 4-4 4"} fill="none" stroke="currentColor" stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round"/>`,
    "icon fold",
  );
}

function icon(shape: SVGTemplateResult, classes: string): TemplateResult {
  return html`<svg class=${classes} viewBox="0 0 16 16" width="14" height="14" aria-hidden="true">
    ${shape}
  </svg>`;
}
