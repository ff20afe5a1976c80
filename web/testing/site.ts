import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { onTestFinished } from "vitest";
import { type HttpProxy, startHttpProxy } from "./http-proxy.js";

const root = fileURLToPath(new URL("..", import.meta.url));

/** The oldest React that the hooks are for, in the place of the newest; see `serveApp`. */
export const REACT_18 = Object.fromEntries(
  ["react", "react-dom"].map((name) => [name, `${root}testing/react-18/node_modules/${name}`]),
);

/**
 * Bundle TypeScript for a browser; `source` may import whatever a file in `web/testing` may. `alias` has other
 * directories of packages.
 */
export async function bundle(
  source: string,
  loader: "ts" | "tsx" = "ts",
  alias: Record<string, string> = {},
): Promise<string> {
  const result = await build({
    stdin: { contents: source, loader, resolveDir: fileURLToPath(new URL(".", import.meta.url)) },
    absWorkingDir: root,
    tsconfig: "tsconfig.json",
    alias,
    bundle: true,
    format: "esm",
    target: "es2022",
    write: false,
    logLevel: "silent",
  });
  const output = result.outputFiles[0];
  if (output === undefined) {
    throw new Error("esbuild wrote no file");
  }
  return output.text;
}

/** An HTML page around `body` that runs `/page.js`. */
function html(body: string): string {
  return (
    '<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><title>test</title>' +
    `${body}<script type="module" src="/page.js"></script>`
  );
}

/** Serve a page that runs `source` (TypeScript, bundled) as its module, around `body`, until the test ends; return its address. */
export async function servePage(source: string, body = ""): Promise<string> {
  const resources: Record<string, readonly [type: string, body: string] | undefined> = {
    "/": ["text/html", html(body)],
    "/page.js": ["text/javascript", await bundle(source)],
  };
  const server = createServer((request, response) => {
    const [type, content] = resources[request.url ?? "/"] ?? [];
    response.writeHead(type === undefined ? 404 : 200, {
      "Content-Type": `${type ?? "text/plain"}; charset=utf-8`,
    });
    response.end(content);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/**
 * A proxy before a server that also serves a page of the same origin: it runs `source` (TypeScript with JSX, bundled)
 * as its module, with the packages of `alias`.
 */
export async function serveApp(
  target: string,
  source: string,
  alias: Record<string, string> = {},
): Promise<HttpProxy> {
  const proxy = await startHttpProxy(target);
  proxy.pages["/"] = { type: "text/html", body: html('<div id="root"></div>') };
  proxy.pages["/page.js"] = { type: "text/javascript", body: await bundle(source, "tsx", alias) };
  return proxy;
}
