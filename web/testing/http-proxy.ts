import { type IncomingMessage, type ServerResponse, createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

/**
 * An HTTP proxy before a server, with pages of its own.
 *
 * - `buffers`: it holds each response back until it is complete, as some proxies do.
 * - `rejects(path)`: it answers such requests with 502 itself.
 * - `swallows(path)`: it never answers such requests.
 * - `below`: the path that it has the server below, such as "/milepost"; there is nothing above.
 * - `cut()`: it cuts all connections.
 */
export class HttpProxy {
  buffers = false;
  below = "";
  rejects: (path: string) => boolean = () => false;
  swallows: (path: string) => boolean = () => false;
  /** What it answers by itself, by path. */
  readonly pages: Record<string, { type: string; body: string }> = {};
  /** The paths of the requests so far, and of those whose responses are not complete. */
  readonly paths: string[] = [];
  readonly #open = new Set<{ path: string }>();
  readonly #target: URL;
  readonly #server = createServer((incoming, response) => {
    this.#forward(incoming, response);
  });

  constructor(target: string) {
    this.#target = new URL(target);
  }

  /** Address for clients. */
  get baseUrl(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
  }

  /** Requests to paths that end with `suffix` whose responses are not complete. */
  countOpen(suffix: string): number {
    return [...this.#open].filter(({ path }) => path.endsWith(suffix)).length;
  }

  cut(): void {
    this.#server.closeAllConnections();
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #forward(incoming: IncomingMessage, response: ServerResponse): void {
    const { url = "/", method, headers } = incoming;
    const page = this.pages[url];
    if (page !== undefined) {
      response.writeHead(200, { "Content-Type": `${page.type}; charset=utf-8` }).end(page.body);
      return;
    }
    this.paths.push(url);
    const open = { path: url };
    this.#open.add(open);
    response.on("close", () => this.#open.delete(open));
    if (this.rejects(url) || !url.startsWith(`${this.below}/`)) {
      response.writeHead(502).end();
      return;
    }
    if (this.swallows(url)) {
      return;
    }
    const { hostname, port } = this.#target;
    const outgoing = request(
      { hostname, port, path: url.slice(this.below.length), method, headers },
      (answer) => {
        const buffered: Buffer[] = [];
        const { buffers } = this;
        const begin = (): void => {
          response.writeHead(answer.statusCode ?? 502, answer.headers);
        };
        if (!buffers) {
          begin();
        }
        answer.on("data", (data: Buffer) => (buffers ? buffered.push(data) : response.write(data)));
        answer.on("end", () => {
          if (buffers) {
            begin();
          }
          response.end(Buffer.concat(buffered));
        });
        answer.on("error", () => response.destroy());
      },
    );
    outgoing.on("error", () => response.destroy());
    response.on("close", () => outgoing.destroy());
    incoming.pipe(outgoing);
  }
}

/** Start an HTTP proxy before a server; it ends with the test. */
export async function startHttpProxy(target: string): Promise<HttpProxy> {
  const proxy = new HttpProxy(target);
  await proxy.start();
  onTestFinished(() => proxy.close());
  return proxy;
}
