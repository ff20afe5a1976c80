import type { Transport } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-web";
import { type ClientOptions, MilepostClient } from "./client.js";
import { OriginSlots } from "./watch/stream-slots.js";

/** Options of `createClient`: where the server is, or a transport of Connect. */
export interface WebClientOptions extends ClientOptions {
  /** URL below which the server answers, such as `"https://jobs.example.com/milepost"`; by default the page's origin. */
  readonly baseUrl?: string;
  /** Another transport than fetch in Connect's binary protocol. */
  readonly transport?: Transport;
}

/** A client that speaks Connect over fetch, for browsers. For gRPC in Node see `@milepost/client/node`. */
export function createClient(options: WebClientOptions = {}): MilepostClient {
  if (options.transport !== undefined) {
    return new MilepostClient(options, { transport: options.transport });
  }
  const isPage = "document" in globalThis;
  const baseUrl = options.baseUrl ?? globalThis.location.origin;
  return new MilepostClient(options, {
    transport: createConnectTransport({ baseUrl, useBinaryFormat: true }),
    slots: isPage ? OriginSlots.of(baseUrl) : undefined,
  });
}
