/** Pages of a real server in a real browser, and the jobs that they show. */
import { createRequire } from "node:module";
import { type MessageInitShape } from "@bufbuild/protobuf";
import { type Client, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import type { BrowserContextOptions, Locator, Page } from "playwright-core";
import { afterAll, beforeAll, expect } from "vitest";
import { Dispatch, JobService, type SubmitJobRequestSchema } from "@milepost/client";
import { openContext, openPage } from "../../testing/browser.js";
import { inRepository } from "../../testing/repository.js";
import { Server, startServer } from "../../testing/server.js";
import { type WorkedJob, claimJob } from "../../testing/worker.js";

/** A server with its pages. */
export class Pages {
  #service: Client<typeof JobService> | undefined;

  constructor(readonly server: Server) {}

  get service(): Client<typeof JobService> {
    this.#service ??= createClient(JobService, createGrpcTransport({ baseUrl: this.server.baseUrl }));
    return this.#service;
  }

  /** Address of the list. */
  get url(): string {
    return `${this.server.ready["http"] ?? ""}/`;
  }

  /** Submit a job of kind `transcribe` that the test works on. */
  async submit(jobId: string, init: MessageInitShape<typeof SubmitJobRequestSchema> = {}): Promise<void> {
    await this.service.submitJob({ jobId, kind: "transcribe", dispatch: Dispatch.EXTERNAL, ...init });
  }

  /** Submit a job, and start it. */
  async start(jobId: string, init: MessageInitShape<typeof SubmitJobRequestSchema> = {}): Promise<WorkedJob> {
    await this.submit(jobId, init);
    return claimJob(this.server.baseUrl, jobId);
  }

  /** Claim a job that waits for another attempt. */
  async claim(jobId: string): Promise<WorkedJob> {
    return claimJob(this.server.baseUrl, jobId);
  }

  /** The page of a job. */
  async open(jobId: string, options: BrowserContextOptions = {}): Promise<Page> {
    return openPage(`${this.url}jobs/${jobId}`, options);
  }

  /** The list of jobs; `query` is that of its address. */
  async openList(query = "", options: BrowserContextOptions = {}): Promise<Page> {
    return openPage(this.url + query, options);
  }
}

/** Start a server with pages; it ends with the test. */
export async function startPages(...options: string[]): Promise<Pages> {
  return new Pages(await startServer("--http", "127.0.0.1:0", ...options));
}

/** The pages of one server for all tests around the call. */
export function sharedPages(...options: string[]): Pages {
  const server = new Server(["--http", "127.0.0.1:0", ...options]);
  beforeAll(() => server.start());
  afterAll(() => server.stop("SIGKILL"));
  return new Pages(server);
}

/** Wait until an element shows a text that matches. */
export async function shows(page: Page, selector: string, text: string | RegExp): Promise<void> {
  const found = page.locator(selector).first();
  await expect
    .poll(async () => ((await found.count()) > 0 ? (await found.innerText()).trim() : ""))
    .toMatch(text);
}

/** Wait until the chip says how the page is connected. */
export async function connected(page: Page, text: string | RegExp): Promise<void> {
  await shows(page, ".chip", text);
}

/** Scroll a view, and draw its element before the browser tells it of that, as when news come at that moment. */
export async function scrollBeforeUpdate(view: Locator, top: number): Promise<void> {
  await view.evaluate((element, to) => {
    element.scrollTop = to;
    const { host } = element.getRootNode() as ShadowRoot;
    (host as Element & { requestUpdate(): void }).requestUpdate();
  }, top);
}

/** Keep a picture as an artifact of the run. */
export async function picture(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: inRepository(`build/screenshots/${name}.png`), animations: "disabled" });
}

/** Wait until axe-core finds nothing wrong with the page. */
export async function accessible(page: Page, name?: string): Promise<void> {
  await expect.poll(() => violations(page), { message: name }).toEqual([]);
}

/** Wait until nothing in the page is wider than its window. */
export async function fits(page: Page, name?: string): Promise<void> {
  const overhang = () => page.evaluate("document.documentElement.scrollWidth - innerWidth");
  await expect.poll(overhang, { message: name }).toBe(0);
}

/** What axe-core finds wrong with the page, with the elements concerned. */
async function violations(page: Page): Promise<string[]> {
  // The page's own policy allows no foreign script, so it is put in by the debugger.
  const { source } = createRequire(import.meta.url)("axe-core") as { source: string };
  const session = await page.context().newCDPSession(page);
  await session.send("Runtime.evaluate", { expression: source });
  const { result } = await session.send("Runtime.evaluate", {
    expression: `axe.run(document, {resultTypes: ["violations"]}).then(({violations}) => JSON.stringify(
      violations.flatMap(({id, nodes}) => nodes.map(({target, failureSummary}) => id + " " + target.flat() + ": " + failureSummary))))`,
    awaitPromise: true,
  });
  await session.detach();
  return JSON.parse(String(result.value)) as string[];
}

/** Make the page believe that its tab is hidden, or shown again. */
export async function setHidden(page: Page, hidden: boolean): Promise<void> {
  await page.evaluate((value) => {
    const state = value ? "hidden" : "visible";
    Object.defineProperty(document, "visibilityState", { configurable: true, get: () => state });
    Object.defineProperty(document, "hidden", { configurable: true, get: () => value });
    document.dispatchEvent(new Event("visibilitychange"));
  }, hidden);
}

export { openContext, openPage };
