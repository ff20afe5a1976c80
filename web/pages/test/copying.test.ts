import { expect, test } from "vitest";
import { openContext } from "../../testing/browser.js";
import { connected, sharedPages, shows } from "./pages.js";

const pages = sharedPages();

const COPIES = "milepost-copy";

test("each copy button puts what it names into the clipboard, and says so", async () => {
  await pages.start("copied", { owner: "ann" });
  const context = await openContext({ permissions: ["clipboard-read", "clipboard-write"] });
  const page = await context.newPage();
  await page.goto(`${pages.url}jobs/copied`);
  await connected(page, "live");
  const cursor = (await page.locator("[title^=cursor]").getAttribute("title"))?.slice("cursor ".length);
  expect(cursor).toMatch(/^[0-9a-f]{32}\.[0-9a-f]+:2$/);

  const found: Record<string, string> = {};
  for (const button of await page.locator(`${COPIES} button`).all()) {
    await page.evaluate("navigator.clipboard.writeText('nothing yet')");
    await button.click();
    await expect.poll(() => page.evaluate("navigator.clipboard.readText()")).not.toBe("nothing yet");
    await shows(page, `${COPIES} [role=status]:not(.hidden-text)`, "copied");
    await expect.poll(() => page.locator(`${COPIES} [role=status]:not(.hidden-text)`).count()).toBe(0);
    found[(await button.getAttribute("aria-label")) ?? ""] = String(
      await page.evaluate("navigator.clipboard.readText()"),
    );
  }

  expect(found).toEqual({
    "copy the cursor of the newest event": cursor,
    "copy the command that shows this job in a terminal": "milepost watch copied",
    "copy the job's id": "copied",
  });
});

test("where the browser allows no copying, the button says that", async () => {
  await pages.start("kept");
  const context = await openContext();
  await context.addInitScript(() => {
    Object.defineProperty(navigator, "clipboard", { value: undefined });
  });
  const page = await context.newPage();
  await page.goto(`${pages.url}jobs/kept`);
  await connected(page, "live");

  await page.locator(`${COPIES} button`).first().click();

  await shows(page, `${COPIES} [role=status]:not(.hidden-text)`, "The browser does not allow copying.");
});
