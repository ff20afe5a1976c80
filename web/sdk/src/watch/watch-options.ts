import type { Event } from "../gen/milepost/v1/event_pb.js";
import { Delivery, type EventFilter, EventFilterSchema } from "../gen/milepost/v1/job_service_pb.js";
import { create } from "@bufbuild/protobuf";
import type { Connection } from "./connection.js";

/** Default of `statusIntervalMs`. */
export const STATUS_INTERVAL_MS = 10_000;
/** Milliseconds between two statuses of many jobs that are shown: a status has their new estimates. */
export const JOBS_STATUS_INTERVAL_MS = 5_000;

/** Name of a payload of an event, as in `event.payload.case`. */
export type PayloadName = NonNullable<Event["payload"]["case"]>;

/** Options of `watchJob` and `watchJobs`. */
export interface WatchOptions {
  /**
   * Start after this cursor: the sequence of an event or, for many jobs, a position. Not with `start`.
   *
   * Pass the `epoch` with it, so that a cursor of another log is noticed.
   */
  readonly after?: bigint;
  /** Epoch of the cursor, as `watch.epoch` had it. */
  readonly epoch?: string;
  /** Where to start: with the whole log (default), the current state, or later events only. */
  readonly start?: "beginning" | "snapshot" | "latest";
  /**
   * What to do if the watch cannot go on from its cursor, because the server dropped events or has another log:
   * yield a gap and then the current state (default), or throw SEQUENCE_TRIMMED or EPOCH_CHANGED.
   */
  readonly onGap?: "snapshot" | "throw";
  /** Only these payloads; all by default. */
  readonly payloads?: readonly PayloadName[];
  /** Only events of these stages, and events that belong to no stage; all by default. */
  readonly stages?: readonly string[];
  /** Only the newest progress of each stage at a time (default false). */
  readonly latestProgress?: boolean;
  /** Whether to wait for further events (default), or end when the watch has caught up. */
  readonly follow?: boolean;
  /** Milliseconds between two statuses of an idle stream, 1,000 to 3,600,000; by default 10,000. */
  readonly statusIntervalMs?: number;
  /**
   * Milliseconds in which the first connection has to succeed, and in which a node that lags behind the cursor has to read as
   * far; by default 30,000, `Infinity` for no limit. With that, as in a page whose user sees that it reconnects, the watch
   * also goes on after the eighth error without a reason in a row, which ends others (docs/clients.md).
   * For the first connection, the time in which a page is hidden does not count, since browsers then make it wait.
   */
  readonly connectTimeoutMs?: number;
  /** In a browser: give the stream back while the page is hidden, and go on when it is shown (default false). */
  readonly pauseWhenHidden?: boolean;
  /** Called at each change of the connection. What it throws ends the watch, and whoever iterates over it gets it. */
  readonly onConnection?: (connection: Connection) => void;
  /** Ends the watch; iterating then throws the signal's reason. */
  readonly signal?: AbortSignal;
}

/** Which events a watch yields; the server filters out the others as far as it can. */
export class EventSelection {
  readonly #payloads: ReadonlySet<string>;
  readonly #stages: readonly string[];
  readonly delivery: Delivery;

  constructor({ payloads = [], stages = [], latestProgress = false }: WatchOptions) {
    this.#payloads = new Set(payloads);
    this.#stages = stages;
    this.delivery = latestProgress ? Delivery.LATEST : Delivery.UNSPECIFIED;
  }

  /** Whether it leaves out any events. */
  get isFiltered(): boolean {
    return this.#payloads.size > 0 || this.#stages.length > 0 || this.delivery === Delivery.LATEST;
  }

  /** The filter of a request, which also lets `extra` payloads through; undefined to let everything through. */
  filter(...extra: readonly PayloadName[]): EventFilter | undefined {
    if (this.#payloads.size === 0 && this.#stages.length === 0) {
      return undefined;
    }
    const payloads = this.#payloads.size === 0 ? [] : [...new Set([...this.#payloads, ...extra])];
    return create(EventFilterSchema, { payloads: payloads.map(toSnakeCase), stageIds: [...this.#stages] });
  }

  /** Whether the caller asked for this event, which the client may have requested for its own use. */
  includes(event: Event): boolean {
    return this.#payloads.size === 0 || this.#payloads.has(event.payload.case ?? "");
  }
}

function toSnakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
