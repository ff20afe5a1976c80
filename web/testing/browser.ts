import { inject, onTestFinished } from "vitest";
import { type BrowserContext, type BrowserContextOptions, type Page, chromium } from "playwright-core";
import { WAIT_LIMIT_MS } from "./limits.js";

/**
 * A fresh context (cookies, storage, cache) of the Chromium that all tests share.
 *
 * When the test ends the context closes, and the test fails if a page of it raised an error that nothing caught.
 */
export async function openContext(options: BrowserContextOptions = {}): Promise<BrowserContext> {
  const browser = await chromium.connect(inject("browserEndpoint"));
  const context = await browser.newContext(options);
  context.setDefaultTimeout(WAIT_LIMIT_MS);
  const errors: Error[] = [];
  context.on("weberror", (event) => errors.push(event.error()));
  onTestFinished(async () => {
    await context.close();
    await browser.close();
    if (errors.length > 0) {
      throw new AggregateError(errors, `The page raised: ${errors.map(String).join("; ")}`);
    }
  });
  return context;
}

/** A page at `url` in a fresh context; see `openContext`. */
export async function openPage(url: string, options: BrowserContextOptions = {}): Promise<Page> {
  const page = await (await openContext(options)).newPage();
  await page.goto(url);
  return page;
}
