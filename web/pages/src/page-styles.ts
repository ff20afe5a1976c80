import { pageParts } from "@milepost/client/elements";

const { css } = pageParts;

export const pageStyles = css`
  nav {
    position: sticky;
    top: 0;
    z-index: 2;
    display: flex;
    align-items: center;
    gap: 8px;
    min-height: 45px; /* as with its buttons, which come later */
    padding: 8px 24px;
    background: var(--_surface);
    border-bottom: 1px solid var(--_line);
  }
  nav a {
    color: inherit;
    text-decoration: none;
  }
  nav a:hover {
    text-decoration: underline;
  }
  /* Until WindowFit has measured. */
  :host {
    --milepost-log-height: max(300px, 100vh - 460px);
    --milepost-list-height: max(300px, 100vh - 220px);
  }
  main {
    max-width: 2200px;
    margin: 0 auto;
    padding: 16px 24px var(--below, 24px);
  }
  nav > * {
    flex: none;
  }
  nav > .cut {
    flex: 0 1 auto;
    min-width: 0;
  }
  /* Why there is no connection, and since when, may take several lines. */
  nav > .chip {
    flex: 0 1 auto;
    min-width: 0;
    margin-inline-start: auto;
    padding: 0 8px;
    border: 1px solid var(--_line);
    border-radius: 12px;
    line-height: 22px;
  }
  .chip .icon {
    color: var(--_muted);
  }
  /* A word or two: a long kind is cut before it. */
  nav > .chip.up {
    flex: none;
  }
  .chip.up .icon {
    color: var(--_good);
  }
  .chip.stale {
    border-color: var(--_warn);
  }
  .chip.stale .icon {
    color: var(--_warn);
  }
  .command {
    margin-inline-start: 8px;
  }
  .event {
    display: inline-flex;
    align-items: center;
    white-space: nowrap;
  }
  @media (max-width: 899px) {
    .chip.stale ~ :is(.command, .event) {
      display: none;
    }
  }
  @media (max-width: 639px) {
    nav {
      padding: 8px 12px;
    }
    main {
      padding: 12px 12px var(--below, 24px);
    }
    .command,
    .crumb,
    .event {
      display: none;
    }
  }
`;
