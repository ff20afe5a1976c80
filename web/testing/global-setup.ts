import type { TestProject } from "vitest/node";
import { type BrowserServer, chromium } from "playwright-core";
import { WAIT_LIMIT_MS } from "./limits.js";

declare module "vitest" {
  export interface ProvidedContext {
    /** WebSocket address of the one Chromium that all browser tests share. */
    browserEndpoint: string;
  }
}

/** Path of Chromium; Debian's by default. */
const executablePath = process.env["CHROMIUM"] ?? "/usr/bin/chromium";

/** Start the one Chromium of a test run; `openContext` connects to it. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server: BrowserServer = await chromium.launchServer({
    executablePath,
    host: "127.0.0.1",
    timeout: WAIT_LIMIT_MS,
  });
  project.provide("browserEndpoint", server.wsEndpoint());
  return () => server.close();
}
