/** How many lines a text takes in a column of fixed-width characters. */

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
  for (const line of text.split("\n")) rows += Math.max(Math.ceil(cells(line) / width), 1);
  return rows;
}

/** The number of characters of `text` that `rows` lines show at most. */
export function cutAt(text: string, columns: number, rows = MAX_ROWS): number {
  const lines = text.split("\n");
  let left = rows;
  let end = 0;
  for (const line of lines) {
    const taken = Math.max(Math.ceil(cells(line) / Math.max(columns, 1)), 1);
    if (taken > left) return end + left * Math.max(columns, 1);
    left -= taken;
    end += line.length + 1;
    if (left === 0) return Math.min(end, text.length);
  }
  return text.length;
}

function cells(line: string): number {
  if (NARROW.test(line)) return line.length;
  let width = 0;
  for (const character of line) {
    if (character === "\t") width += 4 - (width % 4);
    else width += WIDE.test(character) ? 2 : 1;
  }
  return width;
}
