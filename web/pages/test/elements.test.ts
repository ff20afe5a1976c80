import { describe, expect, test } from "vitest";
import { JobState } from "@milepost/client";
import { openPage } from "../../testing/browser.js";
import { hostPage } from "./host-page.js";
import { accessible, picture, sharedPages, shows } from "./pages.js";

describe("elements in a page of somebody else's", () => {
  const pages = sharedPages();

  test("a job is shown in the page's own colours and fonts, and the page hears of changes and of the end", async () => {
    const job = await pages.start("hosted", { stages: [{ stageId: "a", total: 4 }] });
    const host = await hostPage(pages.url, `<milepost-job job-id="hosted" log="tail" cancel></milepost-job>`);
    const page = await openPage(`${host.baseUrl}/host`);
    await shows(page, "milepost-job [part=state]", "running");
    const bar = page.locator("milepost-job [part=bar]");
    await expect
      .poll(() => bar.evaluate((element) => getComputedStyle(element).color))
      .toBe("rgb(140, 0, 140)");
    const title = page.locator("milepost-job h1");
    await expect
      .poll(() => title.evaluate((element) => getComputedStyle(element).fontFamily))
      .toBe("Georgia, serif");
    await job.log(1, "hello");
    await shows(page, "milepost-job .line", "hello 1");
    await job.end();
    await shows(page, "milepost-job [part=state]", "succeeded");
    const seen = () => page.evaluate<string[]>("seen");
    await expect.poll(seen).toContain(`milepost-change ${JobState.RUNNING} milepost-job`);
    await expect
      .poll(async () => (await seen()).filter((text) => text.startsWith("milepost-end")))
      .toEqual([`milepost-end ${JobState.SUCCEEDED} milepost-job`]);
    await picture(page, "element-job");
    await accessible(page);
  });

  test("a table of bars is one stream", async () => {
    const jobs = await Promise.all(
      Array.from({ length: 12 }, (_, n) =>
        pages.start(`bar-${n}`, { stages: [{ stageId: "a", total: 12 }] }),
      ),
    );
    await Promise.all(
      jobs.map((job, n) =>
        job.report(
          { case: "stageStarted", value: { stage: { stageId: "a" } } },
          { case: "stageProgressed", value: { stageId: "a", current: n } },
        ),
      ),
    );
    const rows = jobs.map(
      (_, n) =>
        `<tr><td>bar ${n}</td><td><milepost-progress job-id="bar-${n}"></milepost-progress></td></tr>`,
    );
    const body = `<table width="500">${rows.join("")}</table><milepost-progress job-id="none"></milepost-progress>`;
    const host = await hostPage(pages.url, body);
    const page = await openPage(`${host.baseUrl}/host`);
    await shows(page, "milepost-progress[job-id=bar-9] [part=percent]", "75 %");
    await shows(page, "milepost-progress[job-id=none] .muted", "no such job");
    expect(host.paths.filter((path) => path.includes("JobService/Watch"))).toEqual([
      "/milepost.v1.JobService/WatchJobs",
    ]);
    await expect.poll(() => host.countOpen("/WatchJobs")).toBe(1);
    await jobs[9]?.end();
    await shows(page, "milepost-progress[job-id=bar-9] [part=percent]", "100 %");
    const seventh = page.getByRole("progressbar", { name: /transcribe/ }).nth(6);
    await expect.poll(() => seventh.getAttribute("aria-valuetext")).toBe("50 %, running");
    await picture(page, "element-progress");
    await accessible(page);
  });

  test("a list has the filter of its attributes", async () => {
    await pages.start("listed", { kind: "listed" });
    const host = await hostPage(pages.url, `<milepost-jobs kind="listed"></milepost-jobs>`);
    const page = await openPage(`${host.baseUrl}/host`);
    await expect.poll(() => page.locator("milepost-jobs a.row .id").allInnerTexts()).toEqual(["listed"]);
    await expect.poll(() => page.locator("milepost-jobs input").count()).toBe(0);
  });
});
