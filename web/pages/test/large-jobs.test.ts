import { describe, expect, test } from "vitest";
import { Dispatch, StageState } from "@milepost/client";
import { STAGES, startLargeJob } from "./large-job.js";
import { accessible, connected, fits, picture, sharedPages, shows } from "./pages.js";

describe("large jobs", () => {
  const pages = sharedPages();

  test("a thousand stages are folded to those that matter, unfold, and move with their events", async () => {
    const job = await startLargeJob(pages);
    const page = await pages.open("large");
    const rows = page.locator("[role=treeitem]");
    await expect.poll(() => rows.count()).toBe(3);
    await shows(page, "[role=treeitem].rest", "998 more: 399 waiting, 599 done");
    await accessible(page);
    await page.locator("[role=treeitem].rest").click();
    await expect.poll(() => rows.count()).toBe(STAGES + 1);

    for (let current = 1; current <= 9; current++) {
      await job.report({ case: "stageProgressed", value: { stageId: "s600", current } });
    }
    await expect.poll(() => page.getByRole("treeitem", { name: "part 600, running, 90 %" }).count()).toBe(1);
    await page.keyboard.press("Home");
    await page.keyboard.press("j");
    await expect
      .poll(() => page.locator("[role=treeitem][aria-selected=true] .name").innerText())
      .toMatch(/^part 1\b/);
  });

  test("five hundred children are listed, each with a link to its page", async () => {
    await pages.start("parent", { plannedChildren: 500 });
    for (let first = 0; first < 500; first += 50) {
      await Promise.all(
        Array.from({ length: 50 }, (_, n) =>
          pages.submit(`child-${first + n}`, { parentJobId: "parent", dispatch: Dispatch.QUEUE }),
        ),
      );
    }
    const page = await pages.open("parent");
    await page.getByRole("tab", { name: "children" }).click();
    await expect.poll(() => page.locator("[part=children] tbody tr").count()).toBe(500);
    await page.getByRole("link", { name: "child-7", exact: true }).click();
    await shows(page, ".facts", /part of\s*parent/);
  });
});

describe("keys and screen readers", () => {
  const pages = sharedPages();

  test("all of a page works without a mouse, and what a screen reader is told are milestones", async () => {
    const job = await pages.start("keys", {
      stages: [{ stageId: "a", total: 100 }, { stageId: "b" }, { stageId: "b/1", parentStageId: "b" }],
    });
    const page = await pages.open("keys");
    await connected(page, "live");
    await page.evaluate(() => {
      const said: string[] = [];
      Object.assign(globalThis, { said });
      const root = document
        .querySelector("milepost-job-page")
        ?.shadowRoot?.querySelector("milepost-job")?.shadowRoot;
      const region = root?.querySelector("article > [role=status]");
      if (!region) throw new Error("There is no live region.");
      new MutationObserver(() => said.push(region.textContent.trim())).observe(region, {
        characterData: true,
        childList: true,
        subtree: true,
      });
    });
    const bar = page.locator("milepost-job .progress [role=progressbar]");
    await expect.poll(() => bar.getAttribute("aria-valuetext")).toBe("0 %, running");
    await job.report({ case: "stageStarted", value: { stage: { stageId: "a" } } });
    for (let current = 10; current <= 90; current += 10) {
      await job.report({ case: "stageProgressed", value: { stageId: "a", current } });
    }
    await expect.poll(() => bar.getAttribute("aria-valuetext")).toBe("45 %, running");
    await job.report({ case: "stageEnded", value: { stageId: "a", state: StageState.SUCCEEDED } });
    await expect.poll(() => page.evaluate("said.join()")).toMatch(/stage a done/);
    const said = await page.evaluate("said.length");
    expect(said).toBeLessThanOrEqual(3); // up to here: what has been said stays

    for (const key of ["j", "j", "Enter"]) await page.keyboard.press(key);
    await expect.poll(() => page.locator("[role=treeitem]").count()).toBe(3);
    await page.keyboard.press("ArrowDown");
    await expect
      .poll(() => page.locator("[role=treeitem][aria-selected=true]").getAttribute("aria-level"))
      .toBe("2");
    await page.keyboard.press("k");
    await page.keyboard.press("Enter");
    await expect.poll(() => page.locator("[role=treeitem]").count()).toBe(2);
    await page.keyboard.press("f");
    await shows(page, "milepost-log-view .controls", /follow$/);
    await page.keyboard.press("?");
    await shows(page, "milepost-key-help dialog", "cancel the job");
    await page.keyboard.press("Escape");
    await page.locator("milepost-key-help dialog").waitFor({ state: "hidden" });
    await page.keyboard.press("c");
    await shows(page, "milepost-cancel-sheet dialog", "Cancel this job?");
  });
});

describe("every size and scheme", () => {
  const pages = sharedPages();

  test("a page is legible in light and dark, from 320 pixels to wide, without violations of accessibility", async () => {
    const job = await pages.start("looks", {
      owner: "team-a",
      labels: { room: "blue" },
      stages: [
        { stageId: "get", title: "get recording", total: 130e6, unit: "bytes" },
        { stageId: "tracks", title: "transcribe tracks", weight: 8 },
        ...[1, 2, 3].map((n) => ({
          stageId: `t/${n}`,
          parentStageId: "tracks",
          title: `track-${n}`,
          total: 2880,
          unit: "s",
        })),
        { stageId: "merge" },
      ],
    });
    await job.report(
      { case: "stageStarted", value: { stage: { stageId: "get" } } },
      { case: "stageProgressed", value: { stageId: "get", current: 130e6 } },
      { case: "stageEnded", value: { stageId: "get", state: StageState.SUCCEEDED } },
      { case: "stageStarted", value: { stage: { stageId: "tracks" } } },
      { case: "stageStarted", value: { stage: { stageId: "t/1" } } },
      { case: "stageProgressed", value: { stageId: "t/1", current: 1204, message: "chunk 41 of 98" } },
    );
    for (let n = 0; n < 40; n++) await job.log(1, `chunk ${n}, 0.93 confidence`);
    for (const colorScheme of ["light", "dark"] as const) {
      for (const width of [320, 768, 1280, 2200]) {
        const page = await pages.open("looks", {
          colorScheme,
          viewport: { width, height: 900 },
          reducedMotion: "reduce",
        });
        await shows(page, "milepost-log-view .line:last-child", "chunk 39");
        await accessible(page);
        await fits(page);
        await picture(page, `job-${colorScheme}-${width}`);
        if (width === 320) {
          await page.getByRole("tab", { name: "stages" }).click();
          await picture(page, `job-${colorScheme}-${width}-stages`);
          await accessible(page);
        }
        await page.goto(pages.url);
        await shows(page, "milepost-jobs a.row", "transcribe");
        await accessible(page);
        await picture(page, `list-${colorScheme}-${width}`);
        await page.context().close();
      }
    }
  });
});
