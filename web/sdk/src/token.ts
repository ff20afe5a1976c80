import { MilepostError, TokenUnavailable, hasReason } from "./errors.js";

/** A bearer token, or a function that returns one: on first use, and again once the server refuses it. */
export type Token = string | (() => string | Promise<string>);

/** Milliseconds that a function has to return a token. */
export const TOKEN_TIMEOUT_MS = 30_000;

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

  /** The token; empty for none. Throws TokenUnavailable. */
  async get(): Promise<string> {
    if (this.#token !== undefined) {
      return this.#token;
    }
    this.#asking ??= this.#ask().finally(() => (this.#asking = undefined));
    return this.#asking;
  }

  /**
   * Ask for another token than the one that the server refused, unless somebody has done so already.
   *
   * Return whether there is another one. Throws TokenUnavailable.
   */
  async renew(refused: string): Promise<boolean> {
    if (this.#provider === undefined) {
      return false;
    }
    if (this.#token === refused) {
      this.#token = undefined;
    }
    return (await this.get()) !== refused;
  }

  async #ask(): Promise<string> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const timeout = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(new TokenUnavailable(`nothing was returned within ${TOKEN_TIMEOUT_MS / 1000} s`));
      }, TOKEN_TIMEOUT_MS);
    });
    try {
      this.#token = await Promise.race([this.#provider?.() ?? "", timeout]);
      return this.#token;
    } catch (error) {
      throw error instanceof MilepostError ? error : new TokenUnavailable(String(error), { cause: error });
    } finally {
      clearTimeout(timer);
    }
  }
}

/**
 * The token of a call and its repetition, or of one stream after another.
 *
 * It is renewed once at most until the server accepts it, so that tokens which the server refuses one after the other
 * end a watch instead of keeping it busy.
 */
export class CallCredential {
  #source: TokenSource;
  #used = "";
  #renewed = false;

  constructor(source: TokenSource) {
    this.#source = source;
  }

  /** The headers of the next call. Throws TokenUnavailable. */
  async headers(): Promise<Record<string, string>> {
    this.#used = await this.#source.get();
    return this.#used === "" ? {} : { Authorization: `Bearer ${this.#used}` };
  }

  /** Note that the server accepted the token. */
  accepted(): void {
    this.#renewed = false;
  }

  /** Whether there is another token for the next call, where `error` refuses that of the last one. */
  async renew(error: MilepostError): Promise<boolean> {
    if (this.#renewed || !hasReason(error, "TOKEN_EXPIRED", "UNAUTHENTICATED")) {
      return false;
    }
    this.#renewed = true;
    return this.#source.renew(this.#used);
  }
}
