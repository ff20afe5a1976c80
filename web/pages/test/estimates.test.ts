import { describe, expect, test } from "vitest";
import { type Pages, accessible, picture, sharedPages, shows } from "./pages.js";

const PLAN = { stages: [{ stageId: "scan" }] };
/** Seconds, of the runs of a busy machine even minutes. */
const TIME = String.raw`(\d+\.\d s|[\d:]+)`;
/** Milliseconds between the ends of two runs. */
const STEP_MS = 300;

/** Make the history of a kind: a run of each workload, which took the longer the greater that is. */
async function makeHistory(pages: Pages, kind: string, workloads: readonly number[]): Promise<void> {
  const runs = [];
  for (const workload of [...workloads].reverse())
    runs.push(await pages.start(`${kind}-${workload}`, { ...PLAN, kind, workload }));
  for (const run of runs.reverse()) {
    await new Promise((resolve) => setTimeout(resolve, STEP_MS));
    await run.end();
  }
}

describe("a kind with a history", () => {
  const pages = sharedPages();

  test("a job says how long it will take, then what it still takes", async () => {
    // Workloads that differ little, and durations that differ much: one of twenty times the workload takes 400 times as long,
    // so that it does not run out while a busy machine gets to show it.
    await makeHistory(pages, "long", [100, 101, 102, 103, 104]);
    const ended = await pages.open("long-100");
    const usually = new RegExp(`^usually ${TIME}, at most ${TIME} in nine of ten · 5 runs$`);
    await shows(ended, "[part=evidence]", usually);

    await pages.submit("next", { ...PLAN, kind: "long", workload: 2000 });
    const page = await pages.open("next");
    await shows(page, "[part=remaining]", /^takes about [\d:]+$/);
    await shows(page, "[part=evidence]", /from 5 runs, scaled to its workload$/);
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
    await shows(page, "[part=remaining]", /^about [\d:]+ left$/);
    await expect.poll(() => expected.count()).toBe(1);
    await shows(page, "[part=evidence]", /^at most .* · from 5 runs, scaled to its workload$/);
    await picture(page, "estimated");
    const estimated = /left$/;
    await Promise.all([
      shows(list, "a.row .remaining", estimated),
      shows(list, "milepost-progress [part=remaining]", estimated),
    ]);
  });

  test("a job that runs for much longer than all others says that it is overdue", async () => {
    await makeHistory(pages, "short", [1, 2, 3]);
    await pages.start("late", { ...PLAN, kind: "short" });
    const page = await pages.open("late");

    await shows(page, "[part=remaining]", "overdue");
    await shows(page, "[part=evidence]", "over three times the longest of 3 runs");
    await expect.poll(() => page.locator(".segment.part-expected").count()).toBe(0);
    await accessible(page);
  });
});
