import { css } from "lit";

export const stagesStyles = css`
  .row,
  .scale {
    display: grid;
    grid-template-columns: minmax(180px, 30%) 84px 64px 56px 52px 1fr;
    column-gap: 12px;
    align-items: center;
    min-height: 28px;
    padding: 0 8px;
  }
  .row {
    border-radius: var(--_radius);
    content-visibility: auto;
    contain-intrinsic-size: auto 28px;
  }
  .row:hover,
  .row[aria-selected="true"] {
    background: var(--_raised);
  }
  .row:focus {
    outline: 2px solid var(--_accent);
    outline-offset: -2px;
  }
  .scale {
    color: var(--_muted);
    font-size: 12px;
    min-height: 20px;
  }
  .name {
    display: flex;
    align-items: center;
    gap: 6px;
    min-width: 0;
    padding-inline-start: calc(var(--depth) * 18px);
  }
  .name .cut {
    flex: 0 1 auto;
    min-width: 0;
  }
  .name .amount {
    flex: none;
    margin-inline-start: auto;
    white-space: nowrap;
  }
  .name .message {
    flex: 0 9999 auto;
  }
  .name .amount,
  .name .message {
    color: var(--_muted);
    font-size: 12px;
  }
  .fold {
    color: var(--_muted);
    margin-inline: -4px -2px;
  }
  .number {
    text-align: end;
    white-space: nowrap;
  }
  .word,
  .usual {
    font-size: 12px;
  }
  .slow {
    color: var(--_warn);
    font-weight: 500;
  }
  .bar {
    width: var(--weight, 100%);
    min-width: 10px;
  }
  .track {
    position: relative;
    height: 100%;
    min-height: 16px;
  }
  .track::before {
    content: "";
    position: absolute;
    inset: 0 0 0 calc(var(--origin) * 100%);
    background: repeating-linear-gradient(
      to right,
      var(--_line) 0 1px,
      transparent 1px calc(var(--tick) * 100%)
    );
  }
  /* The wait before the scale's 0:00 is cut short here. */
  .fold-mark {
    position: absolute;
    inset-block: 0;
    inset-inline: 0 calc(100% - var(--origin) * 100%);
    display: grid;
    place-items: center;
    color: var(--_muted);
    font: italic 600 12px/1 var(--_mono);
    letter-spacing: -3px;
    text-shadow:
      2px 0 var(--_surface),
      -2px 0 var(--_surface);
  }
  .track .now {
    position: absolute;
    inset-block: 0;
    inset-inline-start: calc(var(--now) * 100%);
    width: 1px;
    background: var(--_accent);
    opacity: 0.4;
  }
  .segment {
    position: absolute;
    top: calc(50% - 5px);
    height: 10px;
    inset-inline-start: min(calc(var(--from) * 100%), 100% - 2px);
    width: max(calc((var(--to) - var(--from)) * 100%), 2px);
    border-radius: 2px;
    background: currentColor;
  }
  .segment.part-waiting {
    opacity: 0.4;
    color: var(--_muted);
    height: 3px;
    top: calc(50% - 1.5px);
  }
  .segment.part-earlier {
    color: var(--_muted);
    opacity: 0.55;
  }
  .segment.part-earlier.broken {
    background: repeating-linear-gradient(-45deg, var(--_bad) 0 3px, transparent 3px 6px);
    opacity: 0.9;
  }
  .segment.part-expected {
    background: repeating-linear-gradient(90deg, currentColor 0 4px, transparent 4px 8px);
    height: 2px;
    top: calc(50% - 1px);
    color: var(--_accent);
    border-radius: 0;
  }
  .ticks {
    position: relative;
    height: 20px;
    overflow: hidden;
  }
  .ticks span {
    position: absolute;
    inset-inline-start: calc(var(--at) * 100%);
    padding-inline-start: 4px;
    white-space: nowrap;
  }
  .segment.part-running.broken {
    background: repeating-linear-gradient(
      -45deg,
      currentColor 0 5px,
      color-mix(in srgb, currentColor 45%, transparent) 5px 8px
    );
  }
  .rest {
    color: var(--_muted);
  }
  .rest .name {
    grid-column: 1 / -2;
  }
  @container (max-width: 899px) {
    .row,
    .scale {
      grid-template-columns: minmax(180px, 30%) 84px 64px 56px 1fr;
    }
    .usual {
      display: none;
    }
  }
  :host([narrow]) .row,
  :host([narrow]) .scale {
    grid-template-columns: 1fr 44px 52px;
  }
  :host([narrow]) .row {
    padding-block: 2px 4px;
  }
  :host([narrow]) .weight-cell,
  :host([narrow]) .usual {
    display: none;
  }
  :host([narrow]) .scale > :not(.ticks) {
    display: none;
  }
  :host([narrow]) .track,
  :host([narrow]) .ticks {
    grid-column: 1 / -1;
    min-height: 12px;
  }
  @media (forced-colors: active) {
    .track {
      forced-color-adjust: none;
      color: CanvasText;
    }
    .track .segment {
      color: CanvasText;
      opacity: 1;
    }
    .track::before {
      opacity: 0.4;
    }
  }
`;
