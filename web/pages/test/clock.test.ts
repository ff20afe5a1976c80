import { expect, test } from "vitest";
import { connected, sharedPages } from "./pages.js";

const pages = sharedPages();

test("durations go by the server's clock, however wrong the browser's is", async () => {
  await pages.start("clock");
  const page = await pages.open("clock");
  await connected(page, "live");
  await page.addInitScript(() => {
    const { now } = Date;
    Date.now = () => now() + 3 * 3600 * 1000;
  });
  await page.reload();
  await connected(page, "live");
  await expect.poll(() => page.locator("[part=elapsed]").innerText()).toMatch(/^\d\d:\d\d since it started/); // no hours
});
