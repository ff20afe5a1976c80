import { type IncomingMessage, type ServerResponse, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { onTestFinished } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Bundle TypeScript for a browser; `source` may import whatever a file in `web/testing` may. */
export async function bundle(source: string, loader: "ts" | "tsx" = "ts"): Promise<string> {
  const result = await build({
    stdin: { contents: source, loader, resolveDir: fileURLToPath(new URL(".", import.meta.url)) },
    absWorkingDir: root,
    tsconfig: "tsconfig.json",
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

/** What a site answers at a path: a body with its media type, or a function that answers by itself. */
export type Resource =
  { type: string; body: string } | ((request: IncomingMessage, response: ServerResponse) => void);

/** Serve `resources` by path on a free loopback port until the test ends; return the origin. */
export async function serveSite(resources: Record<string, Resource>): Promise<string> {
  const server = createServer((request, response) => {
    const resource = resources[new URL(request.url ?? "/", "http://localhost").pathname];
    if (resource === undefined) {
      response.writeHead(404).end();
    } else if (typeof resource === "function") {
      resource(request, response);
    } else {
      response.writeHead(200, { "Content-Type": `${resource.type}; charset=utf-8` }).end(resource.body);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A page that runs `source` (TypeScript, bundled) as its module, around `body`; see `serveSite`. */
export async function servePage(source: string, body = "", loader: "ts" | "tsx" = "ts"): Promise<string> {
  const html = `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><title>test</title>${body}<script type="module" src="/page.js"></script>`;
  return serveSite({
    "/": { type: "text/html", body: html },
    "/page.js": { type: "text/javascript", body: await bundle(source, loader) },
  });
}
