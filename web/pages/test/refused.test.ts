/** What a page says in the place of what the server refuses to it. */
import { create, toBinary } from "@bufbuild/protobuf";
import { type Job, WatchJobResponseSchema } from "@milepost/client";
import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { hostPage } from "./host-page.js";
import { accessible, connected, openContext, openPage, picture, sharedPages, shows } from "./pages.js";

/** A message of a stream of Connect; the last one has the flag 2. */
function framed(message: Uint8Array, flag = 0): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt8(flag);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** A stream that has brought the job, and then is refused. */
function brokenOff(job: Job): Buffer {
  const { epoch, lastSequence } = job;
  const opened = { epoch, cursor: lastSequence, headSequence: lastSequence + 1n };
  const frames = [
    create(WatchJobResponseSchema, { frame: { case: "opened", value: opened } }),
    create(WatchJobResponseSchema, { frame: { case: "snapshot", value: { job } } }),
  ];
  const end = JSON.stringify({ error: { code: "permission_denied", message: "not any more" } });
  return Buffer.concat([
    ...frames.map((frame) => framed(toBinary(WatchJobResponseSchema, frame))),
    framed(Buffer.from(end), 2),
  ]);
}

describe("what the server refuses", () => {
  const pages = sharedPages();

  /** Refuse calls and streams of a method to the page. */
  async function refuse(page: Page, method: string): Promise<void> {
    await page.route(`**/milepost.v1.JobService/${method}`, (route) => route.fulfill({ status: 403 }));
  }

  test("each element says so in its place", async () => {
    await pages.start("refused");
    const host = await hostPage(
      pages.url,
      `<milepost-job job-id="refused"></milepost-job><milepost-jobs></milepost-jobs>
      <p style="width: 200px"><milepost-progress job-id="refused"></milepost-progress></p>`,
    );
    const page = await (await openContext()).newPage();
    await refuse(page, "Watch*");
    await page.goto(`${host.baseUrl}/host`);
    await shows(page, "milepost-job .notice", /^refused cannot be shown: ./);
    await shows(page, "milepost-jobs .notice", /The jobs cannot be shown: ./);
    await shows(page, "milepost-progress span", /^cannot be shown: ./);
    await accessible(page);
    await picture(page, "refused-elements");
  });

  test("the page of a job says which job it would be", async () => {
    await pages.start("named");
    const page = await (await openContext()).newPage();
    await refuse(page, "WatchJob");
    await page.goto(`${pages.url}jobs/named`);
    await connected(page, /^refused/);
    await shows(page, "nav a.crumb", "named");
    await shows(page, "milepost-job .notice", /^named cannot be shown: ./);
    await picture(page, "refused-job");
  });

  test("a list that is followed again, and refused, does not say that further jobs are being loaded", async () => {
    await pages.start("before");
    const host = await hostPage(pages.url, "<milepost-jobs></milepost-jobs>");
    const page = await openPage(`${host.baseUrl}/host`);
    await shows(page, "milepost-jobs a.row", "before");
    await page.evaluate(() => {
      const list = document.querySelector("milepost-jobs");
      list?.remove();
      Object.assign(globalThis, { list });
    });
    await expect.poll(() => host.countOpen("/WatchJobs")).toBe(0);
    await refuse(page, "WatchJobs");
    await page.evaluate(() => {
      document.querySelector("main")?.append((globalThis as unknown as { list: Element }).list);
    });
    await shows(page, "milepost-jobs .notice", /^Further jobs cannot be shown: ./);
    await shows(page, "milepost-jobs a.row", "before");
  });

  test("a log whose stream broke off before its newest event says so", async () => {
    await pages.start("broken-off");
    const { job } = await pages.service.getJob({ jobId: "broken-off" });
    if (!job) throw new Error("There is no job.");
    const page = await (await openContext()).newPage();
    let streams = 0;
    await page.route("**/milepost.v1.JobService/WatchJob", (route) =>
      ++streams > 1
        ? route.continue()
        : route.fulfill({ contentType: "application/connect+proto", body: brokenOff(job) }),
    );
    await page.goto(`${pages.url}jobs/broken-off`);
    await shows(page, "milepost-log-view .notice", "The newest lines cannot be shown: not any more");
  });
});
