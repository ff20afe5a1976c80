/** A log as a file of text: `2026-11-25T11:03:58.123Z track-1 warning: gain raised`. */

import { spansOf } from "./ansi.js";
import type { LogLine } from "./log-line.js";
import { severityWord } from "./state-words.js";

/** Lines that become text in one task, so that the page stays responsive; one text of all might also be too long. */
const CHUNK = 20_000;
/** Before all but the first line of a text, which have no time of their own. */
const INDENT = "    ";

/**
 * The lines without what steers a terminal; `boundary` is the text of one between attempts. The first row says what is `missing`,
 * unless that is empty.
 */
export async function logFile(
  lines: readonly LogLine[],
  boundary: (line: LogLine) => string,
  missing = "",
): Promise<Blob> {
  const all = lines.slice(); // others come meanwhile
  const parts = missing ? [`--- ${missing}\n`] : [];
  for (let start = 0; start < all.length; start += CHUNK) {
    if (start > 0) await new Promise((resolve) => setTimeout(resolve));
    const chunk = all.slice(start, start + CHUNK);
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
        .join("")
        .replaceAll("\n", `\n${INDENT}`);
  return [new Date(time).toISOString(), stageId, word === "info" ? "" : `${word}:`, text]
    .filter(Boolean)
    .join(" ");
}
