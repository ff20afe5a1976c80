import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { StageState } from "@milepost/client";
import { openPage } from "../../testing/browser.js";
import { hostPage } from "./host-page.js";
import { sharedPages, shows } from "./pages.js";

const STAGES = [{ stageId: "a", title: "first", total: 4 }, { stageId: "b" }];

describe("elements that come, go and change", () => {
  const pages = sharedPages();

  /** A job with the progress of its first stage, and a line of its own. */
  async function startAt(jobId: string, current: number) {
    const job = await pages.start(jobId, { stages: STAGES });
    await job.report(
      { case: "stageStarted", value: { stage: { stageId: "a" } } },
      { case: "stageProgressed", value: { stageId: "a", current } },
    );
    await job.log(1, jobId);
    return job;
  }

  /** How far bars are drawn: those of the job, and of its stage. */
  async function fractions(page: Page, selector: string): Promise<number[]> {
    return page
      .locator(selector)
      .evaluateAll((bars) => bars.map((bar) => Number(getComputedStyle(bar).getPropertyValue("--fraction"))));
  }

  test("an element that gets its properties before its script is there shows their job", async () => {
    await startAt("early", 1);
    const host = await hostPage(
      pages.url,
      `<milepost-job></milepost-job><milepost-progress></milepost-progress>
      <script>for (const element of document.querySelectorAll("milepost-job, milepost-progress"))
        Object.assign(element, {jobId: "early", log: "tail"})</script>`,
    );
    const page = await openPage(`${host.baseUrl}/host`);
    await shows(page, "milepost-job .facts", "early");
    await shows(page, "milepost-job .line", "early 1");
    await shows(page, "milepost-progress [part=percent]", "12 %");
  });

  test("an element without a job's id shows nothing, and no job that it does not have", async () => {
    await startAt("unnamed", 1);
    const host = await hostPage(
      pages.url,
      `<milepost-job job-id="unnamed"></milepost-job><milepost-progress job-id="unnamed"></milepost-progress>`,
    );
    const page = await openPage(`${host.baseUrl}/host`);
    await shows(page, "milepost-job [part=state]", "running");
    await shows(page, "milepost-progress [part=percent]", "12 %");
    await page.evaluate(() => {
      for (const element of document.querySelectorAll("[job-id]")) element.removeAttribute("job-id");
    });
    const drawn = page.locator(":is(milepost-job, milepost-progress) :is(p, span, article)");
    await expect.poll(() => drawn.count()).toBe(0);
    await expect.poll(() => host.countOpen("/WatchJob")).toBe(0);
  });

  test("an element that is taken out gives its stream back, and catches up where it is put in again", async () => {
    const job = await startAt("moved", 1);
    const host = await hostPage(
      pages.url,
      `<milepost-job job-id="moved" log="full"></milepost-job><section></section>`,
    );
    const page = await openPage(`${host.baseUrl}/host`);
    await shows(page, "milepost-job .line", "moved 1");
    await expect.poll(() => host.countOpen("/WatchJob")).toBe(1);
    await page.evaluate(() => {
      const element = document.querySelector("milepost-job");
      element?.remove();
      Object.assign(globalThis, { element });
    });
    await expect.poll(() => host.countOpen("/WatchJob")).toBe(0);
    await job.log(1, "meanwhile");
    await page.evaluate(() => {
      document.querySelector("section")?.append((globalThis as unknown as { element: Element }).element);
    });
    await shows(page, "section milepost-job .line:last-child", "meanwhile 1");
    await job.log(1, "later");
    await shows(page, "section milepost-job .line:last-child", "later 1");
    // Moved at once, as a list that is sorted does, it keeps what it shows.
    await page.evaluate(() => {
      document.querySelector("main")?.prepend(document.querySelector("milepost-job") ?? "");
    });
    await job.log(1, "at last");
    await shows(page, "main > milepost-job .line:last-child", "at last 1");
    await expect.poll(() => host.countOpen("/WatchJob")).toBe(1);
  });

  test("a list that is taken out while it changes gives its stream back, and goes on where it is put in again", async () => {
    await startAt("listed", 1);
    const host = await hostPage(pages.url, "<milepost-jobs></milepost-jobs>");
    const page = await openPage(`${host.baseUrl}/host`);
    await shows(page, "milepost-jobs a.row", "listed");
    await page.evaluate(() => {
      const list = document.querySelector("milepost-jobs");
      list?.setAttribute("owner", "ann");
      list?.remove();
      list?.setAttribute("kind", "transcribe");
      Object.assign(globalThis, { list });
    });
    // Once another list shows its jobs, the first one would have opened a stream.
    await page.evaluate(() => {
      document.querySelector("main")?.append(document.createElement("milepost-jobs"));
    });
    await shows(page, "milepost-jobs a.row", "listed");
    await page.evaluate(() => {
      document.querySelector("milepost-jobs")?.remove();
    });
    await expect.poll(() => host.countOpen("/WatchJobs")).toBe(0);
    await page.evaluate(() => {
      const { list } = globalThis as unknown as { list: Element };
      list.removeAttribute("owner");
      document.querySelector("main")?.append(list);
    });
    await shows(page, "milepost-jobs a.row", "listed");
    await expect.poll(() => host.countOpen("/WatchJobs")).toBe(1);
  });

  test("an element whose job's id changes shows the other job, and nothing of the one before", async () => {
    const first = await startAt("before", 3);
    const second = await startAt("after", 1);
    const host = await hostPage(
      pages.url,
      `<milepost-job job-id="before" log="full"></milepost-job>
      <milepost-progress job-id="before"></milepost-progress>`,
    );
    const page = await openPage(`${host.baseUrl}/host`, { viewport: { width: 1200, height: 800 } });
    await shows(page, "milepost-job .line", "before 1");
    await expect.poll(() => fractions(page, "milepost-job .progress .bar")).toEqual([0.375]);
    await page.locator("[data-key=a]").click();
    await page.evaluate(() => {
      for (const element of document.querySelectorAll("[job-id]")) element.setAttribute("job-id", "after");
    });
    await shows(page, "milepost-job .line", "after 1");
    await expect.poll(() => fractions(page, "milepost-job .progress .bar")).toEqual([0.125]);
    await expect.poll(() => fractions(page, "[data-key=a] .bar")).toEqual([0.25]);
    await expect.poll(() => fractions(page, "milepost-progress .bar")).toEqual([0.125]);
    // Neither is the stage chosen that was chosen of the other job, nor is the change read out as progress.
    await expect.poll(() => page.locator("[role=treeitem][aria-selected=true]").count()).toBe(0);
    await expect.poll(() => page.locator("milepost-log-view select").first().inputValue()).toBe("");
    const said = await page.locator("article > [role=status]").innerText();
    expect(said).toBe(""); // at any time: what is said is read out
    await expect.poll(() => host.countOpen("/WatchJob")).toBe(1);

    await first.log(1, "of the one before");
    await second.report({ case: "stageEnded", value: { stageId: "a", state: StageState.SUCCEEDED } });
    await shows(page, "article > [role=status]", "stage first done");
    const lines = await page.locator("milepost-job .line").allInnerTexts();
    expect(lines).toHaveLength(1); // at any time: the other job's line is older than what was said
    await second.end();
    await shows(page, "milepost-job [part=state]", "succeeded");
    await expect
      .poll(() => page.evaluate("seen.filter((text) => text.startsWith('milepost-end')).length"))
      .toBe(2);
  });
});
