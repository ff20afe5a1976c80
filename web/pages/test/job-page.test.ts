import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { Dispatch, JobState, Severity, StageState } from "@milepost/client";
import { connectWorker } from "../../testing/worker.js";
import { accessible, connected, fits, picture, sharedPages, shows, startPages } from "./pages.js";

const PLAN = [
  { stageId: "get", title: "get recording", total: 10, unit: "MB" },
  { stageId: "tracks", weight: 8 },
  { stageId: "tracks/1", parentStageId: "tracks", title: "track-1", total: 100 },
  { stageId: "tracks/2", parentStageId: "tracks", title: "track-2", total: 100 },
  { stageId: "merge", total: 5 },
];

describe("the page of a job", () => {
  const pages = sharedPages();

  test("it shows a job from its first paint, and each change as it happens, to its end", async () => {
    const job = await pages.start("weekly", { stages: PLAN, owner: "team-a", labels: { room: "blue" } });
    await job.report(
      { case: "stageStarted", value: { stage: { stageId: "get" } } },
      { case: "stageEnded", value: { stageId: "get", state: StageState.SUCCEEDED } },
      { case: "stageStarted", value: { stage: { stageId: "tracks" } } },
      { case: "stageStarted", value: { stage: { stageId: "tracks/1" } } },
      { case: "stageProgressed", value: { stageId: "tracks/1", current: 50 } },
      { case: "logWritten", value: { stageId: "tracks/1", text: "chunk 41 of 98" } },
      { case: "logWritten", value: { text: "low level", severity: Severity.WARNING } },
    );
    const page = await pages.open("weekly");

    await shows(page, "h1", "transcribe");
    await shows(page, ".percent", "30 %");
    await shows(page, "milepost-log-view .rows", /track-1\s+chunk 41 of 98/);
    await shows(page, "milepost-log-view .line.warning", "warning low level");
    await connected(page, "live");
    await expect.poll(() => page.locator("[role=treeitem]").count()).toBe(5);
    await expect.poll(() => page.getByRole("treeitem", { name: "track-1, running, 50 %" }).count()).toBe(1);
    await accessible(page);
    await picture(page, "running-light");

    await job.report(
      { case: "stageProgressed", value: { stageId: "tracks/1", current: 100 } },
      {
        case: "artifactAdded",
        value: { artifact: { name: "words.json", uri: "https://files.test/words.json", sizeBytes: 51_200n } },
      },
      { case: "logWritten", value: { text: "all words are there" } },
    );
    await shows(page, ".percent", "50 %");
    await shows(page, "milepost-log-view .line:last-child", "all words are there");
    await job.end({ state: JobState.SUCCEEDED, result: { words: 1204 } });

    await shows(page, "[part=state]", "succeeded");
    await shows(page, "[part=ending]", /^succeeded/);
    // How long it ran is said once, beside its bar.
    await shows(page, "[part=elapsed]", /^ran \d.* · ended [\d: -]+$/);
    const article = page.locator("milepost-job article");
    await expect
      .poll(async () => (await article.innerText()).match(/\bran \d|succeeded in|took \d/g))
      .toHaveLength(1);
    await connected(page, "complete");
    await page.getByRole("tab", { name: "result" }).click();
    await shows(page, "[role=tabpanel]", '"words": 1204');
    await page.getByRole("tab", { name: "artifacts (1)" }).click();
    await shows(page, "[role=tabpanel]", "51.2 kB");
    await accessible(page);
  });

  test("it says that there are no lines only once that is known", async () => {
    const job = await pages.start("quiet");
    const page = await pages.open("quiet");
    const seen = await page.evaluate(async () => {
      const notices = new Set<string>();
      const look = (): string => {
        const roots: (Document | ShadowRoot)[] = [document];
        let text = "";
        for (let root = roots.pop(); root; root = roots.pop()) {
          for (const element of root.querySelectorAll("*")) {
            if (element.shadowRoot) roots.push(element.shadowRoot);
            if (element.matches("p.notice") && element.getRootNode() instanceof ShadowRoot)
              text = element.textContent.trim();
          }
        }
        return text;
      };
      while (!notices.has("no log lines yet")) {
        notices.add(look());
        await new Promise(requestAnimationFrame);
      }
      return [...notices].filter(Boolean);
    });
    expect(["no log lines yet", "loading…,no log lines yet"]).toContain(seen.join());
    await job.end();
    await shows(page, "milepost-log-view .notice", /^no log lines$/);
  });

  test("cancelling asks for a reason, and tells each of the three steps as it happens", async () => {
    const job = await pages.start("stop-me");
    const page = await pages.open("stop-me");
    await page.getByRole("button", { name: "Cancel…" }).click();
    await picture(page, "cancel-sheet");
    await accessible(page);
    await page.getByLabel("Reason").fill("wrong file");
    const grace = page.getByLabel("Time to stop cleanly");
    await expect.poll(() => grace.inputValue()).toBe("30");
    await grace.selectOption("600"); // or a busy machine takes so long that the job is stopped by force
    await page.getByRole("button", { name: "Cancel the job" }).click();

    await shows(page, "[part=state]", "cancelling");
    await shows(
      page,
      "[part=cancellation]",
      /requested \d\d:\d\d:\d\d.*not yet acknowledged by the worker.*stopping, by force in (?:0[1-9]|10):\d\d.*“wrong file”/s,
    );
    await job.report({ case: "cancelAcknowledged", value: {} });
    await shows(page, "[part=cancellation]", /acknowledged \d\d:\d\d:\d\d/);
    await picture(page, "cancelling");
    await job.end({ state: JobState.CANCELLED });
    await shows(page, "[part=cancellation]", /stopped \d\d:\d\d:\d\d/);
    await shows(page, "[part=state]", "cancelled");
    await expect.poll(() => page.getByRole("button", { name: /Cancel/ }).count()).toBe(0);
  });

  test("of two tabs that cancel at once each says what happens, and none cancels what has ended", async () => {
    await pages.start("both");
    const first = await pages.open("both");
    const second = await pages.open("both");
    const late = await pages.open("both");
    const tabs = [first, second, late];
    for (const tab of tabs) await tab.getByRole("button", { name: "Cancel…" }).click();
    const atOnce = [first, second];
    await Promise.all(atOnce.map((tab) => tab.getByRole("button", { name: "Cancel the job" }).click()));
    for (const tab of atOnce) {
      await tab.locator("milepost-cancel-sheet dialog").waitFor({ state: "hidden" });
    }
    await Promise.all(tabs.map((tab) => shows(tab, "[part=state]", "cancelling")));

    await pages.service.cancelJob({ jobId: "both", gracePeriod: { seconds: 0n } });
    await shows(late, "milepost-cancel-sheet [role=alert]", "It has ended meanwhile: cancelled.");
    await expect.poll(() => late.getByRole("button", { name: "Cancel the job" }).isDisabled()).toBe(true);
  });

  test("a cancellation by force says so", async () => {
    await pages.start("force-me");
    const page = await pages.open("force-me");
    await shows(page, "[part=state]", "running");
    await page.keyboard.press("c");
    await page.getByLabel("Time to stop cleanly").selectOption("0");
    await page.getByRole("button", { name: "Cancel the job" }).click();
    await shows(page, "[part=cancellation]", "forced after 00:00: the worker did not stop in time");
  });

  test("a failure's message comes first, and an attempt that failed stays in sight while the next one runs", async () => {
    const first = await pages.start("again", {
      stages: PLAN,
      retryPolicy: { maxAttempts: 2, initialBackoff: { seconds: 0n, nanos: 1_000_000 } },
    });
    const failure = {
      code: "DECODER_BROKEN",
      message: "The decoder could not read frame 4711.",
      retryable: true,
    };
    await first.report({ case: "stageStarted", value: { stage: { stageId: "get" } } });
    await first.log(1, "first");
    const page = await pages.open("again");
    await shows(page, "[part=state]", "running · attempt 1 of 2");
    await first.end({ state: JobState.FAILED, failure });
    await shows(page, ".notice.bad", "attempt 1 failed: The decoder could not read frame 4711.");
    await shows(page, ".percent", /^attempt 1 ended at \d+ %$/);

    const second = await pages.claim("again");
    await shows(page, "[part=state]", "running · attempt 2 of 2");
    await expect.poll(() => page.locator(".segment.part-earlier.broken").count()).toBe(2);
    await second.report({ case: "stageStarted", value: { stage: { stageId: "get" } } });
    await second.log(1, "second");
    const boundary = /^attempt 2 of 2, started \d\d:\d\d:\d\d, after DECODER_BROKEN$/;
    const lines = [/first 1$/, boundary, /second 1$/];
    const log = async (of: Page): Promise<boolean[]> =>
      (await of.locator("milepost-log-view .line").allInnerTexts()).map(
        (text, n) => lines[n]?.test(text) ?? false,
      );
    await expect.poll(() => log(page)).toEqual([true, true, true]);
    await shows(page, ".controls .count", "2 lines");
    await second.end({ state: JobState.FAILED, failure: { ...failure, detail: "Traceback: frame 4711" } });

    await shows(page, "[part=ending] .headline", /^The decoder could not read frame 4711\. +DECODER_BROKEN/);
    await page.getByText("detail").click();
    await shows(page, "[part=ending] pre", "Traceback: frame 4711");
    // Whoever comes later sees the same.
    const later = await pages.open("again");
    await expect.poll(() => log(later)).toEqual([true, true, true]);
    await expect.poll(() => later.getByRole("heading", { name: boundary }).count()).toBe(1);
    await expect.poll(() => later.locator(".segment.part-earlier.broken").count()).toBe(2);
    await later.getByRole("tab", { name: "attempts (2)" }).click();
    await shows(later, "[role=tabpanel]", /1\s+failed.*2\s+failed/s);
    await picture(later, "failed");
    await accessible(later);
  });

  test("a job whose planned children all wait is at 0 %, and says why they cannot be listed", async () => {
    await pages.start("waiting-family", { plannedChildren: 2 });
    await pages.submit("waiting-1", { parentJobId: "waiting-family" });
    await pages.submit("waiting-2", { parentJobId: "waiting-family" });
    const page = await pages.open("waiting-family");
    await shows(page, ".percent", "0 %");
    await expect.poll(() => page.locator("[part=children] tbody tr").count()).toBe(2);
    const bar = page.locator("[part=progress]").getByRole("progressbar");
    await expect.poll(() => bar.getAttribute("aria-valuetext")).toBe("0 %, running");
    await picture(page, "waiting-children");

    await page.route("**/ListJobs", (route) => route.fulfill({ status: 403 }));
    await page.reload();
    await shows(page, "[role=tabpanel] [role=alert]", /^The children could not be loaded: ./);
    await accessible(page);
  });

  test("a job whose planned children are not there yet says so, and a head of a table without rows does not", async () => {
    const job = await pages.start("childless", { plannedChildren: 2 });
    const page = await pages.open("childless");
    await shows(page, "[role=tabpanel]", /^no children yet$/);
    await job.end();
    await shows(page, "[role=tabpanel]", /^no children$/);
    await accessible(page);
  });

  test("the children of a job have their state, by which they are found, a bar and a percentage", async () => {
    const family = await pages.start("family", { plannedChildren: 3 });
    const child = await pages.start("family-1", {
      parentJobId: "family",
      stages: [{ stageId: "a", total: 4 }],
    });
    await child.report(
      { case: "stageStarted", value: { stage: { stageId: "a" } } },
      { case: "stageProgressed", value: { stageId: "a", current: 1 } },
    );
    const done = await pages.start("family-2", { parentJobId: "family" });
    await done.end();
    await pages.submit("family-3", { parentJobId: "family", labels: { title: "the last" } });
    const page = await pages.open("family");
    const row = (jobId: string) => page.locator("[part=children] tr", { hasText: jobId });
    const text = (jobId: string) => async () => (await row(jobId).innerText()).replace(/\s+/g, " ").trim();
    await expect.poll(text("family-1")).toMatch(/^running transcribe family-1 25 % \d\d:\d\d$/);
    await expect.poll(text("family-2")).toMatch(/^succeeded transcribe family-2 100 % \d\d:\d\d$/);
    await expect.poll(text("family-3")).toBe("queued transcribe the last family-3");
    const bar = row("family-1").getByRole("progressbar");
    await expect.poll(() => bar.getAttribute("aria-valuetext")).toBe("25 %, running");
    await child.report({ case: "stageProgressed", value: { stageId: "a", current: 3 } });
    await expect.poll(text("family-1")).toContain("75 %");
    const ids = async () => (await page.locator("[part=children] tbody a").allInnerTexts()).sort();
    await page.getByRole("button", { name: "1 succeeded" }).click();
    await expect.poll(ids).toEqual(["family-2"]);
    await page.getByRole("button", { name: "1 succeeded" }).click();
    await expect.poll(ids).toEqual(["family-1", "family-2", "family-3"]);
    await accessible(page);
    await page.setViewportSize({ width: 320, height: 700 });
    await fits(page);
    await picture(page, "children-320");
    await family.end();
    await shows(page, "[part=state]", "succeeded");
    await child.end();
    await expect.poll(text("family-1")).toMatch(/^succeeded/);
    await page.evaluate(() => {
      document.addEventListener("milepost-open", (event) => {
        event.preventDefault();
        document.title = `opens ${(event as CustomEvent<{ jobId: string }>).detail.jobId}`;
      });
    });
    await row("family-2").getByRole("link").click();
    await expect.poll(() => page.title()).toBe("opens family-2");
    expect(new URL(page.url()).pathname).toBe("/jobs/family");
  });

  test("in the table of attempts the name of a worker stays in one line, and is whole where it has one of its own", async () => {
    const workerId = "transcriber-eu-west-1-7c9f-4b1d.4711";
    const queue = { kind: "named", dispatch: Dispatch.QUEUE, retryPolicy: { maxAttempts: 1 } };
    const next = await connectWorker(pages.server.baseUrl, { workerId, kinds: ["named"], maxConcurrency: 1 });
    await pages.submit("named", queue);
    const work = await next();
    const message = "The decoder could not read frame 4711 of the recording that was uploaded yesterday.";
    await work.end({ state: JobState.FAILED, failure: { code: "DECODER_BROKEN", message } });
    const page = await pages.open("named", { viewport: { width: 800, height: 900 } });
    await page.getByRole("tab", { name: "attempts" }).click();
    const worker = page.locator("[part=attempts] .worker");
    const lines = () =>
      worker.evaluate((cell) => {
        const text = document.createRange();
        text.selectNodeContents(cell);
        return new Set(Array.from(text.getClientRects(), ({ top }) => top)).size;
      });
    await expect.poll(lines).toBe(1);
    await expect.poll(() => worker.getAttribute("title")).toBe(workerId);
    await picture(page, "attempts-800");
    await page.setViewportSize({ width: 320, height: 700 });
    const missing = () => worker.evaluate((cell) => cell.scrollWidth - cell.clientWidth);
    await expect.poll(missing).toBe(0);
    await fits(page);
  });

  test("a job that waits for its next attempt shows since when, also to whoever comes only then", async () => {
    const first = await pages.start("backoff", {
      stages: [{ stageId: "get", total: 4 }],
      retryPolicy: { maxAttempts: 2, initialBackoff: { seconds: 3600n } },
    });
    await first.report({ case: "stageStarted", value: { stage: { stageId: "get" } } });
    await first.end({
      state: JobState.FAILED,
      failure: { code: "X", message: "It broke.", retryable: true },
    });
    const page = await pages.open("backoff");
    await shows(page, "[part=waiting]", /^next attempt in 0[1-5]:\d\d$/);
    // Before the first attempt, and since its end.
    await expect.poll(() => page.locator(".segment.part-waiting").count()).toBe(2);
  });

  test("a job that has logged nothing in several attempts opens its result", async () => {
    const retryPolicy = { maxAttempts: 2, initialBackoff: { seconds: 0n, nanos: 1_000_000 } };
    const first = await pages.start("silent", { retryPolicy });
    await first.end({
      state: JobState.FAILED,
      failure: { code: "X", message: "It broke.", retryable: true },
    });
    const second = await pages.claim("silent");
    await second.end({ state: JobState.SUCCEEDED, result: { words: 1204 } });
    const page = await pages.open("silent");
    await shows(page, "[role=tab][aria-selected=true]", "result");
  });

  test("a job whose worker was lost says which worker, and what to do", async () => {
    const pages = await startPages("--lease-ttl", "1s");
    await pages.start("lost");
    const page = await pages.open("lost");
    await shows(page, "[part=ending]", /^lost: worker .*was silent for longer than its lease/);
  });

  test("a job that nobody takes says so, with the kinds that are like its own", async () => {
    await pages.submit("waits", { dispatch: Dispatch.QUEUE });
    const page = await pages.open("waits");
    await shows(page, "[part=waiting]", "no worker takes transcribe");
    await picture(page, "queued");
    await accessible(page);
  });

  test("a long kind is cut in the head of the page, and how it is connected stays in one line", async () => {
    await pages.submit("long-kind", { kind: "nightly.index.of.everything.that.was.ever.uploaded" });
    const page = await pages.open("long-kind", { viewport: { width: 640, height: 450 } });
    await connected(page, "live");
    await shows(page, ".command", "milepost watch");
    const height = () => page.locator(".chip").evaluate(({ clientHeight }) => clientHeight);
    await expect.poll(height).toBe(22);
  });

  test("a job that has yet to start shows its input, and its log once it runs", async () => {
    await pages.submit("to-come", { input: { file: "a.wav" } });
    const page = await pages.open("to-come");
    await shows(page, "[role=tab][aria-selected=true]", "input");
    await shows(page, "[role=tabpanel]", "a.wav");
    const job = await pages.claim("to-come");
    await job.log(1);
    await shows(page, "[role=tab][aria-selected=true]", "log");
    await shows(page, "milepost-log-view .line", "line 1");
  });

  test("a job that does not exist is a sentence, and no blank page", async () => {
    const page = await pages.open("nowhere");
    await shows(page, "[role=alert]", "There is no job nowhere");
    await connected(page, "not found");
    // An id of an address is text like any other, also one that reorders text, or that cannot be decoded.
    await page.goto(`${pages.url}jobs/a%E2%80%AEb`);
    await shows(page, "[role=alert]", /a\\x202eb/);
    await page.goto(`${pages.url}jobs/a%E2%80`);
    await shows(page, "[role=alert]", "a%E2%80");
  });
});
