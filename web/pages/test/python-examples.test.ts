import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { JobState } from "@milepost/client";
import { openContext, openPage } from "../../testing/browser.js";
import { type SharedProcess, exampleApplication, exampleWorker } from "../../testing/python.js";
import { sharedServer } from "../../testing/server.js";
import { type WorkedJob, connectWorker } from "../../testing/worker.js";

const TO = 10;
const CANCELLED = { state: JobState.CANCELLED };
const server = sharedServer();

/** The page of a job that was just submitted by a click. */
async function submit(application: SharedProcess): Promise<Page> {
  const page = await openPage(application.url);
  await page.getByRole("button", { name: "Count to ten" }).click();
  await page.waitForURL(/\/jobs\//);
  return page;
}

/** The same, and the job, whose worker is the test, so that it counts no faster than the page is looked at. */
async function submitAndWork(application: SharedProcess): Promise<{ page: Page; job: WorkedJob }> {
  const nextJob = await connectWorker(server.baseUrl, {
    workerId: "w-1",
    kinds: ["count"],
    maxConcurrency: 1,
  });
  const page = await submit(application);
  const job = await nextJob();
  await job.report({ case: "stageStarted", value: { stage: { stageId: "count", total: TO } } });
  return { page, job };
}

async function countTo(job: WorkedJob, current: number): Promise<void> {
  await job.report(
    { case: "logWritten", value: { text: `${current}` } },
    { case: "stageProgressed", value: { stageId: "count", current } },
  );
}

describe("FastAPI with a plain page", () => {
  const application = exampleApplication(server, "fastapi_page");

  test("a job runs, counts, and ends by a click", async () => {
    const { page, job } = await submitAndWork(application);
    await page.getByRole("heading", { name: "RUNNING" }).waitFor();
    await countTo(job, 2);
    await page.getByRole("listitem").filter({ hasText: "2" }).waitFor();
    await expect.poll(() => page.getByRole("progressbar").getAttribute("value")).toBe("0.2");
    await page.getByRole("button", { name: "Cancel" }).click();
    await page.getByRole("heading", { name: "CANCELLING" }).waitFor();
    await job.end(CANCELLED);
    await page.getByRole("heading", { name: "CANCELLED" }).waitFor();
  });

  test("a job counts to its end", async () => {
    const { page, job } = await submitAndWork(application);
    await page.getByRole("heading", { name: "RUNNING" }).waitFor();
    for (let current = 1; current <= TO; current++) await countTo(job, current);
    await job.end();
    await page.getByRole("heading", { name: "SUCCEEDED" }).waitFor();
    await expect.poll(() => page.getByRole("listitem").count()).toBe(TO);
  });

  describe("with the worker of the examples", () => {
    exampleWorker(server);

    test("a job counts to its end", async () => {
      const page = await submit(application);
      await page.getByRole("heading", { name: "SUCCEEDED" }).waitFor();
    });
  });
});

describe.each([
  ["FastHTML with HTMX 2", "fasthtml_htmx"],
  ["Starlette with HTMX 4", "starlette_htmx4"],
  ["Starlette with Datastar", "starlette_datastar"],
])("%s", (_, name) => {
  const application = exampleApplication(server, name);

  test("what the server renders is swapped in, and the stream is closed at its end", async () => {
    const { page, job } = await submitAndWork(application);
    await countTo(job, 3);
    await page.getByText(/^count: 3$/).waitFor();
    let streams = 0; // after the first, which the count has come by
    page.on("request", (request) => (streams += Number(new URL(request.url()).pathname.endsWith("/events"))));
    const rendered = await page.locator("main > div").innerText();
    expect(rendered).not.toMatch(/[[\],]/); // at any time once the count is there
    // HTMX lets a button do something only a while after it has put it in.
    await expect
      .poll(async () => {
        await page.getByRole("button", { name: "Cancel" }).click();
        return page.getByRole("heading", { name: "CANCELLING" }).count();
      })
      .toBe(1);
    await job.end(CANCELLED);
    await page.getByRole("heading", { name: "CANCELLED" }).waitFor();
    await page.getByRole("button", { name: "Cancel" }).waitFor({ state: "detached" });
    // It would come back after half a second at most.
    await page.waitForTimeout(1_000);
    expect(streams).toBe(0);
  });

  test("an address is no code", async () => {
    const page = await openPage(application.url);
    const streams = ["fetch", "eventsource"];
    const answered = page.waitForResponse((response) => streams.includes(response.request().resourceType()));
    await page.goto(`${application.url}/jobs/${encodeURIComponent("x');window.found=1;('")}`);
    await answered;
    const isFound = await page.evaluate(() => "found" in globalThis);
    expect(isFound).toBe(false); // the stream is opened by what would have been run
  });
});

describe("Jinja with an element", () => {
  const application = exampleApplication(server, "jinja_elements");

  test("the element shows the job to its end", async () => {
    const { page, job: work } = await submitAndWork(application);
    const job = page.locator("milepost-job");
    await job.getByText("running", { exact: false }).first().waitFor();
    await work.end();
    await job.getByText("succeeded", { exact: false }).first().waitFor();
  });

  test("the pages work below the path that they are mounted at, and ask for nothing outside of it", async () => {
    const submitted = await submitAndWork(application);
    const { jobId } = submitted.job.job;
    const context = await openContext();
    const asked: string[] = [];
    context.on("request", (request) => asked.push(request.url()));
    const failed: string[] = [];
    context.on("response", (response) => {
      // Nor for what the application refuses: it shows nobody the history of a kind, nor who works.
      if (response.status() >= 400) failed.push(response.url());
    });
    const page = await context.newPage();
    await page.goto(`${application.url}/milepost/`);
    await page.locator(`milepost-jobs a.row[href$="/milepost/jobs/${jobId}"]`).click();
    await page.getByRole("button", { name: "Cancel…" }).click();
    await page.getByRole("button", { name: "Cancel the job" }).click();
    await page.locator("[part=state]", { hasText: "cancelling" }).waitFor();
    await submitted.job.end(CANCELLED);
    await page.locator("[part=state]", { hasText: "cancelled" }).waitFor();
    await expect.poll(() => new URL(page.url()).pathname).toBe(`/milepost/jobs/${jobId}`);
    await page.getByRole("link", { name: "milepost" }).click();
    await page.locator("milepost-jobs a.row").first().waitFor();
    expect(asked.filter((url) => !url.startsWith(`${application.url}/milepost/`))).toEqual([]);
    expect(failed).toEqual([]);
  });
});
