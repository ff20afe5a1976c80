/** Log text with terminal sequences: colours become styles, everything else that steers a terminal is left out. */

import { printable } from "./plain-text.js";

/** A run of text in one style: names of styles such as `red`, `bold`; empty for none. */
export interface Span {
  readonly text: string;
  readonly styles: string;
}

const COLOURS = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];
// CSI, OSC (ended by BEL or ST), and two-character sequences.
const SEQUENCE = /\x1b(?:\[([0-?]*)[ -/]*([@-~])|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~])/g;

/** Split `text` into runs of one style. What controls a terminal and is no sequence is escaped. */
export function spansOf(text: string): Span[] {
  if (!text.includes("\x1b")) return [{ text: printable(text), styles: "" }];
  const spans: Span[] = [];
  const style = { colour: "", bold: false, dim: false, italic: false, underline: false };
  let start = 0;
  const add = (end: number): void => {
    if (end <= start) return;
    const { colour, ...marks } = style;
    const styles = [colour, ...Object.entries(marks).flatMap(([name, on]) => (on ? [name] : []))];
    spans.push({ text: printable(text.slice(start, end)), styles: styles.filter(Boolean).join(" ") });
  };
  for (const match of text.matchAll(SEQUENCE)) {
    add(match.index);
    start = match.index + match[0].length;
    if (match[2] === "m") select(style, match[1] ?? "");
  }
  add(text.length);
  return spans;
}

function select(
  style: { colour: string; bold: boolean; dim: boolean; italic: boolean; underline: boolean },
  parameters: string,
): void {
  const codes = parameters.split(";").map(Number);
  for (let place = 0; place < codes.length; place++) {
    const code = codes[place] ?? 0;
    if (code === 0)
      Object.assign(style, { colour: "", bold: false, dim: false, italic: false, underline: false });
    else if (code === 1) style.bold = true;
    else if (code === 2) style.dim = true;
    else if (code === 3) style.italic = true;
    else if (code === 4) style.underline = true;
    else if (code === 22) style.bold = style.dim = false;
    else if (code === 23) style.italic = false;
    else if (code === 24) style.underline = false;
    else if (code >= 30 && code <= 37) style.colour = COLOURS[code - 30] ?? "";
    else if (code >= 90 && code <= 97) style.colour = COLOURS[code - 90] ?? "";
    else if (code === 39) style.colour = "";
    else if (code === 38 || code === 48) place += codes[place + 1] === 5 ? 2 : 4; // 256 colours and RGB
  }
}
