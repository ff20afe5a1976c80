/** Client of Milepost over gRPC, for Node. */
import { Http2SessionManager, createGrpcTransport } from "@connectrpc/connect-node";
import { type ClientOptions, MilepostClient } from "../client.js";
import { MilepostError } from "../errors.js";
import { Connections } from "./connections.js";

export * from "../index.js";

/** Options of `createClient`. */
export interface NodeClientOptions extends ClientOptions {
  /** Address of the server: `"http://127.0.0.1:7070"` by default, `https://` for TLS. */
  readonly baseUrl?: string;
  /** CA bundle (PEM), in place of the system's. */
  readonly tlsCa?: string;
  /** Send the token over an unencrypted connection beyond this machine (default false). */
  readonly allowPlaintextToken?: boolean;
}

/** Milliseconds between keepalive pings; the server allows one every 10 s. */
const PING_INTERVAL_MS = 20_000;
/** Milliseconds without an answer to a ping after which the connection counts as dead. */
const PING_TIMEOUT_MS = 10_000;

/**
 * A client that speaks gRPC over HTTP/2. Throws a MilepostError if a token would travel in plain text, and a TypeError if
 * `baseUrl` is no URL.
 */
export function createClient(options: NodeClientOptions = {}): MilepostClient {
  const { baseUrl = "http://127.0.0.1:7070", tlsCa, token, allowPlaintextToken = false } = options;
  const { protocol, hostname } = new URL(baseUrl);
  // URL has written an IPv4 address out, in four decimal numbers; a name may begin with one.
  const isLocal = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname);
  if (token !== undefined && protocol === "http:" && !isLocal && !allowPlaintextToken) {
    throw new MilepostError(
      `The token would travel to ${hostname} in plain text, for anybody on the way to read. Encrypt the connection ` +
        "(https://), or allow that with allowPlaintextToken: true.",
    );
  }
  const connections = new Connections(
    () =>
      new Http2SessionManager(
        baseUrl,
        { pingIntervalMs: PING_INTERVAL_MS, pingTimeoutMs: PING_TIMEOUT_MS },
        tlsCa === undefined ? {} : { ca: tlsCa },
      ),
  );
  return new MilepostClient(options, {
    transport: createGrpcTransport({ baseUrl, sessionManager: connections }),
    holdConnection: () => connections.hold(),
  });
}
