import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { openContext, openPage } from "../../testing/browser.js";
import { type PythonProcess, exampleApplication, exampleWorker } from "../../testing/python.js";
import { sharedServer } from "../../testing/server.js";

const server = sharedServer();
exampleWorker(server);

/** The page of a job that was just submitted by a click. */
async function submit(application: PythonProcess): Promise<Page> {
  const page = await openPage(application.url);
  await page.getByRole("button", { name: "Count to ten" }).click();
  await page.waitForURL(/\/jobs\//);
  return page;
}

describe("FastAPI with a plain page", () => {
  const application = exampleApplication(server, "fastapi_page");

  test("a job runs, counts, and ends by a click", async () => {
    const page = await submit(application);
    await page.getByRole("heading", { name: "RUNNING" }).waitFor();
    await page.getByRole("listitem").filter({ hasText: "2" }).waitFor();
    expect(await page.getByRole("progressbar").getAttribute("value")).not.toBe("0");
    await page.getByRole("button", { name: "Cancel" }).click();
    await page.getByRole("heading", { name: "CANCELLED" }).waitFor();
  });

  test("a job counts to its end", async () => {
    const page = await submit(application);
    await page.getByRole("heading", { name: "SUCCEEDED" }).waitFor();
    expect(await page.getByRole("listitem").count()).toBe(10);
  });
});

describe.each([
  ["FastHTML with HTMX 2", "fasthtml_htmx"],
  ["Starlette with HTMX 4", "starlette_htmx4"],
  ["Starlette with Datastar", "starlette_datastar"],
])("%s", (_, name) => {
  const application = exampleApplication(server, name);

  test("what the server renders is swapped in, and the stream is closed at its end", async () => {
    const page = await submit(application);
    await page.getByText(/^count: [1-9]$/).waitFor();
    let streams = 0; // after the first, which the count has come by
    page.on("request", (request) => (streams += Number(new URL(request.url()).pathname.endsWith("/events"))));
    expect(await page.locator("main > div").innerText()).not.toMatch(/[[\],]/);
    await page.getByRole("button", { name: "Cancel" }).click();
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
    expect(await page.evaluate(() => "found" in globalThis)).toBe(false);
  });
});

describe("Jinja with an element", () => {
  const application = exampleApplication(server, "jinja_elements");

  test("the element shows the job to its end", async () => {
    const page = await submit(application);
    const job = page.locator("milepost-job");
    await job.getByText("running", { exact: false }).first().waitFor();
    await job.getByText("succeeded", { exact: false }).first().waitFor();
  });

  test("the pages work below the path that they are mounted at, and ask for nothing outside of it", async () => {
    const jobId = new URL((await submit(application)).url()).pathname.split("/").at(-1) ?? "";
    const context = await openContext();
    const asked: string[] = [];
    context.on("request", (request) => asked.push(request.url()));
    const failed: string[] = [];
    context.on("response", (response) => {
      // This application shows nobody the history of a kind, nor who works.
      if (response.status() >= 400 && !/\/(GetHistory|ListWorkers)$/.test(response.url()))
        failed.push(response.url());
    });
    const page = await context.newPage();
    await page.goto(`${application.url}/milepost/`);
    await page.locator(`milepost-jobs a.row[href$="/milepost/jobs/${jobId}"]`).click();
    await page.getByRole("button", { name: "Cancel…" }).click();
    await page.getByRole("button", { name: "Cancel the job" }).click();
    await page.locator("[part=state]", { hasText: "cancelled" }).waitFor();
    expect(new URL(page.url()).pathname).toBe(`/milepost/jobs/${jobId}`);
    await page.getByRole("link", { name: "milepost" }).click();
    await page.locator("milepost-jobs a.row").first().waitFor();
    expect(asked.filter((url) => !url.startsWith(`${application.url}/milepost/`))).toEqual([]);
    expect(failed).toEqual([]);
  });
});
