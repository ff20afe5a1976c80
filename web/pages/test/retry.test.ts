import { create, toJson } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import type { Page } from "playwright-core";
import { describe, expect, onTestFinished, test } from "vitest";
import { Dispatch, type Job, JobSchema, JobService, JobState } from "@milepost/client";
import { Server } from "../../testing/server.js";
import { TokenFile } from "../../testing/token-file.js";
import { connectWorker } from "../../testing/worker.js";
import { Pages, accessible, fits, picture, sharedPages, shows } from "./pages.js";

const RETRY = { name: "Retry…" };
const AGAIN = { name: "Submit it again" };
const failure = { code: "X", message: "It broke." };

/** What a job was to do, without what became of it. */
const TASK = new Set(
  [
    "kind",
    "owner",
    "labels",
    "input",
    "timeout",
    "attemptTimeout",
    "retryPolicy",
    "priority",
    "dispatch",
  ].concat([
    "concurrencyKey",
    "concurrencyLimit",
    "workload",
    "workloadUnit",
    "plannedChildren",
    "parentJobId",
  ]),
);

function taskOf(job: Job | undefined): unknown {
  const fields = Object.entries(toJson(JobSchema, job ?? create(JobSchema)) as object);
  const stages = job?.stages.map(({ stageId, title, total }) => [stageId, title, total]);
  return { ...Object.fromEntries(fields.filter(([name]) => TASK.has(name))), stages };
}

function jobIdOf(page: Page): string {
  return new URL(page.url()).pathname.split("/").at(-1) ?? "";
}

describe("a job that did not succeed", () => {
  const pages = sharedPages();
  const jobOf = async (jobId: string) => (await pages.service.getJob({ jobId })).job;
  const parentOf = async (page: Page) => (await jobOf(jobIdOf(page)))?.parentJobId;

  test("it is submitted again as it was submitted, once, and the page of the other job opens", async () => {
    const next = await connectWorker(pages.server.baseUrl, {
      workerId: "w",
      kinds: ["retry"],
      maxConcurrency: 1,
    });
    await pages.submit("broken", {
      kind: "retry",
      dispatch: Dispatch.QUEUE,
      owner: "ann",
      labels: { room: "blue" },
      input: { file: "a.wav", parts: [1, { deep: true }] },
      stages: [{ stageId: "get", title: "get it", total: 4 }, { stageId: "put" }],
      timeout: { seconds: 3600n },
      attemptTimeout: { seconds: 1800n },
      retryPolicy: { maxAttempts: 1, finalCodes: ["X"] },
      priority: 7,
      concurrencyKey: "room-blue",
      concurrencyLimit: 2,
      workload: 12,
      workloadUnit: "MB",
    });
    const submitted = await jobOf("broken");
    const work = await next();
    const page = await pages.open("broken");
    await shows(page, "[part=state]", "running");
    await expect.poll(() => page.getByRole("button", RETRY).count()).toBe(0);
    await work.report({
      case: "stagesPlanned",
      value: { stages: [{ stageId: "other" }], plannedChildren: 3 },
    });
    await work.end({ state: JobState.FAILED, failure });
    await page.getByRole("button", RETRY).click();
    await shows(page, "milepost-retry-sheet dialog", /Another retry is submitted as this one was/);
    await accessible(page);
    await picture(page, "retry-sheet");

    // The answer to the first submission is lost: the second one finds the job that the first one made.
    const answered = new Promise<void>((resolve) => {
      const lose = page.route(
        "**/SubmitJob",
        async (route) => {
          await route.fetch();
          await route.abort();
          resolve();
        },
        { times: 1 },
      );
      void lose.then(() => page.getByRole("button", AGAIN).click());
    });
    await answered;
    await shows(page, "milepost-retry-sheet [role=alert]", /cannot be reached/);
    await page.keyboard.press("r"); // the question is open already
    await shows(page, "milepost-retry-sheet [role=alert]", /cannot be reached/);
    await page.getByRole("button", { name: "Close" }).click();
    await page.getByRole("button", RETRY).click();
    await page.getByRole("button", AGAIN).click();
    await expect.poll(() => jobIdOf(page)).not.toBe("broken");
    await shows(page, "h1", "retry");
    const other = await jobOf(jobIdOf(page));
    expect(taskOf(other)).toStrictEqual(taskOf(submitted));
    const listed = await pages.service.listJobs({ filter: { kinds: ["retry"] } });
    expect(listed.jobs.length).toBe(2);
  });

  test("a child whose parent has ended is submitted without one, and the question says so", async () => {
    const queue = { dispatch: Dispatch.QUEUE };
    for (const name of ["open", "ended"]) {
      await pages.submit(`${name}-parent`, queue);
      await pages.submit(`${name}-child`, { ...queue, kind: "orphan", parentJobId: `${name}-parent` });
      await pages.service.cancelJob({ jobId: `${name}-child` });
    }
    await pages.service.cancelJob({ jobId: "ended-parent" });
    const page = await pages.open("ended-child", { viewport: { width: 320, height: 700 } });
    await shows(page, "[part=state]", "cancelled");
    await page.keyboard.press("r");
    await shows(page, "milepost-retry-sheet dialog", /takes no more children/);
    await fits(page);
    await page.getByRole("button", AGAIN).click();
    await expect.poll(() => jobIdOf(page)).not.toBe("ended-child");
    await expect.poll(() => parentOf(page)).toBe("");

    await page.goto(`${pages.url}jobs/open-child`);
    await page.getByRole("button", RETRY).click();
    await page.getByRole("button", AGAIN).click();
    await expect.poll(() => jobIdOf(page)).not.toBe("open-child");
    await expect.poll(() => parentOf(page)).toBe("open-parent");
  });

  test("what another engine runs, and what succeeded, is not offered", async () => {
    const external = await pages.start("external");
    await external.end({ state: JobState.FAILED, failure });
    const page = await pages.open("external");
    await shows(page, "[part=ending]", "It broke.");
    await expect.poll(() => page.getByRole("button", RETRY).count()).toBe(0);
    await page.keyboard.press("r");
    await expect.poll(() => page.locator("milepost-retry-sheet dialog[open]").count()).toBe(0);
  });
});

test("who may not submit is not offered to", async () => {
  const server = new Server(["--http", "127.0.0.1:0"]);
  const tokens = new TokenFile(server);
  await tokens.create("ann", "ben");
  await tokens.restrict("ben", "read");
  await server.start();
  onTestFinished(() => server.dispose());
  const pages = new Pages(server);
  const service = createClient(JobService, createGrpcTransport({ baseUrl: server.baseUrl }));
  const headers = { Authorization: `Bearer ${tokens.token("ann")}` };
  await service.submitJob({ jobId: "mine", kind: "transcribe" }, { headers });
  await service.cancelJob({ jobId: "mine" }, { headers });
  for (const [who, offered] of [
    ["ann", 1],
    ["ben", 0],
  ] as const) {
    const page = await pages.open("mine");
    await page.getByLabel("token").fill(tokens.token(who));
    await page.keyboard.press("Enter");
    await shows(page, "[part=state]", "cancelled");
    await shows(page, "nav button", "Share…"); // it is known who it is
    await expect.poll(() => page.getByRole("button", RETRY).count()).toBe(offered);
  }
});
