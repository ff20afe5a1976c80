import type { Calls } from "../calls.js";
import type { StreamSlots } from "./stream-slots.js";
import type { WatchTiming } from "./watch-timing.js";

/** What a watch needs of its client. */
export interface WatchContext {
  readonly calls: Calls;
  readonly timing: WatchTiming;
  readonly slots: StreamSlots;
  /** Give up a connection on which nothing comes any more, so that the next stream goes over another one. */
  readonly dropConnection: () => void;
}
