/** Milliseconds that a test waits for one condition: no more than a limit against hangs, also on a busy machine. */
export const WAIT_LIMIT_MS = 120_000;
