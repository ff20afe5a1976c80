import { JobState } from "@milepost/client";
import { MilepostProvider, useJob } from "@milepost/client/react";
import { createElement } from "react";
import { renderToString } from "react-dom/server";
import { describe, expect, test } from "vitest";
import { openContext, openPage } from "../../testing/browser.js";
import { sharedServer } from "../../testing/server.js";
import { REACT_18, serveApp } from "../../testing/site.js";
import { until } from "../../testing/until.js";
import { createClient } from "@milepost/client/node";
import { startJob } from "./watching.js";

const server = sharedServer();

function direct() {
  return createClient({ baseUrl: server.baseUrl });
}

/** A page that shows the jobs named in its address. */
const PAGE = `
  import { StrictMode, version } from "react";
  import { createRoot } from "react-dom/client";
  import { JobState, createClient } from "@milepost/client";
  import { MilepostProvider, useJob, useJobs } from "@milepost/client/react";

  function Job({ id }: { id: string }) {
    const { job, state, error, cancel } = useJob(id);
    window.renders = (window.renders ?? 0) + 1;
    return <p className="job" data-state={state} data-job-state={job && JobState[job.state]}>
      <span className="fraction">{job?.fraction}</span>
      <span className="error">{error && "reason" in error && error.reason}</span>
      <button onClick={() => void cancel({ reason: "enough", gracePeriodMs: 0 })}>Cancel</button>
    </p>;
  }

  function Jobs({ kind }: { kind: string }) {
    const { jobs, caughtUp } = useJobs({ kinds: [kind], states: [JobState.QUEUED, JobState.RUNNING] });
    return <ol data-caught-up={caughtUp}>{jobs.map((job) => <li key={job.jobId}>{job.jobId}</li>)}</ol>;
  }

  window.reactVersion = version;
  const { ids, kind } = JSON.parse(decodeURIComponent(location.hash.slice(1)));
  const client = createClient({ timing: { backoffMs: 20, pollMs: 50 } });
  window.app = createRoot(document.getElementById("root"));
  window.app.render(<StrictMode><MilepostProvider client={client}>
    {ids?.map((id, index) => <Job key={index} id={id} />)}
    {kind && <Jobs kind={kind} />}
  </MilepostProvider></StrictMode>);
`;

function address(baseUrl: string, content: { ids?: string[]; kind?: string }): string {
  return `${baseUrl}/#${encodeURIComponent(JSON.stringify(content))}`;
}

describe("useJob", () => {
  test.each([
    ["19", {}],
    ["18", REACT_18],
  ])(
    "follows a job through a cut, with one stream for all components, and cancels it: React %s",
    async (version, alias) => {
      const proxy = await serveApp(server.httpUrl, PAGE, alias);
      const work = await startJob({ server, direct: direct() }, { stages: [{ stageId: "copy", total: 4 }] });
      const { jobId } = work.job;
      const page = await openPage(address(proxy.baseUrl, { ids: [jobId, jobId] }));
      await page.waitForSelector('[data-state="live"][data-job-state="RUNNING"]');
      await expect.poll(() => page.evaluate("reactVersion")).toMatch(new RegExp(`^${version}\\.`));
      // Although strict mode mounts everything twice.
      await expect.poll(() => proxy.countOpen("/WatchJob")).toBe(1);

      await work.report({ case: "stageStarted", value: { stage: { stageId: "copy" } } });
      proxy.rejects = () => true;
      proxy.cut();
      await page.waitForSelector('[data-state="reconnecting"]');
      proxy.rejects = () => false;
      await work.report({ case: "stageProgressed", value: { stageId: "copy", current: 1 } });
      await page.waitForSelector('[data-state="live"] .fraction:text("0.25")');
      await page.click("button >> nth=0");
      await page.waitForSelector('[data-job-state="CANCELLED"][data-state="ended"]');

      await expect.poll(() => page.locator('[data-job-state="CANCELLED"]').count()).toBe(2);
      const { cancellation } = await direct().getJob(jobId);
      expect(cancellation?.reason).toBe("enough");
    },
  );

  test("several jobs share one stream, each to its own end", async () => {
    const proxy = await serveApp(server.httpUrl, PAGE);
    const works = await Promise.all(
      [1, 2, 3].map(() =>
        startJob({ server, direct: direct() }, { stages: [{ stageId: "copy", total: 4 }] }),
      ),
    );
    const page = await openPage(address(proxy.baseUrl, { ids: works.map(({ job }) => job.jobId) }));
    await until(
      async () => (await page.locator('[data-state="live"][data-job-state="RUNNING"]').count()) === 3,
    );
    await expect.poll(() => proxy.countOpen("/WatchJobs")).toBe(1);

    for (const [number, work] of works.entries()) {
      await work.report(
        { case: "stageStarted", value: { stage: { stageId: "copy" } } },
        { case: "stageProgressed", value: { stageId: "copy", current: number + 1 } },
      );
    }
    await until(async () => (await page.locator(".fraction").allTextContents()).join() === "0.25,0.5,0.75");

    proxy.rejects = () => true;
    proxy.cut();
    await until(async () => (await page.locator('[data-state="reconnecting"]').count()) === 3);
    await works[0]?.end({ state: JobState.SUCCEEDED });
    proxy.rejects = () => false;
    await page.waitForSelector('[data-state="ended"][data-job-state="SUCCEEDED"]');
    await until(async () => (await page.locator('[data-state="live"]').count()) === 2);
    await expect.poll(() => proxy.countOpen("/WatchJobs")).toBe(1);

    await page.locator("button").nth(1).click();
    await page.waitForSelector('[data-state="ended"][data-job-state="CANCELLED"]');
    // The last one of three goes on in a stream of its own, which has to open first.
    await until(
      async () => (await page.locator('[data-state="live"][data-job-state="RUNNING"]').count()) === 1,
    );
  });

  test.each([[["none"]], [["none", "known"]]])("tells why a job of %j cannot be shown", async (ids) => {
    const proxy = await serveApp(server.httpUrl, PAGE);
    if (ids.includes("known")) await startJob({ server, direct: direct() }, { jobId: "known" });

    const page = await openPage(address(proxy.baseUrl, { ids }));

    await page.waitForSelector('.error:text("JOB_NOT_FOUND")');
    await expect.poll(() => page.locator(".error:not(:empty)").count()).toBe(1);
  });

  test("renders at most once a frame, however many events come", async () => {
    const proxy = await serveApp(server.httpUrl, PAGE);
    const work = await startJob({ server, direct: direct() }, { stages: [{ stageId: "copy", total: 1000 }] });
    const context = await openContext();
    await context.addInitScript(() => {
      const request = window.requestAnimationFrame.bind(window);
      Object.assign(window, { frames_: 0 });
      window.requestAnimationFrame = (callback) =>
        request((time) => {
          (window as unknown as { frames_: number }).frames_++;
          callback(time);
        });
    });
    const page = await context.newPage();
    await page.goto(address(proxy.baseUrl, { ids: [work.job.jobId] }));
    await page.waitForSelector('[data-state="live"]');

    await work.report({ case: "stageStarted", value: { stage: { stageId: "copy" } } });
    for (let current = 1; current <= 300; current++) {
      await work.report({ case: "stageProgressed", value: { stageId: "copy", current } });
    }
    await page.waitForSelector('.fraction:text("0.3")');

    const counted = await page.evaluate(() => {
      const { frames_, renders } = window as unknown as { frames_: number; renders: number };
      return { frames: frames_, renders };
    });
    // StrictMode renders twice; and there is the first rendering.
    expect(counted.renders).toBeLessThanOrEqual(2 * (counted.frames + 1));
  });

  test("gives the stream back when the component goes, and while the page is hidden", async () => {
    const proxy = await serveApp(server.httpUrl, PAGE);
    const work = await startJob({ server, direct: direct() });
    const page = await openPage(address(proxy.baseUrl, { ids: [work.job.jobId] }));
    await page.waitForSelector('[data-state="live"]');
    const setHidden = (hidden: boolean) =>
      page.evaluate(
        (state) => {
          Object.defineProperty(document, "visibilityState", { value: state, configurable: true });
          document.dispatchEvent(new Event("visibilitychange"));
        },
        hidden ? "hidden" : "visible",
      );

    await setHidden(true);
    await page.waitForSelector('[data-state="paused"]');
    await until(() => proxy.countOpen("/WatchJob") === 0);
    await setHidden(false);
    await page.waitForSelector('[data-state="live"]');
    await expect.poll(() => proxy.countOpen("/WatchJob")).toBe(1);
    await page.evaluate(() => {
      (window as unknown as { app: { unmount(): void } }).app.unmount();
    });

    await until(() => proxy.countOpen("/WatchJob") === 0);
  });

  test("renders on a server as a page that does not know the job yet", () => {
    const client = createClient({ baseUrl: server.baseUrl });
    function Job() {
      const { job, state } = useJob("job");
      return createElement("p", undefined, `${state} ${job?.jobId ?? "no job"}`);
    }

    const html = renderToString(createElement(MilepostProvider, { client }, createElement(Job)));

    expect(html).toBe("<p>connecting no job</p>");
  });
});

test("useJobs has the jobs that match now, and drops those that do not any more", async () => {
  const proxy = await serveApp(server.httpUrl, PAGE);
  const kind = "listed";
  const first = await startJob({ server, direct: direct() }, { kind, jobId: "first" });
  const page = await openPage(address(proxy.baseUrl, { kind }));
  const shown = () => page.locator("li").allTextContents();
  await page.waitForSelector('[data-caught-up="true"] li');
  await expect.poll(shown).toStrictEqual(["first"]);

  await startJob({ server, direct: direct() }, { kind, jobId: "second" });
  await expect.poll(shown).toStrictEqual(["second", "first"]);
  await first.end({ state: JobState.SUCCEEDED });

  await expect.poll(shown).toStrictEqual(["second"]);
});

test("ten tabs over HTTP/1.1: four have a stream, the others ask, and each one sees all and can call", async () => {
  const proxy = await serveApp(server.httpUrl, PAGE);
  const work = await startJob({ server, direct: direct() }, { stages: [{ stageId: "copy", total: 2 }] });
  const context = await openContext();
  const pages = await Promise.all(
    Array.from({ length: 10 }, async () => {
      const page = await context.newPage();
      await page.goto(address(proxy.baseUrl, { ids: [work.job.jobId] }));
      return page;
    }),
  );
  const count = async (selector: string) => {
    const counts = await Promise.all(pages.map((page) => page.locator(selector).count()));
    return counts.reduce((sum, one) => sum + one);
  };
  await until(
    async () => (await count('[data-state="live"]')) === 4 && (await count('[data-state="polling"]')) === 6,
  );

  await work.report(
    { case: "stageStarted", value: { stage: { stageId: "copy" } } },
    { case: "stageProgressed", value: { stageId: "copy", current: 1 } },
  );
  await until(async () => (await count('.fraction:text("0.5")')) === 10);
  // A tab that goes leaves its slot to another one.
  const areLive = await Promise.all(pages.map((page) => page.locator('[data-state="live"]').count()));
  await pages.splice(areLive.indexOf(1), 1)[0]?.close();
  await until(async () => (await count('[data-state="live"]')) === 4);
  await pages.at(-1)?.click("button");
  await until(async () => (await count('[data-job-state="CANCELLED"]')) === 9);
});
