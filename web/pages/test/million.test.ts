import { describe, expect, test } from "vitest";
import { openPage } from "../../testing/browser.js";
import { startTcpProxy } from "../../testing/tcp-proxy.js";
import { connected, sharedPages, shows } from "./pages.js";

const MILLION = 1_000_000;
/** Bytes that the page of a job loads until its newest lines are there: its files, and some thousand events. */
const BUDGET = 1024 * 1024;

// It reports a million lines, which takes half a minute; `make nightly-web` runs it.
describe.runIf(process.env["NIGHTLY"])("a log of a million lines", () => {
  const pages = sharedPages();

  test("its page loads no more than any other, and each line is found from there", async () => {
    const job = await pages.start("million");
    await job.log(1, "needle");
    await job.log(999, "part 1 line");
    for (let part = 2; part <= MILLION / 1000; part++) await job.log(1000, `part ${part} line`);
    const proxy = await startTcpProxy(Number(new URL(pages.url).port));
    const page = await openPage(`${proxy.baseUrl}/jobs/million`);
    await shows(page, "milepost-log-view .line:last-child", `part ${MILLION / 1000} line 1000`);
    expect(proxy.bytesReceived).toBeLessThan(BUDGET);

    await page.getByLabel("filter the lines").fill("needle");
    await page.getByRole("button", { name: "search older ones" }).click();
    await expect
      .poll(() => page.locator("milepost-log-view .line .text").allInnerTexts(), { timeout: 300_000 })
      .toEqual(["needle 1"]);
    await page.getByLabel("filter the lines").fill("");
    await shows(page, ".controls .count", "1,000,000 lines");
    const lines = page.locator("milepost-log-view .line");
    await expect.poll(() => lines.count()).toBeLessThan(120);
    await page.locator("milepost-log-view .view").evaluate((view) => {
      view.scrollTop = 0;
    });
    await shows(page, "milepost-log-view .line:first-child", "needle 1");
    await expect.poll(() => lines.count()).toBeLessThan(120);

    // Its events are reached wherever they are, by a call for what is in sight each. A stream that has brought that is given up;
    // until the server hears of it, it fills the buffers of the connection.
    const whole = proxy.bytesReceived;
    const events = await openPage(`${proxy.baseUrl}/jobs/million`);
    await connected(events, "live");
    await shows(events, "milepost-log-view .line:last-child", `part ${MILLION / 1000} line 1000`);
    const before = proxy.bytesReceived;
    const asked: string[] = [];
    events.on("request", (request) => {
      if (request.url().endsWith("/WatchJob")) asked.push(request.url());
    });
    await events.getByRole("tab", { name: "events" }).click();
    await shows(
      events,
      "milepost-events-view [role=listitem]:last-child",
      `part ${MILLION / 1000} line 1000`,
    );
    await events.getByLabel("go to event").fill("500,002");
    await events.keyboard.press("Enter");
    await shows(events, "milepost-events-view .marked", "part 500 line 1000");
    await events.locator("milepost-events-view .view").evaluate((view) => {
      view.scrollTop = 0;
    });
    await shows(events, "milepost-events-view [role=listitem]:first-child", "transcribe submitted");
    expect(asked.length).toBeLessThanOrEqual(6);
    expect(proxy.bytesReceived - before).toBeLessThan(whole / 20);
  }, 600_000);
});
