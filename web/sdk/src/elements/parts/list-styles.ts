import { css } from "lit";

export const listStyles = css`
  :host {
    container-type: inline-size;
    display: flex;
    flex-direction: column;
    min-height: 0;
  }
  .totals,
  .filters {
    display: flex;
    flex-wrap: wrap;
    gap: 8px;
    margin-bottom: 12px;
  }
  .totals .none {
    color: var(--_muted);
  }
  .totals .none .icon {
    opacity: 0.5;
  }
  .filters input {
    flex: 1 1 140px;
    min-width: 0;
  }
  .view {
    position: relative;
    flex: 1 1 auto;
    max-height: var(--milepost-list-height, 70vh);
    overflow: hidden auto;
    overscroll-behavior: contain;
    scrollbar-gutter: stable;
    border-top: 1px solid var(--_line);
  }
  .area {
    position: relative;
    overflow: hidden;
  }
  .rows {
    position: absolute;
    inset-inline: 0;
    top: 0;
  }
  .row,
  .columns {
    display: grid;
    grid-template-columns:
      104px minmax(150px, 2.2fr) minmax(60px, 0.7fr) minmax(120px, 1.8fr) 144px 84px
      minmax(60px, 0.6fr) 88px;
    column-gap: 12px;
    align-items: center;
    height: 36px;
    padding: 0 8px;
    border-bottom: 1px solid var(--_line);
    color: inherit;
    text-decoration: none;
  }
  .headings {
    overflow: hidden;
    scrollbar-gutter: stable; /* so that its columns are those of the rows */
    color: var(--_muted);
    font-size: 12px;
  }
  .headings .columns {
    height: 20px;
    border: 0;
  }
  .row > *,
  .columns > * {
    min-width: 0;
  }
  a.row:hover,
  a.row.selected {
    background: var(--_raised);
  }
  a.row:focus-visible {
    outline-offset: -2px;
  }
  .group {
    display: flex;
    gap: 8px;
    align-items: end;
    height: 36px;
    padding: 0 8px 4px;
    color: var(--_muted);
    font-size: 12px;
    border-bottom: 1px solid var(--_line);
  }
  .number {
    text-align: end;
    white-space: nowrap;
  }
  .remaining {
    overflow: hidden;
    text-overflow: ellipsis;
  }
  .progress {
    display: flex;
    gap: 8px;
    align-items: center;
  }
  .progress .bar {
    flex: 1;
  }
  .progress .number {
    min-width: 92px; /* of "3 stages done", so that all bars end at one place */
  }
  /* What a job waits for has the room of its remaining time, too. */
  .waits .progress {
    grid-column-end: span 2;
  }
  .waits .remaining {
    display: none;
  }
  .note.attention {
    color: var(--_warn);
  }
  .name {
    display: flex;
    gap: 8px;
    align-items: baseline;
    padding-inline-start: calc(var(--depth) * 14px);
  }
  .name .child {
    flex: none;
    margin-inline-end: -2px;
  }
  /* The beginning of the id gives way first, then the kind: their titles have all of them. */
  .name .kind {
    flex: 0 1 auto;
    font-weight: 600;
  }
  .name .id {
    flex: 0 1000000 auto; /* a kind that gave way by a 64th of a pixel would be cut */
    min-width: 10ch; /* its end, or all of a short one */
    color: var(--_muted);
    white-space: nowrap;
  }
  .name .title {
    flex: 0 1000000 auto;
    min-width: 5ch;
  }
  .name .id .cut {
    display: inline-block;
    max-width: calc(100% - 4ch);
    vertical-align: bottom;
  }
  .runs {
    width: 88px;
    height: 18px;
  }
  .runs .running {
    fill: currentColor;
  }
  /* Over the first row, so that nothing moves when it comes. */
  .news {
    z-index: 1;
    height: 28px;
    margin: 0 auto -28px;
  }
  .notice {
    padding: 12px 8px;
    margin: 0;
  }
  .stale-notice {
    margin-bottom: 12px;
    padding: 8px 12px;
    border: 1px solid var(--_line);
    border-inline-start: 3px solid var(--_warn);
    border-radius: var(--_radius);
    background: var(--_raised);
  }
  @container (max-width: 899px) {
    .row,
    .columns {
      grid-template-columns: 104px minmax(150px, 1.4fr) minmax(110px, 1.4fr) 144px 84px;
    }
    :is(.row, .columns) :is(.owner, .worker, .runs-cell) {
      display: none;
    }
    .progress .number {
      min-width: 40px;
    }
  }
  /* The shapes say what the words do, which screen readers still read. */
  @container (max-width: 759px) {
    .row {
      grid-template-columns: 16px minmax(170px, 1.6fr) minmax(64px, 1fr) 144px 84px;
    }
    .row .word {
      position: absolute;
      clip-path: inset(50%);
    }
    .headings {
      display: none;
    }
  }
  @container (max-width: 559px) {
    .row {
      grid-template-columns: 16px minmax(0, 1fr) max-content 44px;
      column-gap: 8px;
    }
    .row .remaining,
    .row .bar,
    .row .ago,
    .name .id .cut,
    .totals .none:not([aria-pressed="true"]) {
      display: none;
    }
    .row .progress {
      justify-content: end;
    }
    .progress .number {
      min-width: 0;
    }
    /* The end of a long id, or all of a short one: the kind has the rest of the room. */
    .name .id {
      flex: none;
      min-width: 0;
    }
    .row.noted {
      grid-template-rows: 19px 15px;
      align-content: center;
    }
    .row.noted > :first-child {
      grid-row: 1 / 3;
    }
    .row.noted > .name {
      grid-column: 2 / 4;
    }
    .row.noted > .progress {
      grid-area: 2 / 2 / 3 / -1;
      justify-content: start;
      font-size: 11px;
      line-height: 15px;
    }
    .row.noted > .progress + .remaining + .number {
      grid-area: 1 / 4;
    }
  }
`;
