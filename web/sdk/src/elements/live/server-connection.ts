/** A server as the stores of its jobs see it: how to call it, its clock, and what it allows. */

import type { MilepostClient } from "../../client.js";
import { ServiceError, hasReason, toMilepostError } from "../../errors.js";
import { whenShown } from "../../watch/page.js";
import type { WhoAmIResponse } from "../../gen/milepost/v1/job_service_pb.js";
import { ServerClock } from "./server-clock.js";

type Action = "submit" | "cancel" | "share" | "see history" | "see workers";

export class ServerConnection {
  readonly clock = new ServerClock();
  readonly #shareToken: string;
  #asked: Promise<void> | undefined;
  /** Undefined until the server has said it, or has not: "unknown". */
  #principal: WhoAmIResponse | "unknown" | undefined;
  readonly #refused = new Set<Action>();

  constructor(
    /** Address of the server's root, with a slash at its end. */
    readonly address: string,
    readonly client: MilepostClient,
    /** The token of a share link that the page was opened by; empty without. */
    shareToken = "",
  ) {
    this.#shareToken = shareToken;
  }

  /** Whether the page was opened by a share link. */
  get isShared(): boolean {
    return this.#shareToken !== "";
  }

  /** Ask the server who the caller is, once; again, when this is called later, if the connection was lost before it said so. */
  whoAmI(): Promise<void> {
    this.#asked ??= whenShown()
      .then(() => this.client.whoAmI())
      .then(
        (principal) => void (this.#principal = principal),
        (error: unknown) => {
          this.#principal = "unknown";
          if (!(toMilepostError(error) instanceof ServiceError)) this.#asked = undefined;
        },
      );
    return this.#asked;
  }

  /** Offer something no more, if this is the server's refusal of it: an application may keep it from its users. */
  note(error: unknown, action: Action): void {
    if (hasReason(toMilepostError(error), "PERMISSION_DENIED")) this.#refused.add(action);
  }

  /** Who has signed in: the subject of the caller's own credential; empty where there is none, or it is not known yet. */
  get user(): string {
    const principal = this.#principal;
    if (principal === undefined || principal === "unknown" || this.isShared) return "";
    return principal.credentialId && principal.subject;
  }

  /**
   * Whether to offer something to the caller: false until the server has said who it is. An application that mounts Milepost
   * does not name its users: then true for what the caller asks for by a click, of which the application may say no.
   */
  may(action: Action): boolean {
    if (this.#refused.has(action)) return false;
    const principal = this.#principal;
    if (principal === undefined) return false;
    if (principal === "unknown") return action !== "see workers";
    if (principal.subject === "")
      return action === "see history" ? principal.scopes.includes("read") : action !== "see workers";
    const isAdmin = principal.scopes.includes("admin");
    if (action === "submit" && principal.jobId !== "") return false;
    if (action === "share") return principal.jobId === "";
    if (action === "see history")
      return principal.jobId === "" && (principal.scopes.includes("read") || isAdmin);
    if (action === "see workers") return isAdmin && principal.allOwners && principal.jobId === "";
    return principal.scopes.includes(action) || isAdmin;
  }

  /** Whether to offer to submit jobs of a kind; see `may`. */
  maySubmit(kind: string): boolean {
    if (!this.may("submit")) return false;
    const principal = this.#principal;
    const patterns = principal === undefined || principal === "unknown" ? [] : principal.kinds;
    return patterns.length === 0 || patterns.some((pattern) => isLike(kind, pattern));
  }

  /** The page of a job. With the token of a share link it is shown as the link's own job is. */
  jobAddress(jobId: string): string {
    const fragment = this.#shareToken && `#token=${this.#shareToken}`;
    return `${this.address}jobs/${encodeURIComponent(jobId)}${fragment}`;
  }
}

/** Whether a kind matches a pattern of kinds, in which `*` stands for any text. */
function isLike(kind: string, pattern: string): boolean {
  const parts = pattern.split("*").map((part) => part.replace(/[^a-z0-9]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`).test(kind);
}
