/** How many lines a text takes in a column of fixed-width characters, broken between words where possible. */
import { wholeEnd } from "./plain-text.js";

/** Longer texts are cut to this many lines, until the reader asks for all of it. */
export const MAX_ROWS = 20;

const NARROW = /^[\x20-\x7e]*$/;
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;

/** Lines that `text` takes at `columns` characters a line; at least 1. */
export function wrappedRows(text: string, columns: number): number {
  const width = Math.max(columns, 1);
  if (text.length <= width && NARROW.test(text)) return 1;
  let rows = 0;
  for (const line of text.split("\n")) rows += rowsOf(line, width);
  return rows;
}

/** The number of characters of `text` that fit into `rows` lines; not more are shown at first. */
export function cutAt(text: string, columns: number, rows = MAX_ROWS): number {
  if (text.length <= columns) return text.length;
  let left = rows;
  let end = 0;
  for (const line of text.split("\n")) {
    const taken = rowsOf(line, columns);
    if (taken > left) return wholeEnd(text, end + Math.min(left * columns, line.length));
    left -= taken;
    end += line.length + 1;
    if (left === 0) break;
  }
  return Math.min(end, text.length);
}

function rowsOf(line: string, columns: number): number {
  let rows = 1;
  let used = 0;
  for (const word of line.split(/(?<= )/)) {
    const length = cells(word);
    if (used + length <= columns) used += length;
    else if (used + cells(word.trimEnd()) <= columns)
      used = columns; // a space at the end of a line takes no room
    else if (length <= columns) {
      rows += 1;
      used = length;
    } else {
      // A long word begins on a line of its own, and is broken anywhere.
      if (used > 0) rows += 1;
      rows += Math.ceil(length / columns) - 1;
      used = length % columns || columns;
    }
  }
  return rows;
}

function cells(text: string): number {
  if (NARROW.test(text)) return text.length;
  let width = 0;
  for (const character of text) {
    if (character === "\t") width += 4 - (width % 4);
    else width += WIDE.test(character) ? 2 : 1;
  }
  return width;
}
