import { readFileSync } from "node:fs";
import { type HttpProxy, startHttpProxy } from "../../testing/http-proxy.js";
import { inRepository } from "../../testing/repository.js";

/** A page of somebody else's at `/host` before a server, with the built elements. */
export async function hostPage(server: string, body: string): Promise<HttpProxy> {
  const html = `<!doctype html><html lang="en"><meta charset="utf-8"><link rel="icon" href="data:,"><title>host</title>
    <style>body { font-family: serif; --milepost-accent: rgb(140, 0, 140); --milepost-font: Georgia, serif }</style>
    <main><h1>Jobs of the host</h1>${body}</main>
    <script>const seen = []; for (const name of ["milepost-change", "milepost-end"])
      addEventListener(name, (event) => seen.push(name + " " + event.detail.job.state + " " + event.target.localName))</script>
    <script type="module" src="/elements.js"></script></html>`;
  const script = readFileSync(inRepository("web/milepost/web/assets/elements.js"), "utf8");
  const proxy = await startHttpProxy(server);
  proxy.pages["/host"] = { type: "text/html", body: html };
  proxy.pages["/elements.js"] = { type: "text/javascript", body: script };
  return proxy;
}
