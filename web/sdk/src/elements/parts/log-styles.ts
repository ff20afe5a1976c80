import { css } from "lit";

export const logStyles = css`
  :host {
    display: flex;
    flex-direction: column;
    min-height: 0;
  }
  .controls {
    display: flex;
    flex-wrap: wrap;
    gap: 8px;
    align-items: center;
    padding: 8px 0;
  }
  .controls select {
    max-width: 220px;
  }
  .controls input {
    flex: 1 1 140px;
    min-width: 0;
    max-width: 360px;
  }
  .controls .count {
    margin-inline-start: auto;
    white-space: nowrap;
  }
  .controls [aria-pressed="true"] {
    background: color-mix(in srgb, var(--_accent) 14%, var(--_surface));
    border-color: var(--_accent);
  }
  .view {
    position: relative;
    min-height: 80px;
    max-height: var(--milepost-log-height, 420px);
    overflow: hidden auto;
    overflow-anchor: none;
    background: var(--_raised);
    border: 1px solid var(--_line);
    border-radius: var(--_radius);
    font: 12.5px/19px var(--_mono);
    overscroll-behavior: contain;
  }
  .view.empty {
    display: none;
  }
  .area {
    position: relative;
    overflow: hidden;
  }
  .rows {
    position: absolute;
    inset-inline: 0;
    top: 0;
    will-change: transform;
  }
  .line {
    display: grid;
    grid-template-columns: 66px minmax(0, min(var(--stage-width, 16ch), 16ch)) 1fr;
    column-gap: 12px;
    padding: 0 10px;
  }
  .line.boundary {
    display: block;
    margin: 0;
    color: var(--_muted);
    font-weight: 600;
    background: color-mix(in srgb, var(--_accent) 10%, transparent);
    box-shadow: inset 3px 0 0 var(--_accent);
  }
  .line:hover {
    background: color-mix(in srgb, var(--_muted) 12%, transparent);
  }
  .line time,
  .line .stage {
    color: var(--_muted);
    user-select: none;
  }
  .line.marked {
    /* With more of it, muted text and errors would be too faint. */
    background: color-mix(in srgb, var(--_accent) 12%, transparent);
    box-shadow: inset 3px 0 0 var(--_accent);
  }
  .at {
    all: unset;
    cursor: pointer;
  }
  .at:hover {
    text-decoration: underline;
  }
  .at:focus-visible {
    outline: 2px solid var(--_accent);
  }
  .text {
    white-space: pre-wrap;
    overflow-wrap: anywhere;
    tab-size: 4;
    min-width: 0;
  }
  .severity {
    font-weight: 600;
  }
  .line.warning .severity {
    color: var(--_warn);
  }
  .line.error .severity,
  .line.error .text {
    color: var(--_bad);
  }
  .line.debug .text {
    color: var(--_muted);
  }
  .line.warning {
    box-shadow: inset 3px 0 0 var(--_warn);
  }
  .line.error {
    box-shadow: inset 3px 0 0 var(--_bad);
  }
  .more {
    min-height: 19px;
    line-height: 19px;
    padding: 0;
    color: var(--_accent);
    display: block;
    white-space: normal;
    text-align: start;
  }
  .probe {
    position: absolute;
    visibility: hidden;
    white-space: pre;
  }
  .bold {
    font-weight: 700;
  }
  .dim {
    opacity: 0.75;
  }
  .italic {
    font-style: italic;
  }
  .underline {
    text-decoration: underline;
  }
  .red {
    color: var(--_bad);
  }
  .green {
    color: var(--_good);
  }
  .yellow {
    color: var(--_warn);
  }
  .blue {
    color: var(--_accent);
  }
  .magenta {
    color: light-dark(#9333a8, #e08cf2);
  }
  .cyan {
    color: light-dark(#0b6e80, #5cc9d8);
  }
  .notice {
    margin: 8px 0;
  }
  :host([tail]) .view {
    max-height: var(--milepost-log-height, 160px);
  }
  @container (min-width: 1000px) {
    .line {
      grid-template-columns: 66px minmax(0, min(var(--stage-width, 24ch), 24ch)) 1fr;
    }
  }
  .without-stages .line {
    grid-template-columns: 66px 1fr;
  }
  .without-stages .line .stage {
    display: none;
  }
  @container (max-width: 639px) {
    .line,
    .without-stages .line {
      grid-template-columns: max-content 1fr;
      column-gap: 8px;
      padding: 0 6px;
    }
    .line time {
      font-size: 11px;
    }
    .line .stage,
    .controls .count {
      display: none;
    }
    .controls select {
      flex: 1 1 40%;
      min-width: 0;
      max-width: none;
    }
    .controls input {
      flex-basis: 35%;
      max-width: none;
    }
  }
`;
