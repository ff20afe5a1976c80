import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { openPage } from "../../testing/browser.js";
import { startHttpProxy } from "../../testing/http-proxy.js";
import { startTcpProxy } from "../../testing/tcp-proxy.js";
import { accessible, connected, openContext, picture, setHidden, shows, startPages } from "./pages.js";

/** The calls that a page makes from now on. */
function callsOf(page: Page): string[] {
  const calls: string[] = [];
  page.on("request", (request) => {
    if (request.url().includes("/milepost.v1.")) calls.push(request.url());
  });
  return calls;
}

describe("the connection of a page", () => {
  test("a cut is told at once, clocks stand still meanwhile, and nothing is missing afterwards", async () => {
    const pages = await startPages();
    const proxy = await startTcpProxy(Number(new URL(pages.url).port));
    const job = await pages.start("cut", { stages: [{ stageId: "a", total: 10 }] });
    await job.log(3);
    const page = await openPage(`${proxy.baseUrl}/jobs/cut`);
    await connected(page, "live");
    await shows(page, "milepost-log-view .line:last-child", "line 3");

    proxy.refuse = true;
    proxy.cut();
    await connected(page, /^reconnecting/);
    await shows(page, "[part=stale]", "It may have changed since");
    const elapsed = page.locator("[part=elapsed]");
    const stood = await elapsed.innerText();
    await accessible(page);
    await picture(page, "reconnecting");
    await job.log(4, "missed");
    await page.waitForTimeout(2100);
    const stands = await elapsed.innerText();
    expect(stands).toBe(stood); // at any time until it is connected again

    proxy.refuse = false;
    await connected(page, "live");
    await shows(page, "milepost-log-view .line:last-child", "missed 4");
    await expect
      .poll(() => page.locator("milepost-log-view .line .text").allInnerTexts())
      .toEqual(["line 1", "line 2", "line 3", "missed 1", "missed 2", "missed 3", "missed 4"]);
    await expect.poll(() => page.locator("[part=stale]").count()).toBe(0);
  });

  test("a list that may be out of date says so, and its clocks stand still", async () => {
    const pages = await startPages();
    const proxy = await startTcpProxy(Number(new URL(pages.url).port));
    const job = await pages.start("listed");
    await job.report({ case: "stageStarted", value: { stage: { stageId: "a" } } });
    const page = await openPage(`${proxy.baseUrl}/`);
    await connected(page, "live");
    await shows(page, "a.row", "running");
    await expect.poll(() => page.locator("milepost-jobs [part=stale]").count()).toBe(0);

    proxy.refuse = true;
    proxy.cut();
    await shows(page, "milepost-jobs [part=stale]", /^Not live: .* It may have changed since\.$/);
    const moves = () => page.locator(".bar.moving .fill").evaluate((fill) => fill.getAnimations().length);
    await expect.poll(moves).toBe(0);
    const times = () => page.locator("a.row .number").allInnerTexts();
    const stood = await times();
    await accessible(page);
    await picture(page, "list-reconnecting");
    await page.waitForTimeout(2100);
    const stands = await times();
    expect(stands).toEqual(stood); // at any time until it is connected again

    proxy.refuse = false;
    await connected(page, "live");
    await expect.poll(() => page.locator("milepost-jobs [part=stale]").count()).toBe(0);
    await expect.poll(moves).toBe(1);
  });

  test("a list that has never come says why, and not that it may be out of date", async () => {
    const pages = await startPages();
    await pages.start("unseen");
    const proxy = await startHttpProxy(pages.url);
    const notice = "milepost-jobs .notice";
    const page = await openContext().then((context) => context.newPage());
    proxy.rejects = (path) => path.includes("/milepost.v1.");
    await page.goto(`${proxy.baseUrl}/`);
    await shows(page, notice, /^The jobs cannot be shown yet: ./);
    proxy.swallows = (path) => path.endsWith("/ListJobs");
    proxy.rejects = () => false;
    await connected(page, "live");
    await shows(page, notice, "loading…");

    proxy.rejects = () => true;
    proxy.cut();
    await connected(page, /^reconnecting/);
    await shows(page, notice, /^The jobs could not be loaded: ./);
    const outOfDate = await page.locator("milepost-jobs [part=stale]").count();
    expect(outOfDate).toBe(0); // at any time until there is a list

    proxy.swallows = proxy.rejects = () => false;
    await shows(page, "a.row", "running");
  });

  test("a server that was killed and comes back is followed again; one with another store says so", async () => {
    const pages = await startPages();
    const proxy = await startTcpProxy(Number(new URL(pages.url).port));
    const job = await pages.start("killed");
    await job.log(2);
    const page = await openPage(`${proxy.baseUrl}/jobs/killed`);
    await connected(page, "live");

    await pages.server.stop("SIGKILL");
    await connected(page, /^reconnecting/);
    await pages.server.start();
    proxy.target = Number(new URL(pages.url).port);
    await job.log(1, "after");
    await connected(page, "live");
    await shows(page, "milepost-log-view .line:last-child", "after 1");
    await page.getByRole("tab", { name: "events" }).click();
    await page.getByRole("button", { name: /line 2$/ }).click();
    await shows(page, ".payload pre", '"text": "line 2"');
    await expect.poll(() => new URL(page.url()).hash).toBe("#event=4");

    proxy.refuse = true; // until the other store has a job of this name, which the page would not find before
    await pages.server.stop("SIGKILL");
    pages.server.deleteStore();
    await pages.server.start();
    const other = await pages.start("killed");
    proxy.target = Number(new URL(pages.url).port);
    proxy.refuse = false;
    await other.log(1, "other");
    await connected(page, "live · log restarted");
    // Nothing of what was unfolded and marked in the log before is so in this one.
    await shows(page, "milepost-events-view [role=listitem]:last-child", /other 1$/);
    await expect.poll(() => page.locator("milepost-events-view :is(.payload, .marked)").count()).toBe(0);
    await expect.poll(() => new URL(page.url()).hash).toBe("");
    await page.getByRole("tab", { name: "log" }).click();
    await shows(page, "milepost-log-view .line:last-child", "other 1");
    await expect.poll(() => page.locator("milepost-log-view .line").count()).toBe(1);
  });

  test("a laptop that slept while its connection died notices that, and goes on from its cursor", async () => {
    const pages = await startPages();
    const proxy = await startTcpProxy(Number(new URL(pages.url).port));
    const job = await pages.start("slept");
    await job.log(3);
    const page = await openPage("about:blank");
    await page.clock.install();
    const begun = await page.evaluate(() => Date.now());
    await page.goto(`${proxy.baseUrl}/jobs/slept`);
    await connected(page, "live");
    await shows(page, "milepost-log-view .line:last-child", "line 3");
    const states: string[] = [];
    await page.exposeFunction("noteChip", (text: string) => states.push(text));
    await page.evaluate(`{
      const chip = document.querySelector("milepost-job-page").shadowRoot.querySelector(".chip");
      new MutationObserver(() => noteChip(chip.innerText)).observe(chip, {subtree: true, childList: true, characterData: true});
    }`);

    const awake = await page.evaluate((start) => {
      const minutes = [];
      for (let time = start; time < Date.now() + 60_000; time += 60_000) minutes.push(time);
      return minutes.map((time) => new Date(time).toTimeString().slice(0, 5));
    }, begun);
    proxy.stall();
    await job.log(3, "meanwhile");
    await page.clock.fastForward("02:00:00");

    await shows(page, "milepost-log-view .line:last-child", "meanwhile 3");
    await connected(page, "live");
    await expect.poll(() => page.locator("milepost-log-view .line").count()).toBe(6);
    // What the page knew was as old as the sleep was long: of some minute before it.
    const said = () => states.find((text) => text.includes("reconnecting"));
    await expect.poll(said).toMatch(/nothing was received for/);
    const [, since] = /stale since (\d\d:\d\d)/.exec(said() ?? "") ?? [];
    expect(awake).toContain(since);
  });

  test("a hidden tab gives its stream back, and catches up when it is shown again", async () => {
    const pages = await startPages();
    const job = await pages.start("hidden");
    const page = await pages.open("hidden");
    await connected(page, "live");
    const given = page.waitForEvent("requestfailed", (request) => request.url().endsWith("/WatchJob"));
    await setHidden(page, true);
    await given;
    const asked: string[] = [];
    page.on("request", (request) => asked.push(request.url()));
    await job.log(3, "meanwhile");
    await page.waitForTimeout(1500);
    expect(asked).toEqual([]);

    await setHidden(page, false);
    await connected(page, "live");
    await shows(page, "milepost-log-view .line:last-child", "meanwhile 3");
  });

  test.each(["jobs/background", ""])(
    "a tab that is opened in the background asks for nothing until it is shown: /%s",
    async (path) => {
      const pages = await startPages();
      const job = await pages.start("background");
      await job.log(3);
      const page = await (await openContext()).newPage();
      await page.addInitScript(() => {
        Object.defineProperty(document, "visibilityState", { configurable: true, get: () => "hidden" });
        Object.defineProperty(document, "hidden", { configurable: true, get: () => true });
      });
      const asked = callsOf(page);
      await page.goto(pages.url + path);
      await page.waitForTimeout(1500);
      expect(asked).toEqual([]);

      await setHidden(page, false);
      if (path) await shows(page, "milepost-log-view .line:last-child", "line 3");
      else await expect.poll(() => asked.join(" ")).toContain("/ListWorkers");
      await shows(page, path ? "[part=state]" : "a.row", /running/);
    },
  );

  test.each([
    ["jobs/hidden", "ListJobs"],
    ["", "WhoAmI"],
    ["", "ListJobs"],
  ])("what a tab loads when it is hidden it goes on with when it is shown: /%s, %s", async (path, method) => {
    const pages = await startPages();
    const job = await pages.start("hidden");
    await job.log(3);
    const page = await (await openContext()).newPage();
    // It is hidden as soon as it asks, before a clock of its own lets it ask for more; and it says itself what it asks for
    // then: what it asked for before may be told of later.
    await page.addInitScript((last) => {
      const hidden: string[] = [];
      const { fetch } = globalThis;
      let isHidden = false;
      const hide = (value: boolean): void => {
        isHidden = value;
        document.dispatchEvent(new Event("visibilitychange"));
      };
      Object.defineProperty(document, "visibilityState", { get: () => (isHidden ? "hidden" : "visible") });
      Object.defineProperty(document, "hidden", { get: () => isHidden });
      Object.assign(globalThis, {
        hidden,
        show: () => {
          hide(false);
        },
        fetch: (...request: Parameters<typeof fetch>) => {
          const { url } = new Request(...request);
          if (isHidden) hidden.push(url);
          else if (url.endsWith(last)) {
            last = "never again";
            queueMicrotask(() => {
              hide(true);
            });
          }
          return fetch(...request);
        },
      });
    }, method);
    const answered = page.waitForResponse(`**/${method}`);
    await page.goto(pages.url + path);
    await answered;
    await page.waitForTimeout(1500);
    const asked = await page.evaluate("hidden");
    expect(asked).toEqual([]); // at any time until it is shown

    const last = path ? "GetHistory" : method === "WhoAmI" ? "ListWorkers" : "ListJobs";
    const goesOn = page.waitForRequest(`**/${last}`);
    await page.evaluate("show()");
    await goesOn;
  });

  test("of ten tabs over HTTP/1.1 none starves", async () => {
    const pages = await startPages();
    const job = await pages.start("tabs");
    const context = await openContext();
    const tabs = await Promise.all(
      Array.from({ length: 10 }, async () => {
        const tab = await context.newPage();
        await tab.goto(`${pages.url}jobs/tabs`);
        return tab;
      }),
    );
    await Promise.all(tabs.map((tab) => connected(tab, /^(live|polling)/)));
    await job.log(1, "for all");
    await Promise.all(tabs.map((tab) => shows(tab, "milepost-log-view .line:last-child", "for all 1")));
    await job.end();
    await Promise.all(tabs.map((tab) => shows(tab, "[part=state]", "succeeded")));
  });
});
