import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { Dispatch, JobState, Severity, StageState } from "@milepost/client";
import { openPage, picture, sharedPages, violations } from "./pages.js";

const PLAN = [
  { stageId: "get", title: "get recording", total: 10, unit: "MB" },
  { stageId: "tracks", title: "transcribe tracks", weight: 8 },
  { stageId: "tracks/1", parentStageId: "tracks", title: "track-1", total: 40, unit: "chunks" },
  { stageId: "merge", total: 5 },
];
const FAILURE = {
  code: "RECOGNISER_GONE",
  message: "The recogniser closed the connection.",
  retryable: true,
};

/** What is opened, what shows that it is there, and what is clicked or pressed then. */
interface View {
  readonly path: string;
  readonly shows: string;
  readonly click?: string;
  readonly key?: string;
}

const VIEWS: Readonly<Record<string, View>> = {
  list: { path: "", shows: "milepost-jobs a.row .note" },
  "list-empty": { path: "?kind=none", shows: "milepost-jobs .notice" },
  keys: { path: "", shows: "milepost-jobs a.row", key: "?" },
  docs: { path: "docs", shows: "h1" },
  "not-found": { path: "no/such/page", shows: "h1" },
  "no-job": { path: "jobs/missing", shows: "milepost-job [role=alert]" },
  queued: { path: "jobs/queued", shows: "[part=waiting]" },
  running: { path: "jobs/running", shows: "milepost-log-view .line" },
  "cancel-sheet": { path: "jobs/running", shows: "[part=cancel]", click: "[part=cancel]" },
  "share-sheet": { path: "jobs/running", shows: "nav button", click: "nav > button" },
  retried: { path: "jobs/retried", shows: "milepost-log-view .boundary" },
  attempts: { path: "jobs/retried", shows: "#tab-attempts", click: "#tab-attempts" },
  waits: { path: "jobs/waits", shows: "[part=waiting]" },
  cancelling: { path: "jobs/cancelling", shows: "[part=cancellation]" },
  forced: { path: "jobs/forced", shows: "[part=cancellation] .failed" },
  failed: { path: "jobs/failed", shows: "[part=ending]" },
  succeeded: { path: "jobs/succeeded", shows: "[part=ending]" },
  artifacts: { path: "jobs/succeeded", shows: "#tab-artifacts", click: "#tab-artifacts" },
  raw: { path: "jobs/succeeded", shows: "#tab-raw", click: "#tab-raw" },
  children: { path: "jobs/parent", shows: "[part=children] tbody tr" },
};

/** In `make nightly-web`: it takes two minutes. */
describe.runIf(process.env["NIGHTLY"])("every page in every state", () => {
  const pages = sharedPages();

  async function makeJobs(): Promise<void> {
    const queue = { dispatch: Dispatch.QUEUE };
    await pages.submit("queued", { ...queue, kind: "nightly.index.of.everything", owner: "a-team-of-many" });
    await pages.start("parent", { plannedChildren: 3 });
    for (const n of [1, 2, 3]) await pages.submit(`child-${n}`, { ...queue, parentJobId: "parent" });
    const running = await pages.start("running", {
      stages: PLAN,
      owner: "team-a",
      labels: { room: "blue", language: "en" },
    });
    await running.report(
      { case: "stageStarted", value: { stage: { stageId: "get" } } },
      { case: "stageEnded", value: { stageId: "get", state: StageState.SUCCEEDED } },
      { case: "stageStarted", value: { stage: { stageId: "tracks" } } },
      { case: "stageStarted", value: { stage: { stageId: "tracks/1" } } },
      { case: "stageProgressed", value: { stageId: "tracks/1", current: 12, message: "chunk 12 of 40" } },
      { case: "logWritten", value: { text: "connected", severity: Severity.DEBUG } },
      { case: "logWritten", value: { stageId: "tracks/1", text: "gain raised", severity: Severity.WARNING } },
      { case: "logWritten", value: { stageId: "tracks/1", text: "closed: 1006", severity: Severity.ERROR } },
    );
    const retryPolicy = { maxAttempts: 3, initialBackoff: { seconds: 0n, nanos: 1_000_000 } };
    const first = await pages.start("retried", { stages: PLAN, retryPolicy });
    await first.log(3, "first");
    await first.end({ state: JobState.FAILED, failure: FAILURE });
    const second = await pages.claim("retried");
    await second.log(3, "second");
    const waits = await pages.start("waits", {
      stages: PLAN,
      retryPolicy: { maxAttempts: 2, initialBackoff: { seconds: 3600n } },
    });
    await waits.end({ state: JobState.FAILED, failure: FAILURE });
    const failed = await pages.start("failed", { stages: PLAN });
    await failed.end({ state: JobState.FAILED, failure: { ...FAILURE, detail: "Traceback: frame 4711" } });
    await pages.start("cancelling");
    await pages.service.cancelJob({
      jobId: "cancelling",
      reason: "wrong file",
      gracePeriod: { seconds: 3600n },
    });
    await pages.start("forced", { stages: PLAN });
    await pages.service.cancelJob({ jobId: "forced", gracePeriod: { seconds: 0n } });
    const succeeded = await pages.start("succeeded", { stages: PLAN });
    const artifact = { name: "words.json", uri: "https://files.test/words.json", sizeBytes: 51_200n };
    await succeeded.report({ case: "artifactAdded", value: { artifact } });
    await succeeded.end({ state: JobState.SUCCEEDED, result: { words: 1204 } });
  }

  async function look(page: Page, name: string, { path, shows, click, key }: View): Promise<void> {
    await page.goto(pages.url + path);
    await page.locator(shows).first().waitFor();
    if (click) await page.locator(click).first().click();
    if (key) await page.keyboard.press(key);
    expect.soft([name, await violations(page)]).toEqual([name, []]);
    expect
      .soft([name, await page.evaluate("document.documentElement.scrollWidth - innerWidth")])
      .toEqual([name, 0]);
    await picture(page, `gallery/${name}`);
  }

  test("nothing is cut off, and nothing violates accessibility, in light and dark, narrow and wide", async () => {
    await makeJobs();
    for (const colorScheme of ["light", "dark"] as const) {
      for (const width of [320, 800, 1600]) {
        const viewport = { width, height: 900 };
        const page = await openPage("about:blank", { colorScheme, viewport, reducedMotion: "reduce" });
        for (const [name, view] of Object.entries(VIEWS))
          await look(page, `${name}-${colorScheme}-${width}`, view);
        await page.context().close();
      }
    }
  }, 600_000);
});
