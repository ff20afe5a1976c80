import { describe, expect, test } from "vitest";
import { picture, sharedPages, shows, violations } from "./pages.js";

/** How long the runs of the history take. */
const RUN_MS = 3000;
const PLAN = { stages: [{ stageId: "scan" }] };

describe("a kind with a history", () => {
  const pages = sharedPages();

  test("a job says how long it will take, then what it still takes, and at last that it is overdue", async () => {
    const runs = await Promise.all(["a", "b", "c"].map((name) => pages.start(name, PLAN)));
    await new Promise((resolve) => setTimeout(resolve, RUN_MS));
    await Promise.all(runs.map((run) => run.end()));

    const ended = await pages.open("a");
    await shows(ended, "[part=evidence]", /^usually 3\.\d s, at most 3\.\d s in nine of ten · 3 runs$/);

    await pages.submit("next", PLAN);
    const page = await pages.open("next");
    await shows(page, "[part=remaining]", /^takes about 00:0\d$/);
    await shows(page, "[part=evidence]", /from 3 runs$/);
    const expected = page.locator(".segment.part-expected");
    expect(await expected.count()).toBe(0);

    // Neither a list nor a bar has a stream of the job alone: an estimate comes to them all the same, once it runs.
    const list = await pages.openList("?kind=transcribe&state=queued,running");
    await list.evaluate(() => {
      const bar = document.createElement("milepost-progress");
      bar.setAttribute("job-id", "next");
      document.body.append(bar);
    });
    await shows(list, "a.row", "queued");
    await shows(list, "milepost-progress [part=percent]", "0 %");

    await pages.claim("next");
    await shows(page, "[part=remaining]", /^about 00:0\d left$/);
    expect(await expected.count()).toBe(1);
    await shows(page, "[part=evidence]", /^at most .* · from 3 runs$/);
    await picture(page, "estimated");
    const estimated = /left|ending|overdue/;
    await Promise.all([
      shows(list, "a.row .remaining", estimated),
      shows(list, "milepost-progress [part=remaining]", estimated),
    ]);

    await shows(page, "[part=remaining]", "overdue");
    await shows(page, "[part=evidence]", "over three times the longest of 3 runs");
    expect(await expected.count()).toBe(0);
    expect(await violations(page)).toEqual([]);
  });
});
