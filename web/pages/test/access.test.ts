import { execFileSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { describe, expect, onTestFinished, test } from "vitest";
import { JobService } from "@milepost/client";
import { openContext } from "../../testing/browser.js";
import { startHttpProxy } from "../../testing/http-proxy.js";
import { inRepository } from "../../testing/repository.js";
import { Server } from "../../testing/server.js";
import { TokenFile } from "../../testing/token-file.js";
import { Pages, accessible, connected, picture, shows, startPages } from "./pages.js";

/** A server that takes calls with a token only, and the token of `ann`. */
async function startWithTokens() {
  const tokens = join(mkdtempSync(join(tmpdir(), "milepost-")), "tokens.toml");
  const token = execFileSync(
    inRepository(".venv/bin/milepost"),
    [
      "token",
      "create",
      "--tokens",
      tokens,
      "--subject",
      "ann",
      "--owner",
      "team-a",
      "--scope",
      "submit,read,cancel",
    ],
    { encoding: "utf8" },
  ).trim();
  const pages = await startPages("--tokens", tokens);
  const service = createClient(JobService, createGrpcTransport({ baseUrl: pages.server.baseUrl }));
  const headers = { Authorization: `Bearer ${token}` };
  await service.submitJob({ jobId: "mine", kind: "transcribe" }, { headers });
  await service.submitJob({ jobId: "child", kind: "transcribe", parentJobId: "mine" }, { headers });
  await service.submitJob({ jobId: "other", kind: "transcribe" }, { headers });
  return { pages, token, service, headers };
}

describe("who may see a page", () => {
  test("a text that can be no token is not taken for a lost connection", async () => {
    const { pages } = await startWithTokens();
    const page = await pages.open("mine");
    await page.getByLabel("token").fill("mp_“quoted”");
    await page.getByLabel("token").press("Enter");

    await shows(page, "milepost-sign-in [role=alert]", /^This is no token: one has ASCII letters/);
  });

  test("a server with tokens asks for one, and keeps it where no script reads it", async () => {
    const { pages, token } = await startWithTokens();
    const page = await pages.open("mine");
    await shows(page, "milepost-sign-in h1", "Sign in");
    await connected(page, "signed out");
    await accessible(page);
    await picture(page, "sign-in");
    // No list that is not known pretends to be one.
    await page.goto(pages.url);
    await shows(page, "milepost-sign-in p", "Its operator makes one with milepost token create.");
    await expect.poll(() => page.locator("milepost-jobs").count()).toBe(0);
    await page.goto(`${pages.url}jobs/mine#line=1204`);
    await shows(page, "milepost-sign-in p", /^This server needs a token\./);
    // What the server says to programs is not said to people, above the question or below it.
    await expect.poll(() => page.getByText(/authorization|cannot be shown/).count()).toBe(0);
    await page.getByLabel("token").fill("mp_wrong");
    await page.keyboard.press("Enter");
    await shows(page, "milepost-sign-in [role=alert]", /./);
    // A proxy may answer in the server's place, and with a page of its own.
    for (const status of [502, 200]) {
      const answer = { status, contentType: "text/html", body: "<h1>Welcome</h1>" };
      await page.route("**/v1/session", (route) => route.fulfill(answer));
      const said = `A proxy answered in the server's place: status ${status}.`;
      // Asked until it is said: on a busy machine a key was lost, or its request went past the route.
      await expect
        .poll(async () => {
          await page.getByLabel("token").press("Enter");
          return page.locator("milepost-sign-in [role=alert]").innerText();
        })
        .toBe(said);
      await page.unroute("**/v1/session");
    }
    await page.getByLabel("token").fill(token);
    await page.getByLabel("token").press("Enter");
    await shows(page, "[part=state]", "queued");
    await expect.poll(() => page.url()).toBe(`${pages.url}jobs/mine#line=1204`);
    // Of a job that waits "0 %" says nothing.
    await expect.poll(() => page.locator("[part=progress]").innerText()).not.toContain("%");
    await expect.poll(() => page.title()).toBe("queued · transcribe");
    const kept = await page.evaluate(
      "document.cookie + JSON.stringify(localStorage) + JSON.stringify(sessionStorage)",
    );
    expect(kept).toBe("{}{}"); // at any time: the session, which the state was read in, is in the cookie

    await page.goto(pages.url);
    await expect.poll(() => page.locator("milepost-jobs a.row").count()).toBe(3);
    // Who works is for those who administer the server.
    await expect.poll(() => page.locator("milepost-workers [part=workers]").count()).toBe(0);

    // Whoever has signed in sees as whom, and can sign out; then each page asks again.
    await shows(page, "nav .foreign", "ann");
    await page.route("**/v1/session:clear", (route) => route.abort(), { times: 1 });
    await page.getByRole("button", { name: "Sign out" }).click();
    await shows(page, "nav [role=alert]", "still signed in: no connection");
    await accessible(page);
    await page.getByRole("button", { name: "Sign out" }).click();
    await shows(page, "milepost-sign-in h1", "Sign in");
    await page.goto(`${pages.url}jobs/mine`);
    await shows(page, "milepost-sign-in h1", "Sign in");
  });

  test("a session that expires under an open page asks for a token, and what was known stays in sight", async () => {
    const server = new Server(["--http", "127.0.0.1:0"]);
    const tokens = new TokenFile(server);
    await tokens.create("ann", "ben");
    await server.start();
    onTestFinished(() => server.stop("SIGKILL"));
    const pages = new Pages(server);
    const service = createClient(JobService, createGrpcTransport({ baseUrl: server.baseUrl }));
    const headers = { Authorization: `Bearer ${tokens.token("ben")}` };
    await service.submitJob({ jobId: "mine", kind: "transcribe" }, { headers });
    const page = await pages.open("mine");
    await page.getByLabel("token").fill(tokens.token("ann"));
    await page.keyboard.press("Enter");
    await connected(page, "live");

    await tokens.expire("ann");

    await connected(page, "signed out");
    await shows(page, "milepost-sign-in [role=status]", "The credential");
    await shows(page, "[part=state]", "queued");
    await accessible(page);
    await picture(page, "expired");
    await page.getByLabel("token").fill(tokens.token("ben"));
    await page.keyboard.press("Enter");
    await connected(page, "live");
  });

  test("behind a proxy, below a path: a session, a cancellation and a share link", async () => {
    const { pages, token } = await startWithTokens();
    const proxy = await startHttpProxy(pages.url);
    proxy.below = "/milepost";
    const root = `${proxy.baseUrl}/milepost/`;
    const page = await (await openContext()).newPage();
    await page.goto(`${root}jobs/mine`);
    await page.getByLabel("token").fill(token);
    await page.keyboard.press("Enter");
    await connected(page, "live");
    const cookies = await page.context().cookies();
    expect(cookies.map(({ name, path, secure }) => ({ name, path, secure }))).toEqual([
      { name: "__Host-milepost", path: "/", secure: true },
    ]);
    await page.getByRole("button", { name: "Share…" }).click();
    await page.getByRole("button", { name: "Make a link" }).click();
    const link = page.getByRole("textbox", { name: "link" });
    await expect.poll(() => link.inputValue()).toMatch(/#token=mps_/);
    const shared = await link.inputValue();
    expect(shared.split("#")[0]).toBe(`${root}jobs/mine`);

    const elsewhere = await (await openContext()).newPage();
    await elsewhere.goto(shared);
    await shows(elsewhere, "[part=state]", "queued");
    await expect.poll(() => elsewhere.url()).toBe(`${root}jobs/mine`);

    await page.goto(`${root}jobs/other`);
    await page.getByRole("button", { name: "Cancel…" }).click();
    await page.getByRole("button", { name: "Cancel the job" }).click();
    await shows(page, "[part=state]", "cancelled");
    await page.getByRole("tab", { name: "events" }).click();
    await shows(page, "milepost-events-view .row", /^1\s/);
    // Whatever a page asks for is below the path.
    expect(proxy.paths.filter((path) => !path.startsWith("/milepost/"))).toEqual([]);
    expect(proxy.paths.filter((path) => path.includes("mps_"))).toEqual([]);
  });

  test("a link that was asked for before the sheet was opened again is not taken for the answer", async () => {
    const { pages, token } = await startWithTokens();
    const page = await pages.open("mine");
    await page.getByLabel("token").fill(token);
    await page.keyboard.press("Enter");
    const held = new Promise<void>((resolve) => {
      void page.route(
        "**/ShareJob",
        () => {
          resolve();
        },
        { times: 1 },
      );
    });
    const given = page.waitForEvent("requestfailed", (request) => request.url().endsWith("/ShareJob"));
    const link = page.getByRole("textbox", { name: "link" });
    await page.getByRole("button", { name: "Share…" }).click();
    await page.getByRole("button", { name: "Make a link" }).click();
    await held;
    await page.getByRole("button", { name: "Close" }).click();
    await page.getByRole("button", { name: "Share…" }).click();
    await given;
    await page.getByRole("button", { name: "Make a link" }).click();
    await expect.poll(() => link.inputValue()).toMatch(/#token=mps_/);

    // Nor is the link that of other choices.
    await page.getByLabel("may also cancel it").check();
    await expect.poll(() => link.count()).toBe(0);
  });

  test("a share link in a browser that keeps nothing stays in the address, also where a line is marked", async () => {
    const { pages, service, headers } = await startWithTokens();
    const { token } = await service.shareJob({ jobId: "mine" }, { headers });
    const page = await (await openContext()).newPage();
    await page.addInitScript(() => {
      Object.defineProperty(window, "sessionStorage", {
        get: () => {
          throw new DOMException("Access is denied for this document.", "SecurityError");
        },
      });
    });
    await page.goto(`${pages.url}jobs/mine#token=${token}`);
    await shows(page, "[part=state]", "queued");

    await page.locator("milepost-job").evaluate((job) => {
      job.dispatchEvent(new CustomEvent("milepost-line", { detail: { line: 3 } }));
    });
    await expect.poll(() => new URL(page.url()).hash).toBe(`#token=${token}&line=3`);
    await page.reload();

    await shows(page, "[part=state]", "queued");
  });

  test("a share link shows its job and the children of it in a window without a session, and nothing else", async () => {
    const { pages, token, service, headers } = await startWithTokens();
    const page = await pages.open("mine");
    await page.getByLabel("token").fill(token);
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Share…" }).click();
    await page.getByRole("button", { name: "Make a link" }).click();
    const link = page.getByRole("textbox", { name: "link" });
    await expect.poll(() => link.inputValue()).toMatch(/\/jobs\/mine#token=mps_/);
    await accessible(page);
    await picture(page, "share-sheet");

    const elsewhere = await (await openContext()).newPage();
    const asked: string[] = [];
    elsewhere.on("request", (request) => asked.push(request.url()));
    await elsewhere.goto(await link.inputValue());
    await shows(elsewhere, "[part=state]", "queued");
    await shows(elsewhere, "[part=waiting]", "no worker takes transcribe");
    // The address, which stays in the history, has no token; the tab has it, to load the page again.
    await expect.poll(() => elsewhere.url()).toBe(`${pages.url}jobs/mine`);
    await elsewhere.reload();
    await shows(elsewhere, "[part=state]", "queued");
    await expect.poll(() => elsewhere.getByRole("button", { name: /Cancel|share/ }).count()).toBe(0);
    await elsewhere.getByRole("tab", { name: "children" }).click();
    await elsewhere.getByRole("link", { name: "child" }).click();
    await shows(elsewhere, ".facts", /child/);
    await expect.poll(() => elsewhere.url()).toBe(`${pages.url}jobs/child`);
    expect(asked.filter((url) => url.includes("mps_"))).toEqual([]);
    await elsewhere.goto(`${pages.url}jobs/other${new URL(await link.inputValue()).hash}`);
    await shows(elsewhere, "[role=alert]", "There is no job other, or it is not yours to see.");

    await service.revokeShares({ jobId: "mine" }, { headers });
    await elsewhere.goto(`${pages.url}jobs/mine`);
    await shows(elsewhere, "milepost-sign-in [role=status]", /^The shares of the job were revoked/);
    await shows(elsewhere, "milepost-sign-in .muted", /^With a token of your own you need no link\./);

    // Another link to the same job changes no more than the fragment of the address.
    const other = await service.shareJob({ jobId: "mine" }, { headers });
    await elsewhere.goto(`${pages.url}jobs/mine#token=${other.token}`);
    await shows(elsewhere, "[part=state]", "queued");
    await expect.poll(() => elsewhere.url()).toBe(`${pages.url}jobs/mine`);
    // What a share does not give is not asked for, at any time.
    expect(asked.filter((url) => url.endsWith("/GetHistory"))).toEqual([]);
  });
});
