import type { Http2SessionManager } from "@connectrpc/connect-node";

// By way of the manager, since the package is built, and used, without types of Node.
type Request = Parameters<Http2SessionManager["request"]>;
type Stream = Awaited<ReturnType<Http2SessionManager["request"]>>;

/** A connection, and what goes over it. */
interface Used {
  readonly manager: Http2SessionManager;
  session: Stream["session"];
  requests: number;
}

/**
 * The connections of a client: the one that calls and streams go over, and those that were left since nothing came over one
 * of their streams. What else goes over these may get through, so each is closed with the last of it; pings end it if it is dead.
 */
export class Connections {
  readonly authority: string;
  readonly #make: () => Http2SessionManager;
  readonly #left = new Set<Used>();
  #current: Used;

  constructor(make: () => Http2SessionManager) {
    this.#make = make;
    this.#current = { manager: make(), session: undefined, requests: 0 };
    this.authority = this.#current.manager.authority;
  }

  async request(...request: Request): Promise<Stream> {
    const used = this.#current;
    const end = (): void => {
      used.requests -= 1;
      this.#closeIfUnused(used);
    };
    used.requests += 1;
    try {
      const stream = await used.manager.request(...request);
      used.session = stream.session;
      stream.once("close", end);
      return stream;
    } catch (error) {
      end();
      throw error;
    }
  }

  notifyResponseByteRead(stream: Stream): void {
    for (const { manager } of [this.#current, ...this.#left]) manager.notifyResponseByteRead(stream);
  }

  /** Note the current connection; the returned function leaves it, unless that was done already. */
  hold(): () => void {
    const held = this.#current;
    return () => {
      if (held !== this.#current) return;
      this.#current = { manager: this.#make(), session: undefined, requests: 0 };
      this.#left.add(held);
      this.#closeIfUnused(held);
    };
  }

  #closeIfUnused(used: Used): void {
    if (used.requests > 0 || !this.#left.delete(used)) return;
    // Of a session that is being destroyed the manager has yet to handle the error.
    if (used.session?.destroyed === false) used.session.destroy();
  }
}
