import { css } from "lit";

export const eventsStyles = css`
  .controls {
    display: flex;
    flex-wrap: wrap;
    gap: 8px;
    align-items: center;
    padding: 8px 0;
  }
  .controls label {
    display: flex;
    gap: 8px;
    align-items: center;
    color: var(--_muted);
  }
  .controls input {
    width: 14ch;
    color: var(--_text);
  }
  .controls .count {
    margin-inline-start: auto;
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
    overscroll-behavior: contain;
    border: 1px solid var(--_line);
    border-radius: var(--_radius);
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
  .row {
    display: grid;
    grid-template-columns: minmax(0, 1fr) auto;
    align-items: center;
    height: 26px;
    padding-inline-end: 4px;
  }
  .row:hover {
    background: var(--_raised);
  }
  .row.marked {
    background: color-mix(in srgb, var(--_accent) 12%, transparent);
    box-shadow: inset 3px 0 0 var(--_accent);
  }
  .event {
    all: unset;
    display: grid;
    grid-template-columns: 14px var(--sequence-width) 62px minmax(0, 1fr);
    column-gap: 10px;
    align-items: center;
    height: 26px;
    padding: 0 8px;
    cursor: pointer;
    font: 12.5px/19px var(--_mono);
  }
  .event:focus-visible {
    outline: 2px solid var(--_accent);
    outline-offset: -2px;
  }
  .event[disabled] {
    cursor: default;
  }
  .sequence {
    text-align: end;
  }
  .payload {
    position: relative;
    padding: 0 8px 8px;
  }
  .payload milepost-copy {
    position: absolute;
    inset-inline-end: 20px;
    top: 4px;
  }
  pre {
    max-height: 320px;
    margin: 0;
    padding: 8px 12px;
    overflow: auto;
    overscroll-behavior: contain;
    white-space: pre-wrap;
    overflow-wrap: anywhere;
    background: var(--_raised);
    border: 1px solid var(--_line);
    border-radius: var(--_radius);
  }
  .notice {
    margin: 8px 0;
  }
  @container (max-width: 639px) {
    .event {
      grid-template-columns: 14px var(--sequence-width) minmax(0, 1fr);
      column-gap: 8px;
      padding: 0 6px;
    }
    .event time,
    .controls .count {
      display: none;
    }
  }
`;
