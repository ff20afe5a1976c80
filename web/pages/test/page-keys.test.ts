import type { Locator } from "playwright-core";
import { expect, test } from "vitest";
import { connected, sharedPages, shows } from "./pages.js";

const pages = sharedPages();

/** Press a key on an element; returns whether the browser does with it what it always does. */
async function isLeftToBrowser(element: Locator, key: { key: string; altKey?: boolean }): Promise<boolean> {
  return element.evaluate(
    (target, init) =>
      target.dispatchEvent(
        new KeyboardEvent("keydown", { ...init, bubbles: true, composed: true, cancelable: true }),
      ),
    key,
  );
}

test("while a dialog is open, keys do nothing to what is behind it", async () => {
  await pages.start("behind");
  const page = await pages.open("behind");
  await connected(page, "live");
  await page.keyboard.press("?");
  await page.locator("milepost-key-help dialog[open]").waitFor();
  for (const key of ["c", "g", "l"]) await page.keyboard.press(key);
  await page.keyboard.press("?");
  await page.locator("milepost-key-help dialog").waitFor({ state: "hidden" });
  const cancels = await page.locator("milepost-cancel-sheet dialog[open]").count();

  expect([cancels, page.url()]).toEqual([0, `${pages.url}jobs/behind`]);
  await page.keyboard.press("c");
  await shows(page, "milepost-cancel-sheet dialog", "Cancel this job?");
});

test("arrows, Home and End choose a tab; with Alt an arrow goes back to the page before", async () => {
  await pages.start("tabs", { stages: [{ stageId: "a" }, { stageId: "a/1", parentStageId: "a" }] });
  const page = await pages.open("tabs");
  const chosen = page.locator("[role=tab][aria-selected=true]");
  await page.getByRole("tab", { name: "log" }).focus();
  for (const [key, name] of [
    ["End", "raw"],
    ["ArrowRight", "log"],
    ["ArrowLeft", "raw"],
    ["Home", "log"],
  ] as const) {
    await page.keyboard.press(key);
    await expect.poll(() => chosen.innerText()).toBe(name);
  }

  const tree = page.getByRole("tree");
  const left: boolean[] = [];
  for (const key of ["ArrowLeft", "Home"])
    for (const element of [chosen, tree]) left.push(await isLeftToBrowser(element, { key, altKey: true }));
  expect(left).toEqual([true, true, true, true]);
  await expect.poll(() => chosen.innerText()).toBe("log");
});
