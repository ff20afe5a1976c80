/** The state of the connection in words that are always true. */

import { Code } from "@connectrpc/connect";
import { MilepostError, ServiceError, Unreachable, hasReason } from "../../errors.js";
import type { Connection as WatchConnection } from "../../watch/connection.js";
import { clock, type Instant } from "./instants.js";
import { count, grouped, oneLine } from "./plain-text.js";

/** How a page is connected to its server. */
export interface Connection {
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
  /** Whether the store was replaced, so that the history began again. */
  readonly restarted?: boolean | undefined;
}

/** A watch's connection as a page shows it. */
export function connectionOf(watch: WatchConnection): Connection {
  const { state, error, retryAt, staleSince, received, head, restartedAt, storeAway } = watch;
  return {
    state: state === "paused" ? "hidden" : state,
    error: storeAway ? "the server cannot reach its store" : causeOf(error),
    retryAt,
    staleSince,
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
export function brokenBy(error: unknown, now: Instant): Connection {
  const text = error instanceof MilepostError ? error.message : `The page has an error: ${String(error)}`;
  const state = hasReason(error, "JOB_NOT_FOUND")
    ? "missing"
    : error instanceof ServiceError && error.code === Code.Unauthenticated
      ? "unauthenticated"
      : "refused";
  return { state, error: text, staleSince: now };
}

export type ChipShape = "full" | "half" | "empty" | "cross" | "turned" | "done";

export interface Chip {
  readonly shape: ChipShape;
  readonly text: string;
  /** Whether what is shown may be out of date. */
  readonly stale: boolean;
}

export function chipOf(connection: Connection, now: Instant): Chip {
  const { state, error, retryAt, staleSince } = connection;
  const cause = error ? ` (${oneLine(error, 120)})` : "";
  const since = staleSince === undefined ? "" : ` · stale since ${clock(staleSince)}`;
  switch (state) {
    case "live":
      if (connection.restarted) return { shape: "turned", text: "live · history restarted", stale: false };
      return { shape: "full", text: "live", stale: false };
    case "catching-up": {
      const of = connection.known
        ? ` ${grouped(connection.arrived ?? 0)} of ${grouped(connection.known)}`
        : "";
      return { shape: "half", text: `catching up${of}`, stale: false };
    }
    case "polling":
      return { shape: "half", text: `polling${cause}`, stale: false };
    case "reconnecting": {
      const left = retryAt === undefined ? 0 : Math.ceil((retryAt - now) / 1000);
      const wait = left > 0 ? ` in ${left} s` : "";
      return { shape: "empty", text: `reconnecting${wait}${cause}${since}`, stale: true };
    }
    case "hidden":
      return { shape: "empty", text: `paused while hidden${since}`, stale: true };
    case "ended":
      return { shape: "done", text: "complete", stale: false };
    case "unauthenticated":
      return { shape: "cross", text: "signed out", stale: true };
    case "refused":
      return { shape: "cross", text: `refused${cause}`, stale: true };
    case "missing":
      return { shape: "cross", text: "not found", stale: true };
    case "connecting":
      return { shape: "empty", text: "connecting", stale: false };
  }
}

/** What stands over a page that may be out of date; empty if it is up to date. */
export function staleNotice(connection: Connection, now: Instant): string {
  if (!chipOf(connection, now).stale || connection.staleSince === undefined) return "";
  return `No connection: this is what was known at ${clock(connection.staleSince)}. It may have changed since.`;
}

/** How many events a page is behind, in words. */
export function behindText(behind: number): string {
  return behind > 0 ? `${count(behind, "event")} to catch up on` : "";
}
