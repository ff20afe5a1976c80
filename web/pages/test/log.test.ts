import { text } from "node:stream/consumers";
import type { Page, Route } from "playwright-core";
import { describe, expect, test } from "vitest";
import { Severity } from "@milepost/client";
import { picture, scrollBeforeUpdate, sharedPages, shows } from "./pages.js";

const LINES = "milepost-log-view .line .text";

function view(page: Page) {
  return page.locator("milepost-log-view .view");
}

/** Wait until the log no longer scrolls, which a wheel does for some frames. */
async function scrolledToRest(page: Page): Promise<void> {
  await view(page).evaluate(async (element) => {
    const isAtRest = async () => {
      const before = element.scrollTop;
      for (let frame = 0; frame < 10; frame++) {
        await new Promise(requestAnimationFrame);
        if (element.scrollTop !== before) return false;
      }
      return true;
    };
    while (!(await isAtRest()));
  });
}

describe("the log of a job", () => {
  const pages = sharedPages("--sweep-interval", "1s");

  test("it follows until the reader scrolls, and again when he is back at the end", async () => {
    const job = await pages.start("following");
    await job.log(300);
    const page = await pages.open("following");
    await shows(page, "milepost-log-view .line:last-child", "line 300");
    await view(page).hover();
    await page.mouse.wheel(0, -1000);
    await shows(page, "milepost-log-view .controls", /follow$/);
    await scrolledToRest(page);
    const place = async () => ({
      top: await view(page).evaluate((element) => element.scrollTop),
      first: await page.locator(LINES).first().innerText(),
    });
    const before = await place();
    await job.log(100, "newer");
    await shows(page, ".controls .count", "400 lines");
    const after = await place();
    expect(after).toEqual(before); // at once: what came does not move what is read, not even for a moment

    await scrollBeforeUpdate(view(page), 1e6);
    await shows(page, "milepost-log-view .controls", /following$/);
    await job.log(1, "newest");
    await shows(page, "milepost-log-view .line:last-child", "newest 1");
  });

  test("its newest line is in the window, and it grows as the reader scrolls to it", async () => {
    const stages = Array.from({ length: 6 }, (_, n) => ({ stageId: `s${n}`, total: 10 }));
    const job = await pages.start("fits", { stages });
    await job.log(300);
    const page = await pages.open("fits", { viewport: { width: 1200, height: 900 } });
    await shows(page, "milepost-log-view .line:last-child", "line 300");
    const edges = async () => {
      const { y = 0, height = 0 } = (await view(page).boundingBox()) ?? {};
      return { top: y, bottom: Math.round(y + height) };
    };
    await expect.poll(async () => (await edges()).bottom).toBe(876);
    const { top } = await edges();

    await page.evaluate("scrollTo(0, 1e6)");
    await expect.poll(async () => (await edges()).top).toBeLessThan(130);
    await expect.poll(async () => (await edges()).bottom).toBe(876);
    expect(top).toBeGreaterThan(300);
    await shows(page, "milepost-log-view .line:last-child", "line 300");
  });

  test("lines before thousands of other events are found without a click", async () => {
    const job = await pages.start("far-back", { stages: [{ stageId: "a", total: 9000 }] });
    await job.report({ case: "stageStarted", value: { stage: { stageId: "a" } } });
    await job.log(1, "first");
    const updates = Array.from({ length: 2500 }, (_, n) => ({
      case: "stageProgressed" as const,
      value: { stageId: "a", current: n },
    }));
    await job.report(...updates);
    const page = await pages.open("far-back");
    await shows(page, "milepost-log-view .line:last-child", "first 1");
  });

  test("it says that older events are not kept, and that its lines may have been among them", async () => {
    const firstOf = async (jobId: string) =>
      Number((await pages.service.getJob({ jobId })).job?.firstSequence ?? 0n);
    const job = await pages.start("trimmed", { retention: { maxEvents: 100n } });
    await job.log(300);
    await expect.poll(() => firstOf("trimmed")).toBeGreaterThan(2);
    const page = await pages.open("trimmed");
    await shows(page, ".controls .count", /^\d+ lines · older events are not kept$/);
    await picture(page, "trimmed-log");

    const ended = await pages.start("emptied", { retention: { keepEvents: { seconds: 1n } } });
    await ended.log(3);
    await ended.end();
    await expect.poll(() => firstOf("emptied")).toBe(7);
    const emptied = await pages.open("emptied");
    await shows(emptied, "milepost-log-view .notice", /^no log lines among the events that are kept$/);
  });

  test("it is shown by stage, by severity and by text", async () => {
    const job = await pages.start("filtered", {
      stages: [{ stageId: "a" }, { stageId: "a/1", parentStageId: "a" }, { stageId: "b", title: "second" }],
    });
    await job.report(
      { case: "logWritten", value: { text: "one", stageId: "a" } },
      { case: "logWritten", value: { text: "two", stageId: "a/1", severity: Severity.ERROR } },
      { case: "logWritten", value: { text: "three", stageId: "b", severity: Severity.DEBUG } },
    );
    const page = await pages.open("filtered");
    const texts = () => page.locator(LINES).allInnerTexts();
    await expect.poll(texts).toEqual(["one", "error two", "debug three"]);
    await page.getByLabel("stage of the lines").selectOption("a");
    await expect.poll(texts).toEqual(["one", "error two"]);
    await page.getByLabel("least severity").selectOption({ label: "warning +" });
    await expect.poll(texts).toEqual(["error two"]);
    await page.getByLabel("filter the lines").fill("TWO");
    await expect.poll(texts).toEqual(["error two"]);
    await page.getByLabel("filter the lines").fill("nothing");
    await shows(page, "milepost-log-view .notice", "none of 3 lines matches");
    await page.getByRole("button", { name: "show all" }).click();
    await expect.poll(texts).toEqual(["one", "error two", "debug three"]);
    // A stage that is chosen in the tree is that of the log, too.
    await page.getByRole("treeitem", { name: "second" }).click();
    await expect.poll(texts).toEqual(["debug three"]);
  });

  test("of a long log the newest lines come first, older ones when they are wanted, and few are in the page", async () => {
    const job = await pages.start("long");
    await job.log(10_000);
    const page = await pages.open("long");
    await shows(page, "milepost-log-view .line:last-child", "line 10000");
    await shows(page, ".controls .count", /^1,\d{3}\+ lines|2,000\+ lines$/);
    await view(page).hover();
    await expect
      .poll(async () => {
        await page.mouse.wheel(0, -100_000);
        return (await page.locator(LINES).allInnerTexts())[0];
      })
      .toBe("line 1");
    await shows(page, ".controls .count", "10,000 lines");
    const drawn = await page.locator(LINES).count();
    expect(drawn).toBeLessThan(120); // at any time
    await picture(page, "long-log");

    await page.getByLabel("filter the lines").fill("line 4711");
    await expect.poll(() => page.locator(LINES).allInnerTexts()).toEqual(["line 4711"]);
  });

  test("a search goes on to older lines on request, as far as the log goes", async () => {
    const job = await pages.start("needle");
    await job.log(1, "needle");
    await job.log(6000);
    const page = await pages.open("needle");
    await shows(page, "milepost-log-view .line:last-child", "line 6000");
    await page.keyboard.press("/");
    const isFocused = () =>
      page.getByLabel("filter the lines").evaluate((element) => element.matches(":focus"));
    await expect.poll(isFocused).toBe(true);
    await page.keyboard.type("needle");
    await shows(page, "milepost-log-view .notice", /searched the newest .* lines/);
    await page.getByRole("button", { name: "search older ones" }).click();
    await expect.poll(() => page.locator(LINES).allInnerTexts()).toEqual(["needle 1"]);
  });

  test("its lines are saved as a file: all of them, or those that filters show", async () => {
    const job = await pages.start("saved", { stages: [{ stageId: "a" }] });
    const page = await pages.open("saved");
    await shows(page, "milepost-log-view .notice", "no log lines yet");
    const save = page.getByRole("button", { name: "save", exact: true });
    await expect.poll(() => save.isDisabled()).toBe(true);
    await job.log(1, "first");
    const broken = "\x1b[31mbroken\x1b[0m\r\nnear the end";
    await job.report({ case: "logWritten", value: { text: broken, stageId: "a", severity: Severity.ERROR } });
    await job.log(6000);
    await page.reload(); // which has the newest lines alone
    await shows(page, "milepost-log-view .line:last-child", "line 6000");
    let refuse = (): void => undefined;
    const refused = new Promise<void>((resolve) => (refuse = resolve));
    const answer = async (route: Route) => {
      await refused;
      await route.fulfill({ status: 403, body: "" });
    };
    await page.route("**/WatchJob", answer, { times: 1 });
    await save.click();
    const stop = page.getByRole("button", { name: "stop saving" });
    await expect.poll(() => stop.count()).toBe(1);
    await expect.poll(() => stop.getAttribute("aria-pressed")).toBe(null);
    await expect.poll(() => stop.isDisabled()).toBe(false);
    refuse();
    await shows(page, "milepost-log-view [role=alert]", "The log could not be loaded");
    await expect.poll(() => stop.count()).toBe(0); // saving ends, and begins by a click alone

    const saved = async () => {
      const download = page.waitForEvent("download");
      await save.click();
      return text(await (await download).createReadStream());
    };
    const all = await saved();
    const rows = all.split("\n").map((row) => row.replace(/^[\d-]+T[\d:.]+Z /, ""));
    expect(rows.length).toBe(6004); // one of two lines, and an end of the last
    expect([...rows.slice(0, 4), ...rows.slice(-2)]).toEqual([
      ...["first 1", "a error: broken\\x0d", "    near the end", "line 1"],
      ...["line 6000", ""],
    ]);

    await page.getByLabel("least severity").selectOption({ label: "error" });
    await expect.poll(() => page.locator(LINES).count()).toBe(1);
    const errors = await saved();
    expect(errors.split("\n").length).toBe(3);
  });

  test("a line that is marked stands in the address, and is found from there, however far back it is", async () => {
    const job = await pages.start("linked");
    await job.log(1, "cause");
    await job.log(6000, "line");
    const page = await pages.open("linked");
    await shows(page, "milepost-log-view .line:last-child", "line 6000");
    await page.locator("milepost-log-view .line:last-child .at").click();
    await expect.poll(() => new URL(page.url()).hash).toMatch(/^#line=\d+$/);
    await shows(page, "milepost-log-view .marked", "line 6000");
    await page.locator("milepost-log-view .marked .at").click();
    await expect.poll(() => new URL(page.url()).hash).toBe("");

    const cause = Number(job.job.lastSequence) + 1;
    const later = await pages.open(`linked#line=${cause}`);
    await shows(later, "milepost-log-view .marked", "cause 1");
    await expect.poll(() => later.locator("milepost-log-view .marked").isVisible()).toBe(true);
    // What comes meanwhile does not carry it away.
    await job.log(3, "later");
    await shows(later, ".controls .count", "6,004 lines");
    await expect.poll(() => later.locator("milepost-log-view .marked").isVisible()).toBe(true);
    // The address may be changed by hand, also to no line at all.
    await later.evaluate(() => (location.hash = "#line=x"));
    await later.locator("milepost-log-view .marked").waitFor({ state: "detached" });
  });
});
