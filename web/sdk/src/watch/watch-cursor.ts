import { type MilepostError, ProtocolError, hasReason } from "../errors.js";
import type { Opened } from "../gen/milepost/v1/job_service_pb.js";
import { timestampMs, toDuration } from "../time.js";
import { EventSelection, STATUS_INTERVAL_MS, type WatchOptions } from "./watch-options.js";

/** The watch cannot go on where it was; the current state follows, as if the watch had just begun. */
export interface GapItem {
  readonly type: "gap";
  /** `trimmed`: the server dropped events; `restarted`: it has another log, so that all received before is void. */
  readonly why: "trimmed" | "restarted";
  readonly error: MilepostError;
}

/** The gap that an error tells of, if it does. */
export function gapOf(error: MilepostError): GapItem | undefined {
  if (hasReason(error, "SEQUENCE_TRIMMED")) {
    return { type: "gap", why: "trimmed", error };
  }
  return hasReason(error, "EPOCH_CHANGED") ? { type: "gap", why: "restarted", error } : undefined;
}

/** The start of a request after a cursor, with the current state, or with later events only. */
type Start<Name extends string> =
  | { readonly case: Name; readonly value: bigint }
  | { readonly case: "fromSnapshot" | "fromLatest"; readonly value: true }
  | { readonly case: undefined };

/** The options of a watch, and the state of its current stream. Pure: no transport, no time. */
export abstract class WatchCursor<Frame, Item> {
  /** Epoch of the cursor; empty until a stream has opened or, of one job from a snapshot, until that has come. */
  epoch: string;
  /** The newest known sequence or, in a watch of many jobs, position. */
  head = 0n;
  /** Whether this or an earlier stream, or a call, has reached the head. */
  caughtUp = false;
  /** Whether the current stream has opened. */
  opened = false;
  /** Whether the current stream has reached the head. */
  reachedHead = false;
  /** The server's clock minus this one's in milliseconds, when the last stream opened; undefined before. */
  clockOffsetMs: number | undefined;
  /** Whether the server cannot reach its store, as the last status said. */
  storeAway = false;

  protected start: "after" | "snapshot" | "latest";
  /** Whether a call has returned the current state. */
  protected hasCurrentState = false;
  protected readonly selection: EventSelection;
  protected readonly options: WatchOptions;

  constructor(options: WatchOptions) {
    const { after, start = "beginning", epoch = "" } = options;
    if (after !== undefined && options.start !== undefined) {
      throw new TypeError("A watch starts after a cursor, or by `start`: give one of them.");
    }
    this.options = options;
    this.selection = new EventSelection(options);
    this.start = start === "beginning" ? "after" : start;
    this.epoch = epoch;
  }

  /** The sequence or position that a new stream resumes after; 0 if it starts over. */
  abstract get resumeAfter(): bigint;

  /** Whether the watch is complete if the current stream ends now, without an error. */
  get complete(): boolean {
    return this.reachedHead && !this.follows;
  }

  /** Whether nothing more comes, whatever a stream says: it has the last item, or all that a call tells. */
  get hasLast(): boolean {
    return this.hasCurrentState && !this.follows;
  }

  /** The new items of a frame. Throws ProtocolError. */
  abstract accept(frame: Frame): readonly Item[];

  /** Items to yield instead of an error, before a new stream opens; undefined to throw it. */
  abstract recover(error: MilepostError): readonly Item[] | undefined;

  /** Whether further events are waited for. */
  get follows(): boolean {
    return this.options.follow ?? true;
  }

  /** Start a new stream: return what the requests of both kinds share. `name`: the field for `after`. */
  protected newStream<const Name extends string>(finite: boolean, name: Name, after: bigint | undefined) {
    this.opened = this.reachedHead = false;
    const starts: Record<typeof this.start, Start<Name>> = {
      after: after === undefined ? { case: undefined } : { case: name, value: after },
      snapshot: { case: "fromSnapshot", value: true },
      latest: { case: "fromLatest", value: true },
    };
    return {
      start: starts[this.start],
      epoch: this.epoch,
      delivery: this.selection.delivery,
      noFollow: finite || !this.follows,
      // A stream that ends at the head has a status with the estimates only if it asks for statuses.
      statusInterval: toDuration(
        this.options.statusIntervalMs ?? (finite && this.follows ? STATUS_INTERVAL_MS : undefined),
      ),
    };
  }

  /** Throw ProtocolError if the current stream has not opened before this frame. */
  protected checkOpened(frame: string | undefined): void {
    if (!this.opened) {
      throw new ProtocolError(`The stream began with ${frame ?? "an unknown frame"}, not with opened.`);
    }
  }

  /** The gap to yield instead of an error, if a state is to replace the events that cannot be had. */
  protected gapInstead(error: MilepostError): GapItem | undefined {
    return this.options.onGap === "throw" ? undefined : gapOf(error);
  }

  /** Note that the current stream has opened. */
  protected noteOpened(opened: Opened): void {
    this.opened = true;
    if (opened.serverTime !== undefined) {
      this.clockOffsetMs = timestampMs(opened.serverTime) - Date.now();
    }
    if (opened.epoch !== this.epoch) {
      this.epoch = opened.epoch;
      this.head = 0n;
    }
    this.raiseHead(opened.headSequence);
  }

  protected raiseHead(head: bigint): void {
    if (head > this.head) {
      this.head = head;
    }
  }
}
