import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { connected, sharedPages } from "./pages.js";

const pages = sharedPages();

/** How many animations and transitions run in a page, within all of its elements. */
async function running(page: Page): Promise<number> {
  return page.evaluate(() => {
    const count = (root: Document | ShadowRoot): number =>
      [...root.querySelectorAll("*")].reduce(
        (sum, { shadowRoot }) => sum + (shadowRoot ? count(shadowRoot) : 0),
        root.getAnimations().length,
      );
    return count(document);
  });
}

test("who asks for less motion sees none, and the same bars", async () => {
  const job = await pages.start("moving", { stages: [{ stageId: "a", total: 4 }, { stageId: "b" }] });
  await job.report(
    { case: "stageStarted", value: { stage: { stageId: "a" } } },
    { case: "stageStarted", value: { stage: { stageId: "b" } } },
    { case: "stageProgressed", value: { stageId: "a", current: 1 } },
  );
  const moving = await pages.open("moving");
  const still = await pages.open("moving", { reducedMotion: "reduce" });
  await connected(moving, "live");
  await connected(still, "live");

  // The stage whose end nobody knows moves for everyone else.
  await expect.poll(() => running(moving)).toBeGreaterThan(0);
  await job.report({ case: "stageProgressed", value: { stageId: "a", current: 3 } });
  for (const page of [moving, still]) {
    await expect.poll(() => page.getByRole("treeitem", { name: "a, running, 75 %" }).count()).toBe(1);
  }

  const moved = await running(still);
  expect(moved).toBe(0); // at any time, so also while the others still move
});
