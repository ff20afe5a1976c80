import {
  type CallOptions as ConnectCallOptions,
  type Client,
  type Transport,
  createClient,
} from "@connectrpc/connect";
import { toMilepostError } from "./errors.js";
import { AdminService } from "./gen/milepost/v1/admin_service_pb.js";
import { JobService } from "./gen/milepost/v1/job_service_pb.js";
import { CallCredential, TokenSource } from "./token.js";
import { stopwatch, unlessAborted } from "./watch/clock.js";

/** The longest timeout in milliseconds: the protocols have eight digits for it, and timers of JavaScript 31 bits. */
const TIMEOUT_LIMIT_MS = 99_999_999;

/** Options of a call. */
export interface CallOptions {
  /** Ends the call, which then throws the signal's reason. */
  readonly signal?: AbortSignal;
  /**
   * Timeout in milliseconds, instead of the client's; the time for a token is part of it. `Infinity`, or more than a
   * day, for none.
   */
  readonly timeoutMs?: number;
}

/** The connection of a client: its transport, its tokens, and the timeout of its calls. */
export class Calls {
  readonly service: Client<typeof JobService>;
  readonly admin: Client<typeof AdminService>;
  readonly timeoutMs: number;
  readonly #tokens: TokenSource;

  constructor(transport: Transport, tokens: TokenSource, timeoutMs: number) {
    this.service = createClient(JobService, transport);
    this.admin = createClient(AdminService, transport);
    this.timeoutMs = timeoutMs;
    this.#tokens = tokens;
  }

  /** A credential for a call, or for one stream after another. */
  credential(): CallCredential {
    return new CallCredential(this.#tokens);
  }

  /**
   * Make a call, again if there is another token than the one that the server refuses. Throws a MilepostError, or the
   * signal's reason.
   */
  async call<Response>(
    method: (options: ConnectCallOptions) => Promise<Response>,
    { signal, timeoutMs = this.timeoutMs }: CallOptions = {},
  ): Promise<Response> {
    const credential = this.credential();
    const elapsed = stopwatch();
    // The protocols take whole numbers, and 0 is no timeout for the transport.
    const leftMs = (): number => Math.max(Math.round(timeoutMs - elapsed()), 1);
    const isLimited = timeoutMs <= TIMEOUT_LIMIT_MS;
    for (;;) {
      signal?.throwIfAborted();
      try {
        const headers = await unlessAborted(credential.headers(leftMs()), signal);
        return await method({ headers, signal, timeoutMs: isLimited ? leftMs() : undefined });
      } catch (thrown) {
        signal?.throwIfAborted();
        const error = toMilepostError(thrown);
        if (!(await unlessAborted(credential.renew(error, leftMs()), signal))) {
          throw error;
        }
      }
    }
  }
}
