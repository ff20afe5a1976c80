/** The connected workers, in words. */

import type { ConnectedWorker } from "../messages.js";
import { count, grouped, oneLine } from "./plain-text.js";

/** All of them in a line: `2 workers take transcribe · 3 of 4 places taken`, `5 jobs claimed by 2 processes`. */
export function workersText(connected: readonly ConnectedWorker[], kind: string): string {
  const name = oneLine(kind, 64);
  const workers = connected.filter((worker) => !onlyClaims(worker));
  const claims = claimsText(connected.filter(onlyClaims));
  if (workers.length === 0) return claims || (kind ? `no worker takes ${name}` : "no worker is connected");
  const what = kind && ` ${workers.length === 1 ? "takes" : "take"} ${name}`;
  const taken = sum(workers, ({ jobCount }) => jobCount);
  const places = sum(workers, ({ maxConcurrency }) => maxConcurrency);
  // A worker whose handlers go on after their jobs has fewer places than jobs for a while.
  const share = taken > places ? "all" : `${taken} of`;
  const room = places > 0 ? `${share} ${count(places, "place")} taken` : "no room for jobs";
  return [`${count(workers.length, "worker")}${what}`, room, claims].filter(Boolean).join(" · ");
}

/** Whether it takes no kinds from the queue, but claims jobs one by one, as processes of engines do. */
export function onlyClaims({ kinds }: ConnectedWorker): boolean {
  return kinds.length === 0;
}

function claimsText(claiming: readonly ConnectedWorker[]): string {
  const { length } = claiming;
  if (length === 0) return "";
  const jobs = sum(claiming, ({ jobCount }) => jobCount);
  const processes = length === 1 ? "1 process" : `${grouped(length)} processes`;
  return jobs > 0
    ? `${count(jobs, "job")} claimed by ${processes}`
    : `${processes} ${length === 1 ? "claims" : "claim"} jobs`;
}

function sum(workers: readonly ConnectedWorker[], number: (worker: ConnectedWorker) => number): number {
  return workers.reduce((total, worker) => total + number(worker), 0);
}
