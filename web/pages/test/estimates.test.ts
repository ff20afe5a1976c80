import { describe, expect, test } from "vitest";
import { type Pages, accessible, picture, sharedPages, shows } from "./pages.js";

/** How long the runs of the histories take at least: a busy machine shows within that time that the next one started. */
const LONG_MS = 10_000;
/** Three times as long is soon over. */
const SHORT_MS = 1000;
const PLAN = { stages: [{ stageId: "scan" }] };
/** Seconds, of the runs of a busy machine even minutes. */
const TIME = String.raw`(\d+\.\d s|\d\d:\d\d)`;

/** Make the history of a kind: three runs that take so long. */
async function makeHistory(pages: Pages, kind: string, milliseconds: number): Promise<void> {
  const jobIds = ["a", "b", "c"].map((name) => `${kind}-${name}`);
  const runs = await Promise.all(jobIds.map((jobId) => pages.start(jobId, { ...PLAN, kind })));
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
  await Promise.all(runs.map((run) => run.end()));
}

describe("a kind with a history", () => {
  const pages = sharedPages();

  test("a job says how long it will take, then what it still takes", async () => {
    await makeHistory(pages, "long", LONG_MS);
    const ended = await pages.open("long-a");
    const usually = new RegExp(`^usually ${TIME}, at most ${TIME} in nine of ten · 3 runs$`);
    await shows(ended, "[part=evidence]", usually);

    await pages.submit("next", { ...PLAN, kind: "long" });
    const page = await pages.open("next");
    await shows(page, "[part=remaining]", /^takes about \d\d:\d\d$/);
    await shows(page, "[part=evidence]", /from 3 runs$/);
    const expected = page.locator(".segment.part-expected");
    await expect.poll(() => expected.count()).toBe(0);

    // Neither a list nor a bar has a stream of the job alone: an estimate comes to them all the same, once it runs.
    const list = await pages.openList("?kind=long&state=queued,running");
    await list.evaluate(() => {
      const bar = document.createElement("milepost-progress");
      bar.setAttribute("job-id", "next");
      document.body.append(bar);
    });
    await shows(list, "a.row", "queued");
    await shows(list, "milepost-progress [part=state]", "queued");

    await pages.claim("next");
    await shows(page, "[part=remaining]", /^about \d\d:\d\d left$/);
    await expect.poll(() => expected.count()).toBe(1);
    await shows(page, "[part=evidence]", /^at most .* · from 3 runs$/);
    await picture(page, "estimated");
    const estimated = /left|ending|overdue/;
    await Promise.all([
      shows(list, "a.row .remaining", estimated),
      shows(list, "milepost-progress [part=remaining]", estimated),
    ]);
  });

  test("a job that runs for much longer than all others says that it is overdue", async () => {
    await makeHistory(pages, "short", SHORT_MS);
    await pages.start("late", { ...PLAN, kind: "short" });
    const page = await pages.open("late");

    await shows(page, "[part=remaining]", "overdue");
    await shows(page, "[part=evidence]", "over three times the longest of 3 runs");
    await expect.poll(() => page.locator(".segment.part-expected").count()).toBe(0);
    await accessible(page);
  });
});
