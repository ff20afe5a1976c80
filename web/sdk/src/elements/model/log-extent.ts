/** In words: how much of a log is there, and what is missing of it. */

import { grouped } from "./plain-text.js";

/** Which older lines are missing. */
export interface LogExtent {
  /** Whether there may be older ones that can be loaded. */
  readonly hasOlder: boolean;
  /** Whether there are older ones that find no room. */
  readonly isCut: boolean;
  /** Whether the server has dropped the oldest events, which may have had lines. */
  readonly isTrimmed: boolean;
}

/** `3 of 1,204+ lines`, `the newest 1,200,000 lines`. `shown` is undefined while a filter looks at lines. */
export function lineCount(extent: LogExtent, all: number, shown: number | undefined): string {
  const { hasOlder, isCut, isTrimmed } = extent;
  const newest = isCut ? "the newest " : "";
  const loaded = `${newest}${grouped(all)}${hasOlder ? "+" : ""} ${all === 1 ? "line" : "lines"}`;
  if (shown === undefined) return `filtering ${loaded}…`;
  const trimmed = isTrimmed && !hasOlder && !isCut ? " · older events are not kept" : "";
  return `${shown === all ? "" : `${grouped(shown)} of `}${loaded}${trimmed}`;
}

/** What a file of the lines says of those that are not in it; empty if it has all of them. */
export function missingText({ isCut, isTrimmed }: LogExtent): string {
  if (isCut) return "older lines are left out: the log is longer than what a page keeps";
  return isTrimmed
    ? "older lines, if there were any, are left out: the server does not keep their events"
    : "";
}
