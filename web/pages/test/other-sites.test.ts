import { execFileSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { JobService, JobState } from "@milepost/client";
import { openContext } from "../../testing/browser.js";
import { inRepository } from "../../testing/repository.js";
import { servePage } from "../../testing/site.js";
import { startPages } from "./pages.js";

/** A server with one person, who is signed in in a browser; its pages are at 127.0.0.1. */
async function signedIn(...options: string[]) {
  const tokens = join(mkdtempSync(join(tmpdir(), "milepost-")), "tokens.toml");
  const create = ["token", "create", "--tokens", tokens, "--subject", "ann", "--owner", "team-a"];
  const scopes = ["--scope", "submit,read,cancel"];
  const token = execFileSync(inRepository(".venv/bin/milepost"), [...create, ...scopes], {
    encoding: "utf8",
  }).trim();
  const pages = await startPages("--tokens", tokens, ...options);
  const service = createClient(JobService, createGrpcTransport({ baseUrl: pages.server.baseUrl }));
  const headers = { Authorization: `Bearer ${token}` };
  await service.submitJob({ jobId: "mine", kind: "transcribe" }, { headers });
  const context = await openContext();
  const page = await context.newPage();
  await page.goto(pages.url);
  const status = await page.evaluate(
    async (authorization) =>
      (await fetch("/v1/session", { method: "POST", headers: { authorization } })).status,
    headers.Authorization,
  );
  expect(status).toBe(200);
  const state = async () => (await service.getJob({ jobId: "mine" }, { headers })).job?.state;
  return { context, url: pages.server.httpUrl, state };
}

/** How what another site's page tries ends: what it gets to see, or "nothing". */
async function attempts(page: Page, url: string): Promise<Record<string, string>> {
  return page.evaluate(async (server) => {
    const seen = async (asked: () => Promise<Response>) => {
      try {
        const response = await asked();
        return response.type === "opaque" ? "nothing" : `${response.status}`;
      } catch {
        return "nothing";
      }
    };
    const loaded = (element: HTMLScriptElement, source: string) =>
      new Promise<string>((resolve) => {
        element.addEventListener("load", () => {
          resolve("something");
        });
        element.addEventListener("error", () => {
          resolve("nothing");
        });
        element.src = source;
        document.head.append(element);
      });
    const cancel = `${server}/v1/jobs/mine:cancel`;
    const credentials = "include";
    return {
      simple: await seen(() => fetch(cancel, { method: "POST", mode: "no-cors", credentials })),
      json: await seen(() =>
        fetch(cancel, {
          method: "POST",
          credentials,
          headers: { "content-type": "application/json" },
          body: "{}",
        }),
      ),
      deletion: await seen(() => fetch(`${server}/v1/jobs/mine`, { method: "DELETE", credentials })),
      connect: await seen(() =>
        fetch(`${server}/milepost.v1.JobService/CancelJob`, {
          method: "POST",
          credentials,
          headers: { "content-type": "application/json" },
          body: '{"jobId":"mine"}',
        }),
      ),
      read: await seen(() => fetch(`${server}/v1/jobs`, { credentials })),
      script: await loaded(document.createElement("script"), `${server}/v1/jobs`),
      events: await new Promise<string>((resolve) => {
        const source = new EventSource(`${server}/v1/jobs:watch`, { withCredentials: true });
        source.addEventListener("opened", () => {
          resolve("something");
        });
        source.addEventListener("error", () => {
          resolve("nothing");
        });
      }),
    };
  }, url);
}

test("pages of other ports and other sites neither change nor read anything with a session's cookie", async () => {
  const { context, url, state } = await signedIn();
  const site = await servePage("export {};");

  // Cookies know no ports: to a browser the first is the same site, and it sends the cookie.
  for (const origin of [site, site.replace("127.0.0.1", "localhost")]) {
    const page = await context.newPage();
    await page.goto(origin);
    const seen = await attempts(page, url);
    expect(new Set(Object.values(seen))).toEqual(new Set(["nothing"]));
    const after = await state();
    expect(after).toBe(JobState.QUEUED);
  }
});

test("a form on another port's page changes nothing, and its frame shows nothing", async () => {
  const { context, url, state } = await signedIn();
  const form =
    `<form method="post" action="${url}/v1/jobs/mine:cancel" enctype="text/plain">` +
    `<input name='{"reason":"' value='"}'></form>`;
  const site = await servePage("export {};", `<iframe src="${url}/jobs/mine"></iframe>${form}`);
  const page = await context.newPage();
  const refused: string[] = [];
  page.on("console", (message) => refused.push(message.text()));
  await page.goto(site);
  await expect.poll(() => refused.some((text) => text.includes("frame-ancestors"))).toBe(true);
  const answered = page.waitForResponse((response) => response.url().endsWith(":cancel"));
  await page.evaluate(() => document.querySelector("form")?.submit());

  const status = (await answered).status();
  expect(status).toBe(403);
  const after = await state();
  expect(after).toBe(JobState.QUEUED);
});

test("an origin that the server allows does both", async () => {
  const site = await servePage("export {};");
  const { context, url } = await signedIn("--http-allow-origin", site);
  const page = await context.newPage();
  await page.goto(site);
  const { json, deletion, read, events } = await attempts(page, url);

  expect({ json, deletion, read, events }).toEqual({
    json: "200",
    deletion: "200",
    read: "200",
    events: "something",
  });
});
