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

    await pages.claim("next");
    await shows(page, "[part=remaining]", /^about 00:0\d left$/);
    expect(await expected.count()).toBe(1);
    await shows(page, "[part=evidence]", /^at most .* · from 3 runs$/);
    await picture(page, "estimated");

    await shows(page, "[part=remaining]", "overdue");
    await shows(page, "[part=evidence]", "over three times the longest of 3 runs");
    expect(await expected.count()).toBe(0);
    expect(await violations(page)).toEqual([]);
  });
});
