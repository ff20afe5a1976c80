import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { Dispatch, JobState } from "@milepost/client";
import { accessible, connected, fits, openPage, picture, sharedPages, shows, startPages } from "./pages.js";

const ROWS = "milepost-jobs a.row";

async function groups(page: Page): Promise<string[]> {
  return (await page.locator(".group").allInnerTexts()).map((text) => text.replace(/\s+/g, " "));
}

describe("the list of jobs", () => {
  const pages = sharedPages();

  test("jobs are live in it, in groups, with totals by state", async () => {
    const page = await pages.openList();
    await connected(page, "live");
    const job = await pages.start("one", {
      stages: [{ stageId: "a", total: 4 }],
      owner: "ann",
      labels: { room: "blue" },
    });
    await pages.submit("two", { dispatch: Dispatch.QUEUE, kind: "render" });
    await shows(page, ".totals", /1 queued.*1 running/s);
    await expect.poll(() => page.locator(ROWS).count()).toBe(2);
    await job.report(
      { case: "stageStarted", value: { stage: { stageId: "a" } } },
      { case: "stageProgressed", value: { stageId: "a", current: 3 } },
    );
    await shows(page, ROWS, /running\s+transcribe\s*one\s+ann\s+75 %/);
    await expect.poll(() => groups(page)).toEqual(["running 1", "waiting 1"]);
    await accessible(page);
    await picture(page, "list-light");
    await job.end({ state: JobState.FAILED, failure: { code: "X", message: "It broke." } });
    await expect.poll(() => groups(page)).toEqual(["waiting 1", "ended today 1"]);
    await shows(page, ".group:last-child, .rows > :last-child", "It broke.");
  });

  test("a job that the search names opens like one that is clicked, unless the page prevents that", async () => {
    await pages.submit("wanted");
    const page = await pages.openList();
    await connected(page, "live");
    await page.evaluate(() => {
      document.addEventListener("milepost-open", (event) => {
        document.title = `opens ${(event as CustomEvent<{ jobId: string }>).detail.jobId}`;
        if (document.body.dataset["prevents"] === "yes") event.preventDefault();
      });
      document.body.dataset["prevents"] = "yes";
    });
    const search = page.getByRole("searchbox", { name: "search by id, kind, owner or label" });
    await search.fill("wanted");
    await search.press("Enter");
    await expect.poll(() => page.title()).toBe("opens wanted");
    await page.evaluate(() => (document.body.dataset["prevents"] = "no"));
    await search.press("Enter");
    await expect.poll(() => new URL(page.url()).pathname).toBe("/jobs/wanted");
  });

  test("its filter stands in the address, and an address shows its filter", async () => {
    for (const kind of ["alpha", "beta"]) {
      for (const owner of ["ann", "ben"]) {
        await pages.submit(`${kind}-${owner}`, {
          kind,
          owner,
          labels: { of: owner },
          dispatch: Dispatch.QUEUE,
        });
      }
    }
    const page = await pages.openList("?kind=alpha");
    const ids = async () => (await page.locator(`${ROWS} .id`).allInnerTexts()).sort();
    await expect.poll(ids).toEqual(["alpha-ann", "alpha-ben"]);
    await page.getByLabel("owner", { exact: true }).fill("ben");
    await page.getByLabel("owner", { exact: true }).press("Enter");
    await expect.poll(ids).toEqual(["alpha-ben"]);
    await expect.poll(() => new URL(page.url()).search).toBe("?kind=alpha&owner=ben");
    await page.getByRole("button", { name: /running/ }).click();
    await shows(page, "milepost-jobs .notice", "no jobs that match");
    await expect.poll(() => new URL(page.url()).search).toBe("?state=running&kind=alpha&owner=ben");

    await page.goto(`${pages.url}?q=beta&label=of%3Dann`);
    await expect.poll(ids).toEqual(["beta-ann"]);
    await page.keyboard.press("/");
    await page.keyboard.press("Control+a");
    await page.keyboard.type("alpha-ben");
    await page.keyboard.press("Enter");
    await shows(page, "h1", "alpha");
    await expect.poll(() => page.url()).toBe(`${pages.url}jobs/alpha-ben`);
  });

  test("rows of queued jobs say what these wait for, by one call for all of them", async () => {
    const page = await pages.openList("?kind=wait");
    await shows(page, "milepost-jobs .notice", "no jobs that match");
    /** The jobs that each call asks for. */
    const calls: string[] = [];
    const answers: string[] = [];
    page.on("request", (request) => {
      const method = /JobService\/(GetJob|ListJobs)$/.exec(request.url())?.[1];
      const jobIds = (request.postData() ?? "").match(/wait-\d/g) ?? [];
      if (method) calls.push([method, ...jobIds.sort()].join(" "));
    });
    page.on("response", (response) => {
      // One that comes as the page closes has no text any more.
      if (response.url().endsWith("/ListJobs"))
        response.text().then(
          (text) => answers.push(text),
          () => undefined,
        );
    });
    for (let n = 0; n < 8; n++) {
      await pages.submit(`wait-${n}`, {
        kind: "wait",
        dispatch: n === 0 ? Dispatch.EXTERNAL : Dispatch.QUEUE,
        input: { secret: "in the jobs themselves" },
      });
    }
    const notes = () => page.locator(`${ROWS} .note`).allInnerTexts();
    await expect
      .poll(notes)
      .toEqual([...Array<string>(7).fill("no worker takes wait"), "waits to be claimed"]);
    // The rows come one by one, so that the first calls may ask for fewer of them.
    expect(calls.filter((call) => call.startsWith("GetJob"))).toEqual([]);
    expect(calls.at(-1)).toBe(`ListJobs ${Array.from({ length: 8 }, (_, n) => `wait-${n}`).join(" ")}`);
    // The page has the jobs, so the answers do not.
    await expect.poll(() => answers.length).toBeGreaterThan(0);
    expect(answers.filter((text) => text.includes("in the jobs themselves"))).toEqual([]);
    await accessible(page);
    await page.setViewportSize({ width: 320, height: 640 });
    await expect.poll(() => page.locator(`${ROWS} .note:visible`).count()).toBe(8);
    await fits(page);
  });

  test("with the keyboard a job is chosen and opened, and the list is found again", async () => {
    await pages.submit("keys", { kind: "keys", dispatch: Dispatch.QUEUE });
    const page = await pages.openList("?kind=keys");
    await expect.poll(() => page.locator(ROWS).count()).toBe(1);
    await page.keyboard.press("?");
    await shows(page, "milepost-key-help dialog", /next stage or job/);
    // What only the page of a job does is not offered here.
    await expect
      .poll(() => page.locator("milepost-key-help dt").allInnerTexts())
      .toEqual(["/", "j", "k", "Enter", "?", "Escape"]);
    await accessible(page);
    await page.keyboard.press("Escape");
    await page.locator("milepost-key-help dialog").waitFor({ state: "hidden" });
    await page.keyboard.press("j");
    await expect.poll(() => page.locator(`${ROWS}.selected`).getAttribute("aria-current")).toBe("true");
    await page.keyboard.press("?");
    const help = page.locator("milepost-key-help dialog");
    await help.waitFor();
    // A key may come before the browser has taken the focus from what it hides.
    await help.evaluate((dialog: HTMLDialogElement) => {
      dialog.close();
      const key = { key: "Enter", bubbles: true, composed: true, cancelable: true };
      dialog.querySelector("button")?.dispatchEvent(new KeyboardEvent("keydown", key));
    });
    await shows(page, "h1", "keys");
    // On a busy machine more time may pass between the two than a sequence has.
    await expect
      .poll(async () => {
        await page.keyboard.press("g");
        await page.keyboard.press("l");
        return page.url();
      })
      .toBe(pages.url);
    await shows(page, ".totals", "queued");
  });

  test("nothing moves under the pointer until it leaves", async () => {
    const page = await pages.openList("?kind=calm");
    await pages.submit("calm-1", { kind: "calm", dispatch: Dispatch.QUEUE });
    await expect.poll(() => page.locator(ROWS).count()).toBe(1);
    await page.locator(ROWS).hover();
    await pages.submit("calm-2", { kind: "calm", dispatch: Dispatch.QUEUE });
    await shows(page, ".news", "show changes");
    const rows = await page.locator(ROWS).count();
    expect(rows).toBe(1); // at any time until the pointer leaves
    await page.mouse.move(5, 5);
    await expect.poll(() => page.locator(`${ROWS} .id`).allInnerTexts()).toEqual(["calm-2", "calm-1"]);
  });

  test("states whose jobs could not be loaded have no number", async () => {
    const page = await openPage("about:blank");
    await page.route("**/ListJobs*", (route) => route.abort());
    await page.goto(`${pages.url}?kind=unloaded`);
    await shows(page, "milepost-jobs [role=alert]", "could not be loaded");
    await expect
      .poll(() => page.locator(".totals button").allInnerTexts())
      .toEqual(["queued", "running", "cancelling", "succeeded", "failed", "cancelled", "lost"]);
  });

  test("in a narrow list each job has the end of its id, and states that no job is in go away", async () => {
    await pages.submit("narrow-0001", { kind: "narrow.of.a.long.name", dispatch: Dispatch.QUEUE });
    await pages.submit("narrow-0002", {
      kind: "narrow.of.a.long.name",
      dispatch: Dispatch.QUEUE,
      parentJobId: "narrow-0001",
    });
    const page = await pages.openList("?kind=narrow.of.a.long.name", {
      viewport: { width: 320, height: 640 },
    });
    await expect.poll(() => page.locator(`${ROWS} .id`).allInnerTexts()).toEqual(["0001", "0002"]);
    // The child stands below its parent, and says so.
    await expect.poll(() => page.locator(`${ROWS} .child`).getAttribute("title")).toBe("part of narrow-0001");
    // The totals are complete once all states are loaded, which is after the rows.
    await expect.poll(() => page.locator(".totals button:visible").allInnerTexts()).toEqual(["2 queued"]);
    // A kind that fits beside a short id is whole, also in a row with a bar.
    const running = await pages.start("short", { kind: "transcribe", owner: "narrow" });
    const beside = await pages.openList("?owner=narrow", { viewport: { width: 320, height: 640 } });
    await expect.poll(() => beside.locator(`${ROWS} .kind`).count()).toBe(1);
    const cut = () => beside.locator(`${ROWS} .kind`).evaluate((kind) => kind.scrollWidth - kind.clientWidth);
    await expect.poll(cut).toBe(0);
    // The word of its state has no room, but is still read out; a page of 1,280 pixels at 200 % has 640.
    await expect.poll(() => beside.getByRole("link", { name: /^running transcribe/ }).count()).toBe(1);
    await beside.setViewportSize({ width: 640, height: 640 });
    await expect.poll(cut).toBe(0);
    await running.end();
    await fits(page);
    await page.setViewportSize({ width: 1280, height: 640 });
    await expect
      .poll(() => page.locator(`${ROWS} .id`).allInnerTexts())
      .toEqual(["narrow-0001", "narrow-0002"]);
    await expect.poll(() => page.locator(".totals button:visible").count()).toBe(7);
  });

  test("a long id gives way to the kind, which is whole where there is room", async () => {
    const jobId = "01a21d64-9e87-7ec9-93ff-9890c9673fce";
    await pages.submit(jobId, { kind: "archive", owner: "long.ids", dispatch: Dispatch.QUEUE });
    const page = await pages.openList("?owner=long.ids", { viewport: { width: 1280, height: 640 } });
    await expect.poll(() => page.locator(`${ROWS} .kind`).count()).toBe(1);
    // Text is cut as soon as it lacks a fraction of a pixel, which `scrollWidth` does not tell.
    const missing = () =>
      page.locator(`${ROWS} .kind`).evaluate((kind) => {
        const text = document.createRange();
        text.selectNodeContents(kind);
        return text.getBoundingClientRect().width - kind.getBoundingClientRect().width;
      });
    await expect.poll(missing).toBeLessThanOrEqual(0);
  });

  test("a job's title, which is a label, is in the list in place of its id, and beside its kind on its page", async () => {
    const title = "weekly <i>call</i>";
    await pages.submit("titled", {
      kind: "titled",
      dispatch: Dispatch.QUEUE,
      labels: { title, room: "blue" },
    });
    const page = await pages.openList("?kind=titled", { viewport: { width: 320, height: 640 } });
    await shows(page, `${ROWS} .title`, title);
    await expect.poll(() => page.locator(`${ROWS} .title`).getAttribute("title")).toBe("titled");
    await fits(page);
    await page.locator(ROWS).click();
    await shows(page, "[part=title]", title);
    await expect.poll(() => page.locator(".label").allInnerTexts()).toEqual(["room=blue"]);
    await expect.poll(() => page.title()).toBe(`queued · titled · ${title}`);
    await fits(page);
    await accessible(page);
    await picture(page, "title-320");
  });

  // Ten thousand take half a minute to submit; `make nightly-web` does.
  const MANY = process.env["NIGHTLY"] ? 10_000 : 2000;

  test(`of ${MANY} jobs only those in sight are in the page`, async () => {
    const many = await startPages();
    for (let first = 0; first < MANY; first += 100) {
      const jobIds = Array.from({ length: 100 }, (_, place) => `many-${first + place}`);
      await Promise.all(jobIds.map((jobId) => many.submit(jobId, { dispatch: Dispatch.QUEUE })));
    }
    const page = await many.openList();
    await shows(page, ".totals", `${MANY / 1000},000 queued`);
    const drawn = await page.locator(ROWS).count();
    expect(drawn).toBeLessThan(80); // at any time
    await page.locator("milepost-jobs .view").evaluate((view) => {
      view.scrollTop = view.scrollHeight;
    });
    await expect.poll(() => page.locator(`${ROWS} .id`).last().innerText()).toMatch(/^many-\d\d?$/);
  }, 300_000);
});
