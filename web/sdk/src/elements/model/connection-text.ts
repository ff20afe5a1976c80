/** The connection of a page to its server, and how it is shown. */

import { Code } from "@connectrpc/connect";
import { MilepostError, ServiceError, Unreachable, hasReason } from "../../errors.js";
import type { Connection } from "../../watch/connection.js";
import { clock, type Instant } from "./instants.js";
import { grouped, oneLine } from "./plain-text.js";

/** How a page is connected to its server. */
export interface ShownConnection {
  readonly state:
    | "connecting"
    | "catching-up"
    | "live"
    | "polling"
    | "reconnecting"
    | "hidden"
    | "ended"
    | "refused"
    | "unauthenticated"
    | "missing";
  /** Why there is none, as the server or the browser said; empty if there is nothing to say. */
  readonly error: string;
  /** When the next attempt follows, if it is known. */
  readonly retryAt?: Instant | undefined;
  /** Since when what is shown may be out of date. */
  readonly staleSince?: Instant | undefined;
  /** While catching up: events that have arrived, of those that are known. */
  readonly arrived?: number | undefined;
  readonly known?: number | undefined;
  /** Whether the caller's credential was in force before, and has expired or was revoked. */
  readonly expired?: boolean | undefined;
  /** Whether the store was replaced, so that another log is shown. */
  readonly restarted?: boolean | undefined;
}

/** A watch's connection as a page shows it, in the server's time. */
export function connectionOf(watch: Connection, clockOffsetMs = 0): ShownConnection {
  const { state, error, retryAt, staleSince, received, head, restartedAt, storeAway } = watch;
  return {
    state: state === "paused" ? "hidden" : state,
    error: storeAway ? "the server cannot reach its store" : causeOf(error),
    retryAt: retryAt === undefined ? undefined : retryAt + clockOffsetMs,
    staleSince: staleSince === undefined ? undefined : staleSince + clockOffsetMs,
    arrived: Number(received),
    known: Number(head),
    restarted: restartedAt !== undefined,
  };
}

// Browsers say no more than that a fetch has failed, each in its own words.
function causeOf(error: MilepostError | undefined): string {
  if (error instanceof Unreachable)
    return /fetch|network|load failed/i.test(error.why) ? "no connection" : error.why;
  return error?.message ?? "";
}

/** The connection of a watch that an error has ended; what was known before stays, and may be out of date. */
export function brokenBy(error: unknown, now: Instant): ShownConnection {
  const text = error instanceof MilepostError ? error.message : `The page has an error: ${String(error)}`;
  const state = hasReason(error, "JOB_NOT_FOUND")
    ? "missing"
    : error instanceof ServiceError && error.code === Code.Unauthenticated
      ? "unauthenticated"
      : "refused";
  return { state, error: text, staleSince: now, expired: hasReason(error, "TOKEN_EXPIRED") };
}

/** Whether the server has refused the stream, so that nothing more comes. */
export function isRefused({ state }: ShownConnection): boolean {
  return state === "refused" || state === "unauthenticated" || state === "missing";
}

/** Why what has not come yet does not: `cannot be shown yet: no connection`; empty where it is only being loaded. */
export function absenceText(connection: ShownConnection): string {
  const { state, error } = connection;
  const refused = isRefused(connection);
  if (!refused && (!error || state === "polling")) return "";
  return ["cannot be shown" + (refused ? "" : " yet"), oneLine(error, 1000)].filter(Boolean).join(": ");
}

export type ChipShape = "full" | "half" | "empty" | "cross" | "turned" | "done";

export interface Chip {
  readonly shape: ChipShape;
  readonly text: string;
  /** The same for screen readers, which read each change out: without what changes all the time. */
  readonly milestone: string;
  /** Whether what is shown may be out of date. */
  readonly stale: boolean;
  /** The colour besides: `up`, `stale`, or neither. */
  readonly tone: "up" | "stale" | "";
}

/** The chip that says how a page is connected. */
export function chipOf(connection: ShownConnection, now: Instant): Chip {
  const [shape, text, tone] = chipParts(connection, now);
  const [, milestone] = chipParts({ ...connection, retryAt: undefined, known: undefined }, now);
  return { shape, text, milestone, tone, stale: tone === "stale" };
}

function chipParts(connection: ShownConnection, now: Instant): [ChipShape, string, Chip["tone"]] {
  const { state, error, retryAt, staleSince } = connection;
  const cause = error ? ` (${oneLine(error, 120)})` : "";
  const since = staleSince === undefined ? "" : ` · stale since ${clock(staleSince)}`;
  switch (state) {
    case "live":
      if (connection.restarted) return ["turned", "live · log restarted", "up"];
      return ["full", "live", "up"];
    case "catching-up": {
      const of = connection.known
        ? ` ${grouped(connection.arrived ?? 0)} of ${grouped(connection.known)}`
        : "";
      return ["half", `catching up${of}`, ""];
    }
    case "polling":
      return ["half", `polling${cause}`, ""];
    case "reconnecting": {
      const left = retryAt === undefined ? 0 : Math.ceil((retryAt - now) / 1000);
      const wait = left > 0 ? ` in ${left} s` : "";
      return ["empty", `reconnecting${wait}${cause}${since}`, "stale"];
    }
    case "hidden":
      return ["empty", `paused while hidden${since}`, "stale"];
    case "ended":
      return ["done", "complete", "up"];
    case "unauthenticated":
      return ["cross", "signed out", "stale"];
    case "refused":
      return ["cross", `refused${cause}`, "stale"];
    case "missing":
      return ["cross", "not found", "stale"];
    case "connecting":
      return ["empty", "connecting", ""];
  }
}

/** The notice above what may be out of date; empty if it is up to date. Why it is, the chip says. */
export function staleNotice(connection: ShownConnection, now: Instant): string {
  if (!chipOf(connection, now).stale || connection.staleSince === undefined) return "";
  return `Not live: this is what was known at ${clock(connection.staleSince)}. It may have changed since.`;
}
