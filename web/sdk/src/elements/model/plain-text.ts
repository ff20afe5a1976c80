/** Numbers and foreign text as text that is safe to show. Nothing here makes markup. */

// Controls, and format characters that reorder or hide text; the same ones as in `milepost.contract.printable`.
const UNPRINTABLE =
  /[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]|[\ud800-\udfff]/gu;

/** Escape every character that would reorder or hide text, as `\x1b`. Tabs and line feeds stay. */
export function printable(text: string): string {
  return text.replace(
    UNPRINTABLE,
    (found) => `\\x${(found.codePointAt(0) ?? 0).toString(16).padStart(2, "0")}`,
  );
}

/** The same on one line, shortened to `limit` characters. */
export function oneLine(text: string, limit = 256): string {
  // Only as much as can be shown is looked at, since the text may be long.
  const line = printable(text.slice(0, wholeEnd(text, 4 * limit)))
    .replace(/\s+/g, " ")
    .trim();
  return line.length <= limit ? line : `${line.slice(0, wholeEnd(line, limit - 1))}…`;
}

/** Where to cut `text`, at `end` or one before it: half of a character that takes two code units would be shown as �. */
export function wholeEnd(text: string, end: number): number {
  return /[\ud800-\udbff]/.test(text.charAt(end - 1)) ? end - 1 : end;
}

/** Elide the middle of an id that is longer than `width`: both ends tell it from others. */
export function shortId(id: string, width = 13): string {
  if (id.length <= width) return id;
  const tail = Math.floor((width - 1) / 2);
  return `${id.slice(0, width - 1 - tail)}…${id.slice(id.length - tail)}`;
}

/** A whole number with commas between thousands, as in the command and in texts of jobs. */
export function grouped(value: number | bigint): string {
  return String(value).replace(/\B(?=(\d{3})+(?!\d))/g, ",");
}

/** A number with its noun: `1 event`, `1,234 events`. */
export function count(value: number | bigint, noun: string): string {
  return `${grouped(value)} ${noun}${Number(value) === 1 ? "" : "s"}`;
}

/** `1st`, `2nd`, `3rd`, `11th`. */
export function ordinal(value: number): string {
  const teen = value % 100 >= 11 && value % 100 <= 13;
  const suffix = teen ? "th" : (["th", "st", "nd", "rd"][value % 10] ?? "th");
  return `${grouped(value)}${suffix}`;
}

/** A fraction as whole percent, rounded down, so that only a complete one is 100 %. */
export function percent(fraction: number): string {
  return `${wholePercent(fraction)} %`;
}

export function wholePercent(fraction: number): number {
  return Math.floor(Math.min(Math.max(fraction, 0), 1) * 100 + 1e-9);
}

const PREFIXES = ["", "k", "M", "G", "T", "P", "E", "Z", "Y"];

/** A number of bytes in decimal units: `999 B`, `1.5 kB`, `130.4 MB`. */
export function humanSize(size: number): string {
  const { divisor, prefix } = scaleOf(size);
  return `${scaled(size, divisor)} ${prefix}B`;
}

/** What a stage has done: `61.2 of 130.4 MB`, `12 files`; empty without a number. */
export function amount(current: number, total: number | undefined, unit: string): string {
  if (total === undefined && current === 0) return "";
  if (isBytes(unit)) {
    if (total === undefined) return humanSize(current);
    const { divisor, prefix } = scaleOf(total);
    return `${scaled(current, divisor)} of ${scaled(total, divisor)} ${prefix}B`;
  }
  const numbers =
    total === undefined ? plainNumber(current) : `${plainNumber(current)} of ${plainNumber(total)}`;
  return `${numbers} ${oneLine(unit, 32)}`.trim();
}

function isBytes(unit: string): boolean {
  return ["b", "byte", "bytes"].includes(unit.toLowerCase());
}

function scaleOf(size: number): { divisor: number; prefix: string } {
  let divisor = 1;
  let rank = 0;
  while (size >= 999.95 * divisor && rank < PREFIXES.length - 1) {
    divisor *= 1000;
    rank += 1;
  }
  return { divisor, prefix: PREFIXES[rank] ?? "" };
}

function scaled(size: number, divisor: number): string {
  return divisor === 1 ? size.toFixed(0) : (size / divisor).toFixed(1);
}

function plainNumber(value: number): string {
  if (Math.abs(value) >= 1e15) return value.toExponential(2);
  const [whole = "", part] = (Number.isInteger(value) ? String(value) : value.toFixed(1)).split(".");
  return part === undefined ? grouped(BigInt(whole)) : `${grouped(BigInt(whole))}.${part}`;
}
