import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { openContext } from "../../testing/browser.js";
import { connected, sharedPages } from "./pages.js";

const pages = sharedPages();

const COPIES = "milepost-copy";

/** Note in `said` what the copy buttons of a page say, which is not there for long. */
async function listen(page: Page): Promise<void> {
  await page.locator(COPIES).evaluateAll((buttons) => {
    const said: string[] = [];
    Object.assign(globalThis, { said });
    for (const { shadowRoot } of buttons) {
      const status = shadowRoot?.querySelector("[role=status]");
      if (!status) throw new Error("There is no status.");
      const options = { characterData: true, childList: true, subtree: true };
      new MutationObserver(() => said.push(status.textContent)).observe(status, options);
    }
  });
}

test("each copy button puts what it names into the clipboard, and says so", async () => {
  await pages.start("copied", { owner: "ann" });
  const context = await openContext({ permissions: ["clipboard-read", "clipboard-write"] });
  const page = await context.newPage();
  await page.goto(`${pages.url}jobs/copied`);
  await connected(page, "live");
  const title = () => page.locator("[title^=cursor]").getAttribute("title");
  await expect.poll(title).toMatch(/^cursor [0-9a-f]{32}\.[0-9a-f]+:2$/);
  const cursor = (await title())?.slice("cursor ".length);
  const buttons = page.locator(`${COPIES} button`);
  await expect.poll(() => buttons.count()).toBe(3);
  await listen(page);

  const found: Record<string, string> = {};
  for (const button of await buttons.all()) {
    await page.evaluate("said.length = 0; navigator.clipboard.writeText('nothing yet')");
    await button.click();
    await expect.poll(() => page.evaluate("navigator.clipboard.readText()")).not.toBe("nothing yet");
    // What it says goes away again.
    await expect.poll(() => page.evaluate("said")).toEqual(["copied", ""]);
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

  const buttons = page.locator(`${COPIES} button`);
  await expect.poll(() => buttons.count()).toBe(3); // or another one becomes the first
  await listen(page);
  await buttons.first().click();

  await expect.poll(() => page.evaluate("said")).toEqual(["The browser does not allow copying.", ""]);
});
