import { css } from "lit";

export const jobStyles = css`
  :host {
    container-type: inline-size;
  }
  @container (min-width: 1560px) {
    article.full {
      display: grid;
      grid-template-columns: minmax(0, 1fr) minmax(0, 1fr);
      column-gap: 32px;
      align-items: start;
    }
    article.full > * {
      grid-column: 1 / -1;
    }
    article.full > .stages {
      grid-column: 1;
    }
    article.full > .stages + .details {
      grid-column: 2;
    }
  }
  header {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 4px 12px;
  }
  h1 {
    margin: 0;
    font-size: 20px;
    line-height: 28px;
    font-weight: 600;
  }
  .title {
    min-width: 0;
    font-size: 16px;
  }
  h1 .icon {
    width: 18px;
    height: 18px;
    vertical-align: -3px;
  }
  .status {
    flex: 1 0 auto;
    display: flex;
    align-items: center;
    justify-content: space-between;
    gap: 12px;
    min-height: 28px;
  }
  .state {
    font-weight: 500;
  }
  .facts {
    flex-basis: 100%;
    min-width: 0;
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 2px 12px;
    margin: 0;
  }
  .facts milepost-copy {
    margin-inline-start: -10px;
  }
  .value {
    color: var(--_text);
  }
  .facts > span {
    max-width: min(100%, 320px);
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  .label {
    padding: 0 6px;
    border: 1px solid var(--_line);
    border-radius: 10px;
    font-size: 12px;
  }
  .progress {
    margin: 12px 0 16px;
  }
  .progress .bar {
    height: 8px;
    border-radius: 4px;
    margin: 4px 0;
  }
  .numbers {
    display: flex;
    justify-content: space-between;
    gap: 12px;
    min-height: 20px;
  }
  .numbers > :last-child {
    text-align: end;
  }
  @container (max-width: 479px) {
    .numbers.muted {
      flex-direction: column;
      gap: 0;
    }
    .numbers.muted > :last-child {
      text-align: start;
    }
  }
  .percent {
    font-size: 16px;
    font-weight: 600;
  }
  .notice {
    display: flex;
    gap: 8px;
    align-items: baseline;
    margin: 0 0 12px;
    padding: 8px 12px;
    border: 1px solid var(--_line);
    border-inline-start: 3px solid var(--_muted);
    border-radius: var(--_radius);
    background: var(--_raised);
  }
  .notice.attention {
    border-inline-start-color: var(--_warn);
  }
  .notice.good {
    border-inline-start-color: var(--_good);
  }
  .notice.bad {
    border-inline-start-color: var(--_bad);
  }
  .notice p {
    margin: 0;
  }
  .headline {
    font-weight: 600;
  }
  .headline code {
    font: 12px var(--_mono);
    font-weight: 400;
    margin-inline-start: 6px;
  }
  .steps {
    flex-wrap: wrap;
    gap: 4px 16px;
    list-style: none;
    border-inline-start-color: var(--_warn);
  }
  /* Lines after the first begin as its text, after the icon, does. */
  .steps li:not(.reason) {
    padding-inline-start: 18px;
    text-indent: -18px;
  }
  .reason {
    flex-basis: 100%;
    color: var(--_muted);
  }
  details summary {
    cursor: pointer;
    color: var(--_muted);
  }
  pre {
    margin: 4px 0 0;
    white-space: pre-wrap;
    overflow-wrap: anywhere;
    max-height: 480px;
    overflow: auto;
  }
  .current .muted {
    white-space: nowrap;
  }
  .current {
    display: flex;
    gap: 8px;
    align-items: baseline;
    margin: 0 0 12px;
  }
  .stages {
    margin: 0 -8px 16px;
  }
  /* Where tabs go on beyond an edge, that edge is shaded. */
  [role="tablist"] {
    --_shade: color-mix(in srgb, var(--_text) 30%, transparent);
    display: flex;
    gap: 4px;
    border-bottom: 1px solid var(--_line);
    overflow-x: auto;
    scrollbar-width: none;
    background:
      linear-gradient(to right, var(--_surface) 60%, transparent) left / 40px 100% no-repeat local,
      linear-gradient(to left, var(--_surface) 60%, transparent) right / 40px 100% no-repeat local,
      linear-gradient(to right, var(--_shade), transparent) left / 14px 100% no-repeat scroll,
      linear-gradient(to left, var(--_shade), transparent) right / 14px 100% no-repeat scroll;
  }
  [role="tab"] {
    flex: none;
    border-radius: var(--_radius) var(--_radius) 0 0;
    padding: 4px 10px;
    border-bottom: 2px solid transparent;
    color: var(--_muted);
    white-space: nowrap;
    outline-offset: -2px;
  }
  [role="tab"][aria-selected="true"],
  [role="tab"][aria-selected="true"]:hover:not(:disabled) {
    color: var(--_text);
    border-bottom-color: var(--_accent);
  }
  @container (max-width: 479px) {
    [role="tablist"] {
      gap: 0;
    }
    [role="tab"] {
      padding-inline: 7px;
    }
  }
  [role="tabpanel"] > table,
  [role="tabpanel"] > .json {
    margin-top: 12px;
  }
  table {
    width: 100%;
    border-collapse: collapse;
  }
  th,
  td {
    padding: 4px 12px 4px 0;
    text-align: start;
    vertical-align: top;
    border-bottom: 1px solid var(--_line);
  }
  td milepost-copy {
    margin-block: -4px;
  }
  td > .foreign {
    display: -webkit-box;
    -webkit-box-orient: vertical;
    -webkit-line-clamp: 3;
    overflow: hidden;
  }
  th {
    color: var(--_muted);
    font-weight: 400;
    font-size: 12px;
  }
  td.name {
    min-width: 120px;
    max-width: 320px;
  }
  td.type {
    max-width: 160px;
  }
  /* Its title has all of it. */
  td.worker {
    max-width: 24ch;
  }
  @container (max-width: 639px) {
    td.worker {
      max-width: none;
      white-space: normal;
    }
  }
  .states {
    display: flex;
    flex-wrap: wrap;
    gap: 8px;
    margin-top: 12px;
  }
  .progress-cell {
    width: 40%;
  }
  .child-progress {
    display: flex;
    gap: 8px;
    align-items: center;
    min-height: 20px;
  }
  .child-progress .bar {
    flex: 1;
    min-width: 60px;
  }
  .child-progress .number {
    min-width: 44px;
  }
  .number {
    text-align: end;
    white-space: nowrap;
  }
  .json {
    position: relative;
  }
  .json milepost-copy {
    position: absolute;
    inset-inline-end: 8px;
    top: 4px;
  }
  .json pre {
    padding: 8px 12px;
    background: var(--_raised);
    border: 1px solid var(--_line);
    border-radius: var(--_radius);
  }
`;
