// Load a page again and again in a new window of a real Chromium, and print what its reader waited for, a line of JSON each.
// node paint.mjs ADDRESS SELECTOR LOADS: SELECTOR is an element that is there once what the server knows is shown.
import process from "node:process";
import { chromium } from "playwright-core";

const [address, selector, loads] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium" });

/** Load the page in a new window, whose cache is empty. */
async function measure() {
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    await page.addInitScript(watchPaint, selector);
    await page.goto(address);
    await page.bringToFront(); // nothing is painted in the background
    await page.waitForFunction(
      () =>
        globalThis.seen.shownMs !== undefined &&
        globalThis.performance.getEntriesByName("first-contentful-paint").length > 0,
      undefined,
      { polling: 50 },
    );
    return await page.evaluate(() => {
      const paint = globalThis.performance.getEntriesByName("first-contentful-paint")[0];
      return { firstPaintMs: paint.startTime, ...globalThis.seen };
    });
  } finally {
    await context.close();
  }
}

/** In the page, before its own scripts: note when `wanted` is painted, and how long tasks keep it from anything else. */
function watchPaint(wanted) {
  const { performance, PerformanceObserver, document, requestAnimationFrame } = globalThis;
  const seen = { blockedMs: 0 };
  globalThis.seen = seen;
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) seen.blockedMs += Math.max(duration - 50, 0);
  }).observe({ type: "longtask", buffered: true });
  const inside = (root) =>
    root.querySelector(wanted) !== null ||
    [...root.querySelectorAll("*")].some((element) => element.shadowRoot && inside(element.shadowRoot));
  const look = () => {
    if (!inside(document)) requestAnimationFrame(look);
    // The frame in which it is painted ends before the next one begins.
    else requestAnimationFrame(() => (seen.shownMs = performance.now()));
  };
  requestAnimationFrame(look);
}

for (let load = 0; load < Number(loads); load++) process.stdout.write(`${JSON.stringify(await measure())}\n`);
await browser.close();
