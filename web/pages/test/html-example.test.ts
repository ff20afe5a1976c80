import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { openPage } from "../../testing/browser.js";
import { startHttpProxy } from "../../testing/http-proxy.js";
import { inRepository } from "../../testing/repository.js";

import { accessible, shows, startPages } from "./pages.js";

test("a plain page of another site shows jobs, in its own colours, once the server allows its origin", async () => {
  const site = await startHttpProxy("http://127.0.0.1:1"); // nothing is behind it
  const pages = await startPages("--http-allow-origin", site.baseUrl);
  const html = readFileSync(inRepository("examples/html/page.html"), "utf8");
  site.pages["/"] = {
    type: "text/html",
    body: html.replaceAll("http://127.0.0.1:7080", pages.server.httpUrl),
  };
  const job = await pages.start("packed", { kind: "archive", stages: [{ stageId: "scan", total: 2 }] });
  await pages.start("elsewhere", { kind: "render" });

  const page = await openPage(`${site.baseUrl}/`);
  await expect.poll(() => page.locator("milepost-jobs a.row").allInnerTexts()).toHaveLength(1);
  await page.locator("milepost-jobs a.row").click();
  await shows(page, "milepost-job [part=state]", "running");
  await expect.poll(() => page.url()).toBe(`${site.baseUrl}/`);
  await job.report(
    { case: "stageStarted", value: { stage: { stageId: "scan" } } },
    { case: "stageProgressed", value: { stageId: "scan", current: 1 } },
    { case: "logWritten", value: { text: "half of it" } },
  );
  await shows(page, "milepost-job .line", "half of it");
  await expect.poll(() => page.title()).toBe("50 %");
  // What loads on demand comes from where the elements came from.
  await page.locator("milepost-job").evaluate((element) => {
    element.setAttribute("log", "full");
  });
  await page.getByRole("tab", { name: "events" }).click();
  await shows(page, "milepost-events-view .row", /^1\s/);
  await accessible(page);
  await job.end();
  await shows(page, "#news", "Job packed has ended.");
});
