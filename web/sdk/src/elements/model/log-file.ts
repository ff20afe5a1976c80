/** A log as a file of text: `2026-11-25T11:03:58.123Z track-1 warning: gain raised`. */

import { spansOf } from "./ansi.js";
import type { LogLine } from "./log-line.js";
import { severityWord } from "./state-words.js";

/** Lines that become text together: one text of all might be longer than a text can be. */
const CHUNK = 10_000;

/** The lines without what steers a terminal; `boundary` is the text of one between attempts. */
export function logFile(lines: readonly LogLine[], boundary: (line: LogLine) => string): Blob {
  const parts: string[] = [];
  for (let start = 0; start < lines.length; start += CHUNK) {
    const chunk = lines.slice(start, start + CHUNK);
    parts.push(chunk.map((line) => `${rowOf(line, boundary)}\n`).join(""));
  }
  return new Blob(parts, { type: "text/plain" });
}

function rowOf(line: LogLine, boundary: (line: LogLine) => string): string {
  const { time, stageId, severity } = line;
  const word = severityWord(severity);
  const text = line.startsAttempt
    ? `--- ${boundary(line)}`
    : spansOf(line.text)
        .map((span) => span.text)
        .join("");
  return [new Date(time).toISOString(), stageId, word === "info" ? "" : `${word}:`, text]
    .filter(Boolean)
    .join(" ");
}
