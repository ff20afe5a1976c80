import { expect, test } from "vitest";
import { openContext } from "../../testing/browser.js";
import { connected, sharedPages, shows } from "./pages.js";

/** What the page of a job may take; web/README.md has these with their reasons. */
const BUDGET = { requests: 13, bytes: 128 * 1024, elements: 1000, layoutShift: 0.05 };

const pages = sharedPages();

test("the page of a job keeps its budget of requests, bytes and elements, and nothing in it jumps", async () => {
  const stages = ["get", "pad", "merge", "title", "summary"].map((stageId) => ({ stageId, total: 50 }));
  const job = await pages.start("frugal", { stages });
  await job.log(100);
  const context = await openContext({ viewport: { width: 1280, height: 800 } });
  const page = await context.newPage();
  await page.addInitScript(() => {
    const moved: number[] = [];
    Object.assign(globalThis, { moved });
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) moved.push((entry as unknown as { value: number }).value);
    }).observe({ type: "layout-shift", buffered: true });
  });
  const session = await context.newCDPSession(page);
  await session.send("Network.enable");
  let bytes = 0;
  session.on("Network.dataReceived", ({ encodedDataLength }) => (bytes += encodedDataLength));
  const asked: string[] = [];
  page.on("request", (request) => asked.push(request.url()));
  await page.goto(`${pages.url}jobs/frugal`);
  await connected(page, "live");
  await shows(page, "milepost-log-view .line:last-child", "line 100");
  // The style that is in the page itself: without it the first paint would have the browser's own.
  await expect.poll(() => page.evaluate("getComputedStyle(document.body).margin")).toBe("0px");
  expect(asked.length).toBeLessThanOrEqual(BUDGET.requests);
  expect(bytes).toBeLessThanOrEqual(BUDGET.bytes);

  for (const { stageId } of stages) {
    await job.report(
      { case: "stageStarted", value: { stage: { stageId } } },
      { case: "stageProgressed", value: { stageId, current: 25 } },
    );
  }
  await shows(page, "milepost-job .percent", "50 %");
  const elements = await page.evaluate(() => {
    const count = (root: ParentNode): number =>
      [...root.querySelectorAll("*")].reduce(
        (sum, each) => sum + 1 + (each.shadowRoot ? count(each.shadowRoot) : 0),
        0,
      );
    return count(document);
  });
  expect(elements).toBeLessThanOrEqual(BUDGET.elements);
  // As the browser reckons it, over the whole life of the page.
  const moved = await page.evaluate(() => (globalThis as unknown as { moved: number[] }).moved);
  expect(moved.reduce((sum, value) => sum + value, 0)).toBeLessThanOrEqual(BUDGET.layoutShift);
});
