import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { openContext, picture, sharedPages, shows, violations } from "./pages.js";

const pages = sharedPages();

/** The colours that an element is drawn in. */
async function colors(page: Page, selector: string): Promise<{ fill: string; border: string }> {
  return page
    .locator(selector)
    .first()
    .evaluate((element) => {
      const { backgroundColor, borderTopColor, borderTopWidth } = getComputedStyle(element);
      return { fill: backgroundColor, border: borderTopWidth === "0px" ? "" : borderTopColor };
    });
}

test("where the system forces its colours, bars, the waterfall and what is chosen are still to be seen", async () => {
  const job = await pages.start("forced-colors", { stages: [{ stageId: "a", total: 4 }, { stageId: "b" }] });
  await job.report(
    { case: "stageStarted", value: { stage: { stageId: "a" } } },
    { case: "stageProgressed", value: { stageId: "a", current: 1 } },
  );
  const context = await openContext({ forcedColors: "active", viewport: { width: 1200, height: 800 } });
  const page = await context.newPage();
  await page.goto(`${pages.url}jobs/forced-colors`);
  await shows(page, "[part=state]", "running");
  const paper = await page.evaluate(() => {
    document.body.style.backgroundColor = "Canvas";
    return getComputedStyle(document.body).backgroundColor;
  });

  const bar = await colors(page, "[part=progress] .bar");
  expect(bar.fill).toBe(paper);
  expect(bar.border).not.toBe(paper);
  expect((await colors(page, "[part=progress] .fill")).fill).not.toBe(paper);
  expect((await colors(page, ".segment.part-running")).fill).not.toBe(paper);
  const chosen = await colors(page, "[role=tab][aria-selected=true]");
  expect(chosen.fill).not.toBe((await colors(page, "[role=tab][aria-selected=false]")).fill);
  expect((await colors(page, "[aria-pressed=true]")).fill).toBe(chosen.fill);
  expect(await violations(page)).toEqual([]);
  await picture(page, "forced-colors");
});
