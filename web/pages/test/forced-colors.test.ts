import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { accessible, openContext, picture, sharedPages, shows } from "./pages.js";

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

  const fill = async (selector: string) => (await colors(page, selector)).fill;
  await expect.poll(() => fill("[part=progress] .bar")).toBe(paper);
  await expect.poll(async () => (await colors(page, "[part=progress] .bar")).border).not.toBe(paper);
  await expect.poll(() => fill("[part=progress] .fill")).not.toBe(paper);
  await expect.poll(() => fill(".segment.part-running")).not.toBe(paper);
  const isChosen = async (selector: string) =>
    (await fill(selector)) === (await fill("[role=tab][aria-selected=true]"));
  await expect.poll(() => isChosen("[role=tab][aria-selected=false]")).toBe(false);
  await expect.poll(() => isChosen("[aria-pressed=true]")).toBe(true);
  await job.log(2);
  await page.locator("milepost-log-view .line .at").last().click();
  const outline = (selector: string) =>
    page.locator(selector).evaluate((element) => getComputedStyle(element).outlineStyle);
  await expect.poll(() => outline("milepost-log-view .marked")).toBe("solid");
  await page.getByRole("tab", { name: "events" }).click();
  await page.getByLabel("go to event").fill("2");
  await page.keyboard.press("Enter");
  await expect.poll(() => outline("milepost-events-view .marked")).toBe("solid");
  await expect.poll(() => page.locator("milepost-events-view [aria-current=true]").count()).toBe(1);
  await accessible(page);
  await picture(page, "forced-colors");
});

test("where the system forces its colours, the icon of a chosen state is as plain as its word", async () => {
  const context = await openContext({ forcedColors: "active" });
  const page = await context.newPage();
  await page.goto(`${pages.url}?state=running`);
  const color = (selector: string) =>
    page.locator(selector).evaluate((element) => getComputedStyle(element).color);
  const chosen = "milepost-jobs button[aria-pressed=true]";
  await expect.poll(async () => (await color(`${chosen} .icon`)) === (await color(chosen))).toBe(true);
});
