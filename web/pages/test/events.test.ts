import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { JobState, StageState } from "@milepost/client";
import { openPage } from "../../testing/browser.js";
import { startTcpProxy } from "../../testing/tcp-proxy.js";
import {
  accessible,
  connected,
  fits,
  openContext,
  picture,
  sharedPages,
  scrollBeforeUpdate,
  shows,
} from "./pages.js";

const ROWS = "milepost-events-view .row";
const failure = { code: "X", message: "It broke." };

/** The texts of the rows in the page. */
async function rows(page: Page): Promise<string[]> {
  return (await page.locator(ROWS).allInnerTexts()).map((text) => text.replace(/\s+/g, " ").trim());
}

async function openEvents(page: Page): Promise<void> {
  await page.getByRole("tab", { name: "events" }).click();
  await page.locator(ROWS).first().waitFor();
}

describe("the events of a job", () => {
  const pages = sharedPages();

  test("they are told in words from the first to the newest one, live, with what they hold", async () => {
    const job = await pages.start("told", { stages: [{ stageId: "get", title: "get it", total: 4 }] });
    await job.report(
      { case: "stageStarted", value: { stage: { stageId: "get" } } },
      { case: "stageProgressed", value: { stageId: "get", current: 1, message: "one" } },
      { case: "logWritten", value: { stageId: "get", text: "<b>low</b>\u202e level" } },
      { case: "custom", value: { type: "topic.found", data: { case: "json", value: { topic: "rust" } } } },
      {
        case: "custom",
        value: {
          type: "frame",
          data: { case: "proto", value: { typeUrl: "type.test/Frame", value: new Uint8Array([1, 2, 255]) } },
        },
      },
    );
    const page = await pages.open("told");
    await connected(page, "live");
    const loaded: string[] = [];
    page.on("request", (request) => loaded.push(request.url()));
    const before = await page.evaluate(() =>
      performance.getEntriesByType("resource").map(({ name }) => name),
    );
    expect(before.filter((name) => name.endsWith("/events.js"))).toEqual([]);
    await openEvents(page);
    const time = String.raw`\d\d:\d\d:\d\d`;
    const told = [
      "1 T transcribe submitted",
      "2 T attempt 1 started by worker .*",
      "3 T get it: started",
      "4 T get it: 25 %, 1 of 4 · one",
      String.raw`5 T get it \| <b>low</b>\\x202e level`,
      String.raw`6 T topic.found \{"topic":"rust"\}`,
      "7 T frame type.test/Frame",
    ];
    const expected = (texts: readonly string[]) =>
      texts.map((text) => expect.stringMatching(new RegExp(`^${text.replace("T", time)}$`)) as unknown);
    await expect.poll(() => rows(page)).toEqual(expected(told));
    expect(loaded.filter((url) => url.endsWith("/events.js"))).toHaveLength(1);

    // What comes now comes by the stream that is there.
    loaded.length = 0;
    await job.report({ case: "stageEnded", value: { stageId: "get", state: StageState.SUCCEEDED } });
    await expect.poll(() => rows(page)).toEqual(expected([...told, "8 T get it: done"]));
    await job.end({ state: JobState.FAILED, failure });
    const all = expected([...told, "8 T get it: done", "9 T failed · It broke."]);
    await expect.poll(() => rows(page)).toEqual(all);
    expect(loaded.filter((url) => url.endsWith("/WatchJob"))).toEqual([]);
    await accessible(page);

    await page.getByRole("button", { name: /topic.found/ }).click();
    await shows(page, ".payload pre", /"custom": \{\s+"type": "topic.found",\s+"json": \{\s+"topic": "rust"/);
    await page.getByRole("button", { name: /topic.found/ }).click();
    await page.getByRole("button", { name: /type.test.Frame/ }).press("Enter");
    await shows(page, ".payload pre", /"proto": \{\s+"@type": "type.test.Frame",\s+"value": "AQL\/"/);
    await accessible(page);
    await picture(page, "events");
    await page.setViewportSize({ width: 320, height: 700 });
    await fits(page);
    await picture(page, "events-320");
  });

  test("of many events those in sight are loaded, wherever that is, and what is read stays where it is", async () => {
    const job = await pages.start("many");
    await job.log(5000);
    const proxy = await startTcpProxy(Number(new URL(pages.url).port));
    const page = await openPage(`${proxy.baseUrl}/jobs/many`);
    await shows(page, "milepost-log-view .line:last-child", "line 5000");
    await openEvents(page);
    await expect.poll(async () => (await rows(page)).at(-1)).toMatch(/^5,002 .* line 5000$/);
    await shows(page, ".controls .count", "5,002 events");
    const drawn = await page.locator(ROWS).count();
    expect(drawn).toBeLessThan(80); // at any time

    await page.getByLabel("go to event").fill("1,204");
    await page.keyboard.press("Enter");
    await shows(page, `${ROWS}.marked`, /1,204.*line 1202/s);
    const view = page.locator("milepost-events-view .view");
    const top = () =>
      view.evaluate((element) => {
        const edge = element.getBoundingClientRect().top;
        const row = element.querySelector(".row.marked")?.getBoundingClientRect().top ?? Infinity;
        return Math.round(row - edge);
      });
    await expect.poll(top).toBe(1);
    // The address is then that of the event, for others; who opens it sees the event with what it holds.
    await expect.poll(() => new URL(page.url()).hash).toBe("#event=1204");
    const other = await openPage(page.url());
    await shows(other, `${ROWS}.marked`, /1,204.*line 1202/s);
    await shows(other, ".payload pre", '"text": "line 1202"');
    await job.log(200, "later");
    await shows(page, ".controls .count", "5,202 events");
    const place = await top();
    expect(place).toBe(1); // at any time: what comes does not move what is read

    await scrollBeforeUpdate(view, 0);
    await expect.poll(async () => (await rows(page))[0]).toMatch(/^1 .* transcribe submitted$/);
    await expect.poll(async () => (await rows(page))[9]).toMatch(/^10 .* line 8$/);
    await page.getByRole("button", { name: /line 8$/ }).click();
    await expect.poll(() => new URL(page.url()).hash).toBe("#event=10");
    await page.getByRole("button", { name: /line 8$/ }).click();
    await expect.poll(() => new URL(page.url()).hash).toBe("");
    // Also to where one was before.
    await page.getByLabel("go to event").fill("1204");
    await page.keyboard.press("Enter");
    await shows(page, `${ROWS}.marked`, /1,204.*line 1202/s);
    await page.getByRole("button", { name: "follow" }).click();
    await expect.poll(async () => (await rows(page)).at(-1)).toMatch(/^5,202 .* later 200$/);
  });

  test("progress that the stream superseded is told, and loaded once the job has ended", async () => {
    const job = await pages.start("fast", { stages: [{ stageId: "a", total: 100 }] });
    await job.report({ case: "stageStarted", value: { stage: { stageId: "a" } } });
    const page = await pages.open("fast");
    await openEvents(page);
    // The page is loaded then: a call that is under way brings the progress that the stream leaves out.
    await expect.poll(async () => (await rows(page)).at(-1)).toMatch(/^3 .* a: started$/);
    const steps = Array.from({ length: 40 }, (_, n) => ({
      case: "stageProgressed" as const,
      value: { stageId: "a", current: n + 1 },
    }));
    await job.report(...steps);
    await shows(
      page,
      "milepost-events-view [role=listitem]:last-child",
      /43.*after \d+ superseded · a: 40 %, 40 of 100$/s,
    );
    await job.end();
    const sequences = async () => (await rows(page)).map((text) => parseInt(text));
    await expect.poll(async () => (await rows(page)).at(-1)).toMatch(/^44 .* succeeded$/);
    // None is missing any more of those in sight.
    await expect
      .poll(async () => {
        const [first = 0, ...rest] = await sequences();
        return rest.every((sequence, place) => sequence === first + place + 1) && rest.length > 8;
      })
      .toBe(true);
    await expect.poll(async () => (await rows(page)).join()).not.toContain("superseded");
  });

  test("events that a call did not bring are said to be missing, and asked for again on request", async () => {
    const job = await pages.start("cut-events");
    await job.log(500);
    const page = await pages.open("cut-events");
    await shows(page, ".controls .count", "500 lines"); // so that no call of the log is refused in place of that of the events
    await page.route("**/WatchJob", (route) => route.fulfill({ status: 403, body: "" }), { times: 1 });
    await page.getByRole("tab", { name: "events" }).click();
    await shows(page, "milepost-events-view [role=alert]", "The events could not be loaded");
    await page.getByRole("button", { name: "try again" }).click();
    await expect.poll(async () => (await rows(page)).at(-1)).toMatch(/line 500$/);
  });

  test("where the part of the script that shows them does not come, the page says so", async () => {
    await pages.submit("no-file");
    const context = await openContext();
    const page = await context.newPage();
    await page.route("**/assets/events.js", (route) => route.abort());
    await page.goto(`${pages.url}jobs/no-file`);
    await page.getByRole("tab", { name: "events" }).click();
    await shows(
      page,
      "[role=tabpanel] [role=alert]",
      /^The events cannot be shown \(.*\)\. Load the page again\.$/,
    );
  });
});
