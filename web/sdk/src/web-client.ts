import type { Transport } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-web";
import { type ClientOptions, MilepostClient } from "./client.js";
import { MilepostError } from "./errors.js";
import { OriginSlots } from "./watch/stream-slots.js";

/** Options of `createClient`: where the server is, or a transport of Connect. */
export interface WebClientOptions extends ClientOptions {
  /** URL below which the server answers, such as `"https://jobs.example.com/milepost"`; by default the page's origin. */
  readonly baseUrl?: string;
  /** Another transport than fetch in Connect's binary protocol. */
  readonly transport?: Transport;
}

/**
 * A client that speaks Connect over fetch, for browsers. For gRPC in Node see `@milepost/client/node`.
 *
 * A module that a server renders may create one, too: without a page and without `baseUrl` each call throws.
 */
export function createClient(options: WebClientOptions = {}): MilepostClient {
  if (options.transport !== undefined) {
    return new MilepostClient(options, { transport: options.transport });
  }
  const { location } = globalThis as Partial<typeof globalThis>;
  const baseUrl = options.baseUrl ?? location?.origin;
  if (baseUrl === undefined) {
    return new MilepostClient(options, { transport: WITHOUT_ORIGIN });
  }
  const isPage = "document" in globalThis;
  return new MilepostClient(options, {
    transport: createConnectTransport({ baseUrl, useBinaryFormat: true }),
    slots: isPage ? OriginSlots.of(baseUrl) : undefined,
  });
}

/** The transport where there is no page whose origin could be called. */
const WITHOUT_ORIGIN: Transport = { unary: refuse, stream: refuse };

function refuse(): Promise<never> {
  return Promise.reject(
    new MilepostError("There is no page whose origin to call: give createClient a baseUrl."),
  );
}
