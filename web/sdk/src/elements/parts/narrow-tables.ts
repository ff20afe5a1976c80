import { css } from "lit";

/** Where there is no room for columns, each row of a table is a few lines, and says what its cells are. */
export const narrowTables = css`
  @container (max-width: 639px) {
    table,
    tbody {
      display: block;
    }
    thead {
      display: none;
    }
    tr {
      display: flex;
      flex-wrap: wrap;
      gap: 0 12px;
      padding: 6px 0;
      border-bottom: 1px solid var(--_line);
    }
    td,
    tbody th {
      display: block;
      min-width: 0;
      max-width: 100%;
      padding: 0;
      border: 0;
      text-align: start;
    }
    td:empty {
      display: none;
    }
    [data-label]::before {
      content: attr(data-label) " ";
      color: var(--_muted);
      font: 12px var(--_font);
    }
    .own-line {
      flex-basis: 100%;
    }
  }
`;
