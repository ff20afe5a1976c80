import { css } from "lit";

export const dialogStyles = css`
  dialog {
    width: min(460px, calc(100vw - 24px));
    padding: 20px;
    color: var(--_text);
    background: var(--_surface);
    border: 1px solid var(--_line);
    border-radius: 8px;
  }
  dialog::backdrop {
    background: rgb(0 0 0 / 45%);
  }
  h2 {
    margin: 0 0 4px;
    font-size: 16px;
  }
  p {
    margin: 0;
  }
  label {
    display: block;
    margin: 12px 0 4px;
  }
  textarea,
  select {
    width: 100%;
  }
  label:has([type="checkbox"]) {
    display: flex;
    gap: 8px;
    align-items: center;
  }
  [type="checkbox"] {
    min-height: 0;
    margin: 0;
  }
  .actions {
    display: flex;
    flex-wrap: wrap;
    justify-content: end;
    gap: 8px;
    margin-top: 16px;
  }
`;
