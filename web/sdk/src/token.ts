import { MilepostError, TokenUnavailable, hasReason } from "./errors.js";
import { deadline, unlessAborted } from "./watch/clock.js";

/** A bearer token, or a function that returns one: on first use, and again once the server refuses it. */
export type Token = string | (() => string | Promise<string>);

/** Milliseconds that a function has to return a token. */
export const TOKEN_TIMEOUT_MS = 30_000;

/** Milliseconds of delays after refusals, in all, for which a stream that was open is opened again all the same. */
export const RENEWAL_TIME_MS = 5_000;

/** The token that all calls of a client share. Calls that need one at the same time share one request for it. */
export class TokenSource {
  #provider: (() => string | Promise<string>) | undefined;
  #token: string | undefined;
  #asking: Promise<string> | undefined;

  constructor(token: Token = "") {
    if (typeof token === "function") {
      this.#provider = token;
    } else {
      this.#token = token;
    }
  }

  /** Whether the token is asked for, and not text. */
  get isRenewable(): boolean {
    return this.#provider !== undefined;
  }

  /** The token; empty for none. Throws TokenUnavailable, also if none is there within `timeoutMs`. */
  async get(timeoutMs = TOKEN_TIMEOUT_MS): Promise<string> {
    if (this.#token !== undefined) {
      return this.#token;
    }
    this.#asking ??= this.#ask().finally(() => (this.#asking = undefined));
    // Whoever gives up waiting does not cancel the request of the others.
    return within(this.#asking, timeoutMs);
  }

  /**
   * Ask for another token than the one that the server refused, unless somebody has done so already.
   *
   * Return whether there is another one. Throws what `get` does.
   */
  async renew(refused: string, timeoutMs?: number): Promise<boolean> {
    if (this.#provider === undefined) {
      return false;
    }
    if (this.#token === refused) {
      this.#token = undefined;
    }
    return (await this.get(timeoutMs)) !== refused;
  }

  async #ask(): Promise<string> {
    try {
      this.#token = await within(Promise.resolve(this.#provider?.() ?? ""), TOKEN_TIMEOUT_MS);
      return this.#token;
    } catch (error) {
      throw error instanceof MilepostError ? error : new TokenUnavailable(String(error), { cause: error });
    }
  }
}

/** Wait for the token, so many milliseconds at most. */
async function within(token: Promise<string>, timeoutMs: number): Promise<string> {
  let cancel = (): void => undefined;
  const late = new Promise<never>((_, reject) => {
    cancel = deadline(timeoutMs, () => {
      const seconds = Number((Math.min(timeoutMs, TOKEN_TIMEOUT_MS) / 1000).toPrecision(2));
      reject(new TokenUnavailable(`nothing was returned within ${seconds} s`));
    });
  });
  try {
    return await Promise.race([token, late]);
  } finally {
    cancel();
  }
}

/**
 * The token of a call and its repetition, or of one stream after another.
 *
 * A call is repeated with another token, once. A stream that was open before is opened again for a few seconds: another
 * token may come late, and each node of a server has to learn of it. After that, tokens which the server refuses end a
 * watch instead of keeping it busy.
 */
export class CallCredential {
  #source: TokenSource;
  #used = "";
  #wasAccepted = false;
  #isRefused = false;
  /** The first refusal of the token that was used last. */
  #refusal: MilepostError | undefined;
  #delayedMs = 0;

  constructor(source: TokenSource) {
    this.#source = source;
  }

  /** The headers of the next call. Throws what `TokenSource.get` does. */
  async headers(timeoutMs?: number): Promise<Record<string, string>> {
    const used = await this.#source.get(timeoutMs);
    if (used !== this.#used) {
      this.#refusal = undefined; // which was of another token
    }
    this.#used = used;
    return used === "" ? {} : { Authorization: `Bearer ${used}` };
  }

  /** Note that the server accepted the token. */
  accepted(): void {
    this.#wasAccepted = true;
    this.#isRefused = false;
    this.#refusal = undefined;
    this.#delayedMs = 0;
  }

  /** Whether to call again, where `error` refuses the token of the last call. Throws what `TokenSource.get` does. */
  async renew(error: MilepostError, timeoutMs?: number): Promise<boolean> {
    if (!isRefusal(error)) {
      return false;
    }
    const isFirst = !this.#isRefused;
    this.#isRefused = true;
    this.#refusal ??= error;
    const isEarly = this.#wasAccepted && this.#delayedMs < RENEWAL_TIME_MS;
    if (!isFirst && !isEarly) {
      return false;
    }
    const isOther = await this.#source.renew(this.#used, timeoutMs);
    return isOther || (isEarly && this.#source.isRenewable);
  }

  /**
   * As `renew`, without throwing: the `cause` is what the token's function has thrown, or else `error`. Ends early, as
   * not renewed, when the signal is aborted.
   */
  async tryRenew(
    error: MilepostError,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<{ readonly renewed: boolean; readonly cause: MilepostError }> {
    try {
      return { renewed: await unlessAborted(this.renew(error, timeoutMs), signal), cause: error };
    } catch (thrown) {
      return { renewed: false, cause: thrown instanceof MilepostError ? thrown : error };
    }
  }

  /**
   * Note the delay before the next attempt, once `renew` has allowed one.
   *
   * These delays are what ends a stream, and not time that passes while the server is away, a function returns a token, or
   * the page is hidden: none of that says that a token is bad.
   */
  delayed(ms: number): void {
    this.#delayedMs += ms;
  }

  /** The first refusal of the token that `error` refuses, which says best why; any other error itself. */
  firstOf(error: MilepostError): MilepostError {
    return this.#refusal !== undefined && isRefusal(error) ? this.#refusal : error;
  }
}

function isRefusal(error: MilepostError): boolean {
  return hasReason(error, "TOKEN_EXPIRED", "UNAUTHENTICATED");
}
