import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import type { BrowserContextOptions, Page } from "playwright-core";
import { describe, onTestFinished, test } from "vitest";
import { JobService } from "@milepost/client";
import { startTcpProxy } from "../../testing/tcp-proxy.js";
import { Server } from "../../testing/server.js";
import { TokenFile } from "../../testing/token-file.js";
import { connectWorker } from "../../testing/worker.js";
import { makeEndedJobs, makeOpenJobs } from "./gallery-jobs.js";
import {
  Pages,
  accessible,
  connected,
  fits,
  openPage,
  picture,
  sharedPages,
  shows,
  startPages,
} from "./pages.js";

/** What is opened, what shows that it is there, and what is clicked or pressed then. */
interface View {
  readonly path: string;
  readonly shows: string;
  readonly click?: string;
  readonly key?: string;
}

const VIEWS: Readonly<Record<string, View>> = {
  list: { path: "", shows: "milepost-jobs a.row .note" },
  "list-filtered": { path: "?state=running", shows: "milepost-jobs a.row" },
  "list-empty": { path: "?kind=none", shows: "milepost-jobs .notice" },
  workers: { path: "", shows: "milepost-workers summary", click: "milepost-workers summary" },
  keys: { path: "", shows: "milepost-jobs a.row", key: "?" },
  docs: { path: "docs", shows: "h1" },
  "not-found": { path: "no/such/page", shows: "h1" },
  "no-job": { path: "jobs/missing", shows: "milepost-job [role=alert]" },
  queued: { path: "jobs/queued", shows: "[part=waiting]" },
  unclaimed: { path: "jobs/unclaimed", shows: "[part=waiting]" },
  running: { path: "jobs/running", shows: "milepost-log-view .line" },
  "cancel-sheet": { path: "jobs/running", shows: "[part=cancel]", click: "[part=cancel]" },
  "share-sheet": { path: "jobs/running", shows: "nav button", click: "nav > button" },
  retried: { path: "jobs/retried", shows: "milepost-log-view .boundary" },
  attempts: { path: "jobs/retried", shows: "#tab-attempts", click: "#tab-attempts" },
  waits: { path: "jobs/waits", shows: "[part=waiting]" },
  cancelling: { path: "jobs/cancelling", shows: "[part=cancellation]" },
  forced: { path: "jobs/forced", shows: "[part=cancellation] .failed" },
  failed: { path: "jobs/failed", shows: "[part=ending]" },
  succeeded: { path: "jobs/succeeded", shows: "[part=ending]" },
  artifacts: { path: "jobs/succeeded", shows: "#tab-artifacts", click: "#tab-artifacts" },
  line: { path: "jobs/running#line=10", shows: "milepost-log-view .marked" },
  events: { path: "jobs/running", shows: "#tab-events", click: "#tab-events" },
  event: { path: "jobs/retried#event=6", shows: "milepost-events-view .payload" },
  "retry-sheet": { path: "jobs/lapsed", shows: "[part=retry]", click: "[part=retry]" },
  raw: { path: "jobs/succeeded", shows: "#tab-raw", click: "#tab-raw" },
  children: { path: "jobs/parent", shows: "[part=children] tbody tr" },
  large: { path: "jobs/large", shows: "milepost-log-view .line" },
};

/** Sizes and schemes. A page at 200 % of 1,280 pixels has 640 of its own. */
const LOOKS: Readonly<Record<string, BrowserContextOptions>> = Object.fromEntries(
  (["light", "dark"] as const).flatMap((colorScheme) =>
    [320, 640, 800, 1400].map((width) => [
      `${colorScheme}-${width}`,
      {
        colorScheme,
        viewport: { width, height: width === 640 ? 450 : 900 },
        deviceScaleFactor: width === 640 ? 2 : 1,
        reducedMotion: "reduce" as const,
      },
    ]),
  ),
);
const FORCED: BrowserContextOptions = { forcedColors: "active", viewport: { width: 1400, height: 900 } };

const EVERY_LOOK = Object.entries({ ...LOOKS, forced: FORCED });

/** Neither cut off nor in violation of accessibility; and a picture of it. */
async function check(page: Page, name: string): Promise<void> {
  await accessible(page, name);
  await fits(page, name);
  await picture(page, `gallery/${name}`);
}

/** In `make nightly-web`: each look takes about twenty seconds. */
describe.runIf(process.env["NIGHTLY"])("every page in every state", () => {
  // Their worker says no more, and on a busy machine it takes long to look at all of them.
  const pages = sharedPages("--lease-ttl", "1h");
  let made: Promise<void> | undefined;

  async function makeJobs(): Promise<void> {
    await makeOpenJobs(pages);
    await makeEndedJobs(pages);
  }

  async function look(page: Page, name: string, { path, shows: there, click, key }: View): Promise<void> {
    await page.goto(pages.url + path);
    await page.locator(there).first().waitFor();
    if (click) await page.locator(click).first().click();
    if (key) await page.keyboard.press(key);
    await check(page, name);
  }

  test.each(EVERY_LOOK)(
    "nothing is cut off, and nothing violates accessibility: %s",
    async (name, options) => {
      await (made ??= makeJobs());
      await connectWorker(pages.server.baseUrl, { workerId: "w-1", kinds: ["render"], maxConcurrency: 2 });
      const page = await openPage("about:blank", options);
      for (const [view, what] of Object.entries(VIEWS)) await look(page, `${view}-${name}`, what);
    },
    300_000,
  );
});

describe.runIf(process.env["NIGHTLY"])(
  "pages of servers that are new, away or closed",
  { timeout: 300_000 },
  () => {
    async function inEveryLook(
      url: string,
      name: string,
      wait: (page: Page) => Promise<void>,
      restore = (): void => undefined,
    ): Promise<void> {
      for (const [look, options] of EVERY_LOOK) {
        const page = await openPage(url, options);
        await wait(page);
        await check(page, `${name}-${look}`);
        restore();
        await page.context().close();
      }
    }

    test("a server without jobs and workers", async () => {
      const pages = await startPages();
      await inEveryLook(pages.url, "new-server", (page) =>
        shows(page, "milepost-jobs .notice", "no jobs yet"),
      );
    });

    test("a job that was lost", async () => {
      const pages = await startPages("--lease-ttl", "10s");
      const job = await pages.start("lost", { stages: [{ stageId: "get", total: 10 }] });
      await job.report({ case: "stageStarted", value: { stage: { stageId: "get" } } });
      await job.log(3);
      await inEveryLook(`${pages.url}jobs/lost`, "lost", (page) => shows(page, "[part=ending]", /^lost/));
    });

    test("a server that went away", async () => {
      const pages = await startPages();
      const proxy = await startTcpProxy(Number(new URL(pages.url).port));
      const job = await pages.start("away", { stages: [{ stageId: "get", total: 10 }] });
      await job.log(3);
      for (const path of ["", "jobs/away"]) {
        const goAway = async (page: Page): Promise<void> => {
          await connected(page, "live");
          proxy.refuse = true;
          proxy.cut();
          await connected(page, /^reconnecting/);
        };
        await inEveryLook(`${proxy.baseUrl}/${path}`, path ? "away-job" : "away-list", goAway, () => {
          proxy.refuse = false;
        });
      }
    });

    test("a server that asks for a token, and a job that is shared", async () => {
      const server = new Server(["--http", "127.0.0.1:0"]);
      const tokens = new TokenFile(server);
      await tokens.create("ann", "ben");
      await server.start();
      onTestFinished(() => server.dispose());
      const pages = new Pages(server);
      const service = createClient(JobService, createGrpcTransport({ baseUrl: server.baseUrl }));
      const headers = { Authorization: `Bearer ${tokens.token("ben")}` };
      await service.submitJob({ jobId: "mine", kind: "transcribe" }, { headers });
      const { token } = await service.shareJob({ jobId: "mine" }, { headers });
      await inEveryLook(pages.url, "sign-in", (page) => shows(page, "milepost-sign-in h1", "Sign in"));
      await inEveryLook(`${pages.url}jobs/mine#token=${token}`, "shared", (page) => connected(page, "live"));
    });
  },
);
