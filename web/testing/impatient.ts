import type { WatchTiming } from "../sdk/src/index.js";

/** Waits of a watch that suit a test; the rules stay the same. */
export const IMPATIENT: Partial<WatchTiming> = {
  backoffMs: 20,
  maximumBackoffMs: 200,
  pollMs: 30,
  probeMs: 5_000,
  silenceMs: 100,
};
