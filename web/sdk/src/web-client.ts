import type { Transport } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-web";
import { type ClientOptions, MilepostClient } from "./client.js";

/** Options of `createClient`: where the server is, or a transport of Connect. */
export interface WebClientOptions extends ClientOptions {
  /** URL below which the server answers, such as `"https://jobs.example.com/milepost"`; by default the page's origin. */
  readonly baseUrl?: string;
  /** Another transport than fetch in Connect's binary protocol. */
  readonly transport?: Transport;
}

/** A client that speaks Connect over fetch, for browsers. For gRPC in Node see `@milepost/client/node`. */
export function createClient(options: WebClientOptions = {}): MilepostClient {
  const baseUrl = options.baseUrl ?? globalThis.location.origin;
  const transport = options.transport ?? createConnectTransport({ baseUrl, useBinaryFormat: true });
  return new MilepostClient(options, { transport });
}
