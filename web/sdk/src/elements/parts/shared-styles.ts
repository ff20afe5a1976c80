import { css } from "lit";

/**
 * Colours, fonts and controls that all elements share.
 *
 * A host page sets the properties `--milepost-…`; light or dark follows its `color-scheme`.
 */
export const sharedStyles = css`
  :host {
    --_text: var(--milepost-text, light-dark(#1b1f24, #e6e9ee));
    --_muted: var(--milepost-muted, light-dark(#59626e, #9aa4b1));
    --_surface: var(--milepost-surface, light-dark(#ffffff, #0f1216));
    --_raised: var(--milepost-raised, light-dark(#f5f6f8, #171b21));
    --_line: var(--milepost-line, light-dark(#dfe3e8, #2a3038));
    --_accent: var(--milepost-accent, light-dark(#2557c7, #7aa7ff));
    --_good: var(--milepost-good, light-dark(#17724a, #5bc98c));
    --_bad: var(--milepost-bad, light-dark(#bd2530, #ff8080));
    --_warn: var(--milepost-warn, light-dark(#855600, #e2b04a));
    --_font: var(--milepost-font, system-ui, sans-serif);
    --_mono: var(
      --milepost-mono,
      ui-monospace,
      "SF Mono",
      "Cascadia Mono",
      Menlo,
      Consolas,
      "DejaVu Sans Mono",
      monospace
    );
    --_radius: var(--milepost-radius, 4px);
    box-sizing: border-box;
    display: block;
    color: var(--_text);
    font: 14px/20px var(--_font);
    font-variant-numeric: tabular-nums;
    text-align: start;
  }
  :host([hidden]) {
    display: none;
  }
  *,
  *::before,
  *::after {
    box-sizing: inherit;
  }
  .icon {
    flex: none;
    vertical-align: -2px;
  }
  .running {
    color: var(--_accent);
  }
  .succeeded {
    color: var(--_good);
  }
  .failed,
  .lost {
    color: var(--_bad);
  }
  .cancelled,
  .stopping {
    color: var(--_warn);
  }
  .waiting,
  .skipped,
  .muted {
    color: var(--_muted);
  }
  .mono {
    font-family: var(--_mono);
    font-size: 12.5px;
  }
  /* Text of a job: on its own in both directions, and broken anywhere rather than beyond its box. */
  .foreign {
    unicode-bidi: isolate;
    overflow-wrap: anywhere;
  }
  .cut {
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  .hidden-text {
    position: absolute;
    width: 1px;
    height: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
  button,
  select,
  input,
  textarea {
    font: inherit;
    color: inherit;
    background: var(--_surface);
    border: 1px solid var(--_line);
    border-radius: var(--_radius);
    padding: 3px 8px;
    min-height: 28px;
  }
  button {
    cursor: pointer;
  }
  button:hover:not(:disabled) {
    border-color: var(--_muted);
  }
  button:disabled {
    cursor: default;
    color: var(--_muted);
  }
  button.plain {
    background: none;
    border-color: transparent;
    padding: 0 4px;
    min-height: 24px;
    min-width: 24px;
  }
  button.plain:hover:not(:disabled) {
    border-color: transparent;
    background: var(--_raised);
  }
  button.primary {
    background: var(--_accent);
    border-color: var(--_accent);
    color: var(--_surface);
  }
  button.danger {
    background: var(--_bad);
    border-color: var(--_bad);
    color: var(--_surface);
  }
  .states button {
    display: inline-flex;
    gap: 6px;
    align-items: center;
    border-radius: 14px;
    padding: 0 12px;
  }
  .states button[aria-pressed="true"] {
    background: var(--_raised);
    border-color: currentColor;
  }
  a {
    color: var(--_accent);
    text-decoration-thickness: 1px;
    text-underline-offset: 2px;
  }
  :focus-visible {
    outline: 2px solid var(--_accent);
    outline-offset: 1px;
  }
  .bar {
    position: relative;
    overflow: hidden;
    height: 6px;
    border-radius: 3px;
    background: var(--_line);
  }
  .bar > .fill {
    position: absolute;
    inset: 0;
    border-radius: inherit;
    background: currentColor;
    transform: scaleX(var(--fraction, 0));
    transform-origin: left;
    transition: transform var(--seconds, 0s) linear;
  }
  .bar.unknown > .fill {
    transform: none;
    background: repeating-linear-gradient(-45deg, currentColor 0 6px, transparent 6px 12px);
    opacity: 0.6;
  }
  .bar.unknown.moving > .fill {
    inset-inline-start: -17px;
    animation: moving 1.4s linear infinite;
  }
  /* What moves says that work goes on, which is not known without a connection. */
  .stale .bar.moving > .fill {
    animation: none;
  }
  @keyframes moving {
    to {
      transform: translateX(17px);
    }
  }
  @media (prefers-reduced-motion: reduce) {
    *,
    *::before,
    *::after {
      transition: none !important;
      animation: none !important;
      scroll-behavior: auto !important;
    }
  }
  @media (forced-colors: active) {
    .bar {
      forced-color-adjust: none;
      color: CanvasText;
      background: Canvas;
      border: 1px solid CanvasText;
    }
    .bar > .fill {
      border-radius: 0;
    }
    [aria-pressed="true"],
    [role="tab"][aria-selected="true"] {
      forced-color-adjust: none;
      color: SelectedItemText !important;
      background: SelectedItem !important;
    }
    /* A state's own colour is not to be seen upon that of what is chosen. */
    [aria-pressed="true"] > *,
    [aria-pressed="true"] .icon {
      color: inherit !important;
    }
    .marked,
    .row.selected,
    .row[aria-selected="true"] {
      outline: 2px solid SelectedItem;
      outline-offset: -2px;
    }
  }
`;
