import { describe, expect, test } from "vitest";
import { JobState } from "@milepost/client";
import { openContext } from "../../testing/browser.js";
import { accessible, connected, fits, picture, sharedPages, shows } from "./pages.js";

const MARKUP = `<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>`;
const BIDI = "safe\u202egpj.exe";
const ANSI = "\x1b[31mred\x1b[0m \x1b[2J\x1b]0;title\x07 done";
const WORD = "w".repeat(65_536 - 64);

describe("text of a job", () => {
  const pages = sharedPages();

  test("whatever stands in its fields is text: no markup, no other order, no page that is wider", async () => {
    const job = await pages.start("hostile", {
      owner: MARKUP,
      labels: { a: MARKUP, b: BIDI, c: "x".repeat(256) },
      input: { [MARKUP]: BIDI },
      stages: [
        { stageId: "s", title: MARKUP, unit: MARKUP.slice(0, 32), total: 5 },
        { stageId: "t", title: BIDI },
        { stageId: "u", title: "x".repeat(256) },
      ],
    });
    await job.report(
      { case: "stageStarted", value: { stage: { stageId: "s", message: MARKUP } } },
      { case: "stageProgressed", value: { stageId: "s", current: 1, message: ANSI } },
      {
        case: "artifactAdded",
        value: { artifact: { name: MARKUP, uri: "javascript:window.hacked=1", mediaType: MARKUP } },
      },
      {
        case: "artifactAdded",
        value: { artifact: { name: BIDI, uri: `https://x.test/${"p".repeat(2000)}` } },
      },
      { case: "logWritten", value: { text: MARKUP, stageId: "s" } },
      { case: "logWritten", value: { text: BIDI } },
      { case: "logWritten", value: { text: ANSI } },
      { case: "logWritten", value: { text: WORD } },
      { case: "logWritten", value: { text: "last" } },
    );
    const context = await openContext({ viewport: { width: 320, height: 700 } });
    const page = await context.newPage();
    const dialogs: string[] = [];
    page.on("dialog", (dialog) => dialogs.push(dialog.message()));
    await page.goto(`${pages.url}jobs/hostile`);
    await connected(page, "live");
    await shows(page, "milepost-log-view .line:last-child", "last");
    await picture(page, "hostile-320");

    const lines = page.locator("milepost-log-view .line .text");
    await expect.poll(() => lines.allInnerTexts()).toContain(MARKUP);
    await expect.poll(() => lines.allInnerTexts()).toContain("safe\\x202egpj.exe");
    await shows(page, "milepost-log-view .line .red", /^red$/);
    const escapes = await page.getByText("\x1b").count();
    expect(escapes).toBe(0); // at any time
    await fits(page);

    // The word of 64 KiB wraps, is cut to some lines, and is shown as a whole on request. By the keyboard, since the log
    // may scroll to its end again after the driver has scrolled to where it will click.
    const more = page.getByRole("button", { name: "show all 65,472 characters" });
    await more.press("Enter");
    await expect
      .poll(() => lines.evaluateAll((rows) => Math.max(...rows.map((row) => row.clientHeight))))
      .toBeGreaterThan(10_000);

    for (const name of ["stages (3)", "artifacts (2)", "input", "raw"]) {
      await page.getByRole("tab", { name }).click();
      await fits(page);
      await accessible(page);
    }
    await page.getByRole("tab", { name: "artifacts (2)" }).click();
    await page.locator('a[href^="https://x.test/"]').waitFor();
    const scripts = await page.locator('a[href^="javascript:"]').count();
    expect(scripts).toBe(0); // at any time, and the list of the artifacts is there

    await job.end({
      state: JobState.FAILED,
      message: BIDI,
      failure: { code: "X", message: MARKUP, detail: `${ANSI}\n${WORD.slice(0, 60_000)}` },
    });
    await shows(page, "[part=ending] .headline", MARKUP);
    await page.setViewportSize({ width: 1280, height: 900 });
    await picture(page, "hostile-wide");
    await page.goto(pages.url);
    await shows(page, "milepost-jobs .row", MARKUP.slice(0, 20));
    await fits(page);
    const isHacked = await page.evaluate(() => "hacked" in window);
    expect(isHacked).toBe(false); // at any time
    expect(dialogs).toEqual([]);
  });
});
