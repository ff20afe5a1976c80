/** The connected workers, in words. */

import type { ConnectedWorker } from "../messages.js";
import { count, oneLine } from "./plain-text.js";

/** All of them in a line: `2 workers take transcribe · 3 of 4 places taken`. */
export function workersText(workers: readonly ConnectedWorker[], kind: string): string {
  const name = oneLine(kind, 64);
  if (workers.length === 0) return kind ? `no worker takes ${name}` : "no worker is connected";
  const what = kind && ` ${workers.length === 1 ? "takes" : "take"} ${name}`;
  const taken = workers.reduce((sum, { jobCount }) => sum + jobCount, 0);
  const places = workers.reduce((sum, { maxConcurrency }) => sum + maxConcurrency, 0);
  // A worker whose handlers go on after their jobs has fewer places than jobs for a while.
  const share = taken > places ? "all" : `${taken} of`;
  const room = places > 0 ? `${share} ${count(places, "place")} taken` : "no room for jobs";
  return `${count(workers.length, "worker")}${what} · ${room}`;
}
