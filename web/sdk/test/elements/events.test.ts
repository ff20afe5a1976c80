import { JobState, type Event, type MilepostClient } from "@milepost/client";
import { expect, test } from "vitest";
import { until } from "../../../testing/until.js";
import { EventLayout } from "../../src/elements/events/event-layout.js";
import { EventPages, pageOf } from "../../src/elements/events/event-pages.js";
import { MAX_PIXELS } from "../../src/elements/model/scroll-map.js";
import { event, job } from "./jobs.js";

const VIEW = 260;
const ROW = 26;

function line(sequence: number): Event {
  return event(sequence, { payload: { case: "logWritten", value: { text: `line ${sequence}` } } });
}

/** A client whose job has these events, in batches of `size`; and what was asked for. */
function clientOf(has: (sequence: number) => boolean, last: number, size = 1000) {
  const asked: number[] = [];
  const watchJob = (_: string, { after = 0n }: { after?: bigint }) => {
    asked.push(Number(after));
    const watch = {
      sequence: after,
      async *batches() {
        let items: object[] = [];
        for (let sequence = Number(after) + 1; sequence <= last; sequence++) {
          if (has(sequence)) items.push({ type: "event", event: line(sequence) });
          if (items.length < size && sequence < last) continue;
          watch.sequence = BigInt(sequence);
          yield await Promise.resolve(items);
          items = [];
        }
      },
    };
    return watch;
  };
  return { client: { watchJob } as unknown as MilepostClient, asked };
}

function open(has: (sequence: number) => boolean, last: number, view = VIEW) {
  const { client, asked } = clientOf(has, last);
  let changes = 0;
  const pages = new EventPages(client, "j", () => (changes += 1));
  pages.restart(job({ lastSequence: BigInt(last), firstSequence: 1n, epoch: "e" }));
  const layout = new EventLayout(pages);
  layout.update(view);
  /** Load what is in sight until nothing of it is missing. */
  const settle = async (): Promise<void> => {
    for (let before = -1; before !== asked.length;) {
      before = asked.length;
      layout.update(view);
      const { from, to } = layout.pagesInSight;
      const loaded = changes;
      pages.want(from, to);
      if (asked.length > before) await until(() => changes > loaded);
    }
  };
  const sequences = () => layout.window().rows.map(({ sequence }) => sequence);
  return { pages, layout, asked, settle, sequences };
}

test("of a million events those in sight are loaded, at the end as anywhere else, and the place read stays", async () => {
  const { layout, asked, settle, sequences, pages } = open(() => true, 1_000_000);
  layout.moveToEnd();
  await settle();
  expect(sequences().at(-1)).toBe(1_000_000);
  expect(layout.map.height).toBeLessThanOrEqual(MAX_PIXELS);

  layout.moveTo(500_000);
  await settle();
  const inSight = () => layout.window().rows.find(({ sequence }) => sequence === 500_000);
  expect(inSight()?.event).toStrictEqual(line(500_000));
  expect(layout.window().rows.length).toBeLessThan(40);
  expect(asked.length).toBeLessThan(8);
  const before = layout.window();
  pages.add([line(1_000_001), line(1_000_002)]);
  layout.update(VIEW);
  expect(sequences()).toStrictEqual(before.rows.map(({ sequence }) => sequence));
  expect(pages.last).toBe(1_000_002);
});

test("a thinned log has the events that it has, one after the other, and says how many are missing before each", async () => {
  const kept = new Set([1, 2, 1000, 5000]);
  const { layout, settle } = open((sequence) => kept.has(sequence), 5000);
  layout.moveToEnd();
  await settle();
  const rows = layout.window().rows.map(({ sequence, superseded }) => [sequence, superseded]);
  expect(rows).toStrictEqual([
    [1, 0],
    [2, 0],
    [1000, 997],
    [5000, 3999],
  ]);
  expect(layout.map.height).toBe(4 * ROW);
});

test("what is loaded, or unfolded, above the view does not move what is in it", async () => {
  // Of each page the first half is thinned out.
  const { layout, settle, pages } = open((sequence) => (sequence - 1) % 128 >= 64, 2000);
  layout.moveTo(1000);
  await settle();
  const topRow = () => {
    const { rows, offset } = layout.window();
    return rows[Math.round((layout.map.position - offset) / ROW)]?.sequence;
  };
  const read = topRow();
  pages.want(0, 3);
  await until(() => pages.eventsOf(3) !== undefined);
  layout.update(VIEW);
  expect(topRow()).toBe(read);
  layout.unfolded.set(100, 300);
  layout.update(VIEW);
  expect(topRow()).toBe(read);
});

test("progress that the stream left out is loaded once no more events come to its page", async () => {
  const { pages, layout, asked, settle } = open(() => true, 10);
  await settle();
  pages.add([line(20)]); // 11 to 19 were superseded
  layout.update(VIEW);
  expect(layout.window().rows.at(-1)).toMatchObject({ sequence: 20, superseded: 9 });
  expect(asked).toStrictEqual([0]);
  pages.want(0, 0);
  expect(asked).toStrictEqual([0]); // more may come

  pages.add([event(21, { payload: { case: "jobEnded", value: { state: JobState.SUCCEEDED } } })]);
  pages.want(0, pageOf(21));
  expect(asked).toStrictEqual([0, 0]);
});

test("events that come while a page is loaded are among them, once and in order", async () => {
  const { pages, layout } = open(() => true, 10);
  pages.want(0, 0);
  pages.add([line(11), line(12)]);
  await until(() => pages.eventsOf(0)?.length === 12);
  pages.add([line(12), line(13)]);
  layout.update(VIEW);
  const sequences = layout.window().rows.map(({ sequence }) => sequence);
  expect(sequences).toStrictEqual(Array.from({ length: 13 }, (_, n) => n + 1));
});

test("a log of which nearly all is thinned out is loaded once, however many pages of it are empty", async () => {
  const { asked, layout, settle, sequences } = open(
    (sequence) => sequence === 1 || sequence === 25_600,
    25_600,
  );
  layout.moveToEnd();
  await settle();
  expect(sequences()).toStrictEqual([1, 25_600]);
  const before = asked.length;
  expect(before).toBeLessThanOrEqual(pageOf(25_600) + 1);
  await settle();
  expect(asked.length).toBe(before);
});

test.each([
  ["all", 100, 16],
  ["the half", 500_000, 32],
])(
  "a log of which %s was thinned out, a million sequences, takes few calls that bring little",
  async (_, kept, calls) => {
    const last = kept + 1_000_000;
    const { asked, layout, settle, sequences } = open(
      (sequence) => sequence <= kept || sequence === last,
      last,
    );
    layout.moveToEnd();
    await settle();
    expect(sequences().slice(-3)).toStrictEqual([kept - 1, kept, last]);
    expect(asked.length).toBeLessThanOrEqual(calls);
  },
);

test("a log of which few are left here and there takes few calls for what is in sight", async () => {
  const last = 1_000_000;
  const { asked, layout, settle, sequences } = open((sequence) => sequence % 1000 === 0, last, 30 * ROW);
  layout.moveToEnd();
  await settle();
  expect(sequences().slice(-30)).toStrictEqual(
    Array.from({ length: 30 }, (_, row) => last - (29 - row) * 1000),
  );
  expect(asked.length).toBeLessThanOrEqual(16);
});

test("what is being loaded is given up once nobody looks, and nothing is asked for any more", () => {
  const signals: AbortSignal[] = [];
  const watchJob = (_: string, { signal }: { signal: AbortSignal }) => {
    signals.push(signal);
    return { sequence: 0n, batches: () => [new Promise(() => undefined)] };
  };
  const pages = new EventPages({ watchJob } as unknown as MilepostClient, "j", () => undefined);
  pages.restart(job({ lastSequence: 10n, firstSequence: 1n, epoch: "e" }));
  pages.want(0, 0);
  pages.close();
  expect(signals.map(({ aborted }) => aborted)).toStrictEqual([true]);

  pages.restart(job({ lastSequence: 10n, firstSequence: 1n, epoch: "e" }));
  pages.close();
  pages.want(0, 0);
  expect(signals.length).toBe(1);
});

test("of a stream as many events are kept as of a log, about what is in sight", async () => {
  const { pages, settle } = open(() => true, 10);
  await settle();
  pages.add(Array.from({ length: 20_000 }, (_, n) => line(11 + n)));
  const kept = Array.from({ length: pageOf(20_010) + 1 }, (_, page) => pages.eventsOf(page)?.length ?? 0);
  expect(kept.reduce((sum, length) => sum + length, 0)).toBeLessThanOrEqual(66 * 128);
  expect([kept[0], kept[1], kept.at(-1)]).toStrictEqual([128, 128, 20_010 - pageOf(20_010) * 128]);
});

test("a call that only ever brings the job as it is has failed, and is not made again at once", async () => {
  let asked = 0;
  const watchJob = () => {
    asked += 1;
    const snapshot = { type: "snapshot", job: job({ lastSequence: 10n, firstSequence: 1n, epoch: "e" }) };
    return { sequence: 0n, batches: () => [Promise.resolve([snapshot])] };
  };
  const pages = new EventPages({ watchJob } as unknown as MilepostClient, "j", () => undefined);
  pages.restart(job({ lastSequence: 10n, firstSequence: 1n, epoch: "e" }));
  pages.want(0, 0);
  await until(() => pages.error !== "");
  pages.want(0, 0);

  expect(asked).toBe(1);
  expect(pages.retries.areDue).toBe(false);
});

test("events that a node has yet to read are asked for again: they are not left out as if they had been thinned", async () => {
  const { client } = clientOf(() => true, 90);
  let changes = 0;
  const pages = new EventPages(client, "j", () => (changes += 1));
  pages.restart(job({ lastSequence: 100n, firstSequence: 1n, epoch: "e" }));
  const before = changes;
  pages.want(0, 0);
  await until(() => changes > before);

  expect(pages.error).toBe("The server cannot be reached: no more than event 90 of 100 came");
  expect(pages.eventsOf(0)).toBeUndefined();
});
