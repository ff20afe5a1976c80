import { Severity } from "@milepost/client";
import { describe, expect, test } from "vitest";
import { spansOf } from "../../src/elements/model/ansi.js";
import { FilteredLines } from "../../src/elements/model/filtered-lines.js";
import { lineCount, missingText } from "../../src/elements/model/log-extent.js";
import { LogLayout } from "../../src/elements/model/log-layout.js";
import { logFile } from "../../src/elements/model/log-file.js";
import { type LogLine, lineOf } from "../../src/elements/model/log-line.js";
import { LogLines } from "../../src/elements/model/log-lines.js";
import { RowHeights } from "../../src/elements/model/row-heights.js";
import { MAX_PIXELS, ScrollMap } from "../../src/elements/model/scroll-map.js";
import { cutAt, wrappedRows } from "../../src/elements/model/wrapping.js";
import { event } from "./jobs.js";

/** A log of which nothing is missing. */
const WHOLE = { hasOlder: false, isCut: false, isTrimmed: false };

function line(sequence: number, init: Partial<LogLine> = {}): LogLine {
  return {
    sequence,
    time: sequence,
    stageId: "",
    severity: Severity.INFO,
    text: `line ${sequence}`,
    ...init,
  };
}

function range(first: number, end: number, init?: Partial<LogLine>): LogLine[] {
  return Array.from({ length: end - first }, (_, place) => line(first + place, init));
}

/** Filter until nothing is left to look at; returns how often that took. */
function settle(filtered: FilteredLines): number {
  let times = 0;
  for (; filtered.isBusy; times++) filtered.update();
  return times;
}

const sequences = (filtered: FilteredLines) => filtered.shown.lines.map(({ sequence }) => sequence);

describe("lines", () => {
  test("they are in order and single, in whatever order their pages come", () => {
    const lines = new LogLines();
    lines.append(range(5, 8));
    lines.append(range(7, 9));
    lines.prepend(range(1, 6));
    expect(lines.lines.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });

  test("beyond the bound of lines or of characters the oldest are dropped", () => {
    const few = new LogLines(100);
    few.append(range(0, 101));
    expect(few.lines).toHaveLength(95);
    expect(few.lines[0]?.sequence).toBe(6);
    const short = new LogLines(100, 1000);
    short.append(range(0, 11, { text: "x".repeat(100) }));
    expect(short.lines.map(({ sequence }) => sequence)).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(short.hasRoom).toBe(true);
  });

  test("it says which of them found no room, or lost it: lines before the newest of those are to be loaded again", () => {
    const lines = new LogLines(100);
    const said = [
      lines.append(range(200, 290)),
      lines.prepend(range(150, 200)),
      lines.append(range(290, 291)),
      lines.prepend(range(191, 196)),
    ];
    expect(said).toEqual([undefined, 189, 195, undefined]);
  });

  test("older lines are taken only as far as there is room, the newest of them first", () => {
    const lines = new LogLines(10);
    lines.append(range(10, 16));
    lines.prepend(range(0, 10));
    expect(lines.lines[0]?.sequence).toBe(6);
    expect(lines.hasRoom).toBe(false);
  });

  test("of events only log lines are lines, and no severity is info", () => {
    expect(lineOf(event(1, { payload: { case: "jobStarted", value: {} } }))).toBeUndefined();
    const written = event(2, { payload: { case: "logWritten", value: { text: "hello\n", stageId: "a" } } });
    expect(lineOf(written)).toMatchObject({
      sequence: 2,
      stageId: "a",
      severity: Severity.INFO,
      text: "hello",
    });
  });

  test("where another attempt starts there is a boundary, which is no line", () => {
    const started = (sequence: number, attempt: number) =>
      lineOf(event(sequence, { attempt, payload: { case: "jobStarted", value: {} } })) ?? [];
    const lines = new LogLines();
    lines.append([started(1, 1), line(2), started(3, 2), line(4), started(5, 3)].flat());
    expect(lines.lines.map(({ sequence, startsAttempt }) => [sequence, startsAttempt])).toEqual([
      [2, undefined],
      [3, 2],
      [4, undefined],
      [5, 3],
    ]);
    expect(lines.boundaries).toBe(2);
    const short = new LogLines(3);
    short.append(lines.lines);
    expect([short.lines.map(({ sequence }) => sequence), short.boundaries]).toEqual([[4, 5], 1]);
  });
});

describe("what is said of a log", () => {
  test("how many lines there are, and whether those are all that there were", () => {
    expect(lineCount(WHOLE, 1, 1)).toBe("1 line");
    expect(lineCount({ ...WHOLE, hasOlder: true, isTrimmed: true }, 1204, 3)).toBe("3 of 1,204+ lines");
    expect(lineCount({ ...WHOLE, isTrimmed: true }, 1204, 1204)).toBe(
      "1,204 lines · older events are not kept",
    );
    expect(lineCount({ ...WHOLE, isCut: true, isTrimmed: true }, 9000, 9000)).toBe("the newest 9,000 lines");
    expect(lineCount(WHOLE, 9000, undefined)).toBe("filtering 9,000 lines…");
    expect(missingText({ ...WHOLE, isTrimmed: true })).toContain("does not keep their events");
  });
});

describe("the filter", () => {
  test("it shows lines by stage, by severity and by text, whatever its case", () => {
    const lines = new LogLines();
    lines.append([
      line(1, { stageId: "a", text: "Connected" }),
      line(2, { stageId: "b", severity: Severity.ERROR, text: "connection lost" }),
      line(3, { severity: Severity.WARNING, text: "slow" }),
    ]);
    const filtered = new FilteredLines(lines);
    const shown = (filter: Partial<Parameters<FilteredLines["setFilter"]>[0]>) => {
      filtered.setFilter({ stageIds: undefined, severity: Severity.DEBUG, text: "", ...filter });
      return sequences(filtered);
    };
    expect(shown({})).toEqual([1, 2, 3]);
    expect(shown({ stageIds: new Set(["a"]) })).toEqual([1]);
    expect(shown({ severity: Severity.WARNING })).toEqual([2, 3]);
    expect(shown({ text: "CONNECT" })).toEqual([1, 2]);
  });

  test("it shows the boundaries between attempts, whichever lines it shows", () => {
    const lines = new LogLines();
    lines.append([line(1, { stageId: "a" }), line(2, { text: "", startsAttempt: 2 }), line(3)]);
    const filtered = new FilteredLines(lines);
    filtered.setFilter({ stageIds: new Set(["a"]), severity: Severity.DEBUG, text: "line" });
    lines.append([line(4, { stageId: "a" }), line(5, { text: "", startsAttempt: 3 })]);
    filtered.update();
    expect([sequences(filtered), filtered.boundaries]).toEqual([[1, 2, 4, 5], 2]);
  });

  test("a million lines are looked at in slices, the newest first, while others come at both ends", () => {
    const lines = new LogLines();
    lines.append(range(1000, 101_000));
    const filtered = new FilteredLines(lines);
    filtered.setFilter({ stageIds: undefined, severity: Severity.DEBUG, text: "00" });
    expect(filtered.isBusy).toBe(true);
    expect(sequences(filtered).at(-1)).toBe(100_999);
    lines.append(range(101_000, 101_101));
    lines.prepend(range(0, 1000));
    expect(settle(filtered)).toBeGreaterThan(3);
    const expected = Array.from({ length: 101_101 }, (_, sequence) => sequence).filter((s) =>
      `line ${s}`.includes("00"),
    );
    expect(sequences(filtered)).toEqual(expected);
  });

  test("it drops what the log drops", () => {
    const lines = new LogLines(100);
    lines.append(range(0, 100));
    const filtered = new FilteredLines(lines);
    filtered.setFilter({ stageIds: undefined, severity: Severity.DEBUG, text: "5" });
    lines.append(range(100, 110));
    filtered.update();
    expect(sequences(filtered)).toEqual([
      15, 25, 35, 45, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 65, 75, 85, 95, 105,
    ]);
  });
});

describe("the layout", () => {
  test("the line in sight stays where it is when older ones come in front", () => {
    const lines = new LogLines();
    lines.append(range(1000, 2000));
    const layout = new LogLayout(20);
    layout.setView(80, 400);
    layout.update(lines);
    layout.scrolled(5000);
    const { first } = layout.window();
    const inSight = lines.lines[first]?.sequence;
    lines.prepend(range(500, 1000, { text: "x".repeat(100) }));
    layout.update(lines);
    expect(layout.above).toBe(5000 + 500 * 2 * 20);
    expect(lines.lines[layout.window().first]?.sequence).toBe(inSight);
  });

  test("of a million lines fifty or so are drawn", () => {
    const lines = new LogLines();
    lines.append(range(0, 1_000_000));
    const layout = new LogLayout(20);
    layout.setView(80, 400);
    layout.update(lines);
    layout.moveToEnd();
    const { first, end } = layout.window();
    expect(end).toBe(1_000_000);
    expect(end - first).toBeLessThan(60);
    expect(layout.height).toBe(MAX_PIXELS);
  });
});

describe("heights of rows", () => {
  test("offsets and rows are those of a plain list, after changes at both ends", () => {
    const heights = new RowHeights();
    let plain: number[] = [];
    const random = (n: number) => Array.from({ length: n }, (_, place) => 1 + ((place * 7919) % 5));
    heights.append(random(1500));
    plain = [...plain, ...random(1500)];
    heights.prepend(random(700));
    plain = [...random(700), ...plain];
    heights.drop(600);
    plain = plain.slice(600);
    heights.set(1234, 9);
    plain[1234] = 9;
    const offset = (row: number) => plain.slice(0, row).reduce((sum, height) => sum + height, 0);
    expect(heights.total).toBe(offset(plain.length));
    for (const row of [0, 1, 99, 100, 511, 512, 1234, 1235, plain.length - 1]) {
      expect(heights.offsetOf(row)).toBe(offset(row));
      expect(heights.rowAt(offset(row))).toBe(row);
      expect(heights.rowAt(offset(row) + (plain[row] ?? 0) - 1)).toBe(row);
    }
  });
});

describe("scrolling", () => {
  test("an area higher than a browser allows is reached from end to end, and small steps are true to the pixel", () => {
    const map = new ScrollMap();
    map.resize(40_000_000, 500);
    expect(map.height).toBe(MAX_PIXELS);
    map.scrolled(MAX_PIXELS / 2);
    const before = map.top;
    map.scrolled(map.position + 60);
    expect(map.top - before).toBe(60);
    map.scrolled(MAX_PIXELS - 500);
    expect(map.top).toBe(map.bottom);
    map.scrolled(0);
    expect(map.top).toBe(0);
  });
});

describe("wrapping", () => {
  test("lines break between words where they can, and within a word where they must", () => {
    expect(wrappedRows("", 10)).toBe(1);
    expect(wrappedRows("0123456789", 10)).toBe(1);
    expect(wrappedRows("0123456789a", 10)).toBe(2);
    expect(wrappedRows("hello wonderful world", 10)).toBe(3);
    expect(wrappedRows("x".repeat(65_536), 100)).toBe(656);
    expect(wrappedRows("one\ntwo\n\nfour", 10)).toBe(4);
    expect(wrappedRows("漢字漢字漢字", 10)).toBe(2);
  });

  test("a very long line is cut, and a short one is not", () => {
    expect(cutAt("short", 80)).toBe(5);
    expect(cutAt("x".repeat(65_536), 100)).toBe(2000);
    expect(cutAt("a\n".repeat(100), 80, 20)).toBe(40);
    expect(cutAt(`a${"👍".repeat(100)}`, 10, 2)).toBe(19);
  });
});

describe("terminal sequences", () => {
  test("colours become styles, and everything else that steers a terminal is left out", () => {
    expect(spansOf("plain")).toEqual([{ text: "plain", styles: "" }]);
    expect(spansOf("a\x1b[1;31mred\x1b[0mb\x1b[2J\x1b]0;title\x07c")).toEqual([
      { text: "a", styles: "" },
      { text: "red", styles: "red bold" },
      { text: "b", styles: "" },
      { text: "c", styles: "" },
    ]);
    expect(spansOf("\x1b[38;5;196mx\x1b[38;2;1;2;3my")).toEqual([
      { text: "x", styles: "" },
      { text: "y", styles: "" },
    ]);
  });

  test("a lone escape, and characters that reorder text, are shown as what they are", () => {
    expect(spansOf("a\u202eb\x1b")).toEqual([{ text: "a\\x202eb\\x1b", styles: "" }]);
  });
});

describe("a file of a log", () => {
  const rowsOf = async (lines: readonly LogLine[], missing?: string) =>
    (await (await logFile(lines, () => "", missing)).text()).split("\n");

  test("says in its first row that older lines are left out, and indents what has no time of its own", async () => {
    const lines = new LogLines(1);
    lines.prepend([line(0), line(1, { text: "one\ntwo" })]);
    expect(await rowsOf(lines.lines, missingText({ ...WHOLE, isCut: true }))).toEqual([
      "--- older lines are left out: the log is longer than what a page keeps",
      "1970-01-01T00:00:00.001Z one",
      "    two",
      "",
    ]);
    lines.clear();
    lines.prepend([line(1)]);
    expect(await rowsOf(lines.lines, missingText(WHOLE))).toEqual(["1970-01-01T00:00:00.001Z line 1", ""]);
  });

  test("is made in pieces, between which a page does something else, without the lines that come then", async () => {
    const lines = range(0, 30_000);
    const order: string[] = [];
    setTimeout(() => {
      lines.push(line(30_000));
      order.push("something else");
    });
    const rows = await rowsOf(lines);
    order.push("file");
    expect([order, rows.length]).toEqual([["something else", "file"], 30_001]);
  });
});
