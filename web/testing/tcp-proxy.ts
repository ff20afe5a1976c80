import { type Server, type Socket, connect, createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import { onTestFinished } from "vitest";

/** Both sides of a connection through the proxy. */
interface Pair {
  readonly client: Socket;
  readonly server: Socket;
}

/**
 * A TCP proxy that misbehaves as the test says.
 *
 * - `cut()` resets all connections.
 * - `stall()` lets nothing more through, in either direction, over connections that stay open: a half-open socket, or a
 *   laptop that slept; connections that are made later work.
 * - `hold = true` holds what the server sends back until the server closes the connection, or `hold` is false again.
 * - `refuse = true` resets new connections at once.
 */
export class TcpProxy {
  refuse = false;
  /** Connections that were made so far, and bytes that came from the server. */
  connections = 0;
  bytesReceived = 0;
  #hold = false;
  readonly #listener: Server;
  readonly #pairs = new Set<Pair>();
  /** The local port behind it. */
  target: number;

  constructor(target: number) {
    this.target = target;
    this.#listener = createServer({ allowHalfOpen: false }, (client) => {
      this.#connect(client);
    });
  }

  /** Address for clients. */
  get baseUrl(): string {
    return `http://127.0.0.1:${(this.#listener.address() as AddressInfo).port}`;
  }

  /** Connections that are open now. */
  get open(): number {
    return this.#pairs.size;
  }

  get hold(): boolean {
    return this.#hold;
  }

  set hold(hold: boolean) {
    this.#hold = hold;
    if (!hold) {
      for (const { client, server } of this.#pairs) {
        server.removeAllListeners("data");
        server.pipe(client);
      }
    }
  }

  async start(): Promise<void> {
    this.#listener.listen(0, "127.0.0.1");
    await once(this.#listener, "listening");
  }

  async close(): Promise<void> {
    this.cut();
    this.#listener.close();
    await once(this.#listener, "close");
  }

  cut(): void {
    for (const { client, server } of this.#pairs) {
      client.resetAndDestroy();
      server.destroy();
    }
  }

  stall(): void {
    for (const { client, server } of this.#pairs) {
      client.unpipe();
      server.unpipe();
      client.pause();
      server.pause();
    }
  }

  #connect(client: Socket): void {
    this.connections++;
    if (this.refuse) {
      client.resetAndDestroy();
      return;
    }
    const server = connect(this.target, "127.0.0.1");
    const pair = { client, server };
    this.#pairs.add(pair);
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      socket.on("error", () => undefined);
      socket.on("close", () => {
        this.#pairs.delete(pair);
        other.destroy();
      });
    }
    client.pipe(server);
    if (this.#hold) {
      const held: Buffer[] = [];
      server.on("data", (data: Buffer) => held.push(data));
      server.on("end", () => client.end(Buffer.concat(held)));
    } else {
      server.pipe(client);
    }
    server.on("data", (data: Buffer) => (this.bytesReceived += data.length));
  }
}

/** Start a proxy before a local port; it ends with the test. */
export async function startTcpProxy(target: number): Promise<TcpProxy> {
  const proxy = new TcpProxy(target);
  await proxy.start();
  onTestFinished(() => proxy.close());
  return proxy;
}
