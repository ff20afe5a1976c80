/** A server as the stores of its jobs see it: how to call it, its clock, and what it allows. */

import type { MilepostClient } from "../../client.js";
import type { WhoAmIResponse } from "../../gen/milepost/v1/job_service_pb.js";
import { ServerClock } from "./server-clock.js";

export class ServerConnection {
  readonly clock = new ServerClock();
  readonly #shareToken: string;
  #asked: Promise<void> | undefined;
  #principal: WhoAmIResponse | "unknown" | undefined;

  constructor(
    /** Address of the server's root, with a slash at its end. */
    readonly address: string,
    readonly client: MilepostClient,
    /** The token of a share link that the page was opened by; empty without. */
    shareToken = "",
  ) {
    this.#shareToken = shareToken;
  }

  /** Ask the server, once, who the caller is. */
  whoAmI(): Promise<void> {
    this.#asked ??= this.client.whoAmI().then(
      (principal) => void (this.#principal = principal),
      () => void (this.#principal = "unknown"),
    );
    return this.#asked;
  }

  /** Whether to offer something to the caller: false until the server has said who it is; true if it does not say. */
  may(scope: "cancel" | "share"): boolean {
    const principal = this.#principal;
    if (principal === undefined || principal === "unknown") return principal === "unknown";
    if (scope === "share") return principal.jobId === "";
    return principal.scopes.includes(scope) || principal.scopes.includes("admin");
  }

  /** The page of a job. With the token of a share link it is shown as the link's own job is. */
  jobAddress(jobId: string): string {
    const fragment = this.#shareToken && `#token=${this.#shareToken}`;
    return `${this.address}jobs/${encodeURIComponent(jobId)}${fragment}`;
  }
}
