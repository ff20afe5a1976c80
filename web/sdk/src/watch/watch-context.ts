import type { Calls } from "../calls.js";
import type { StreamSlots } from "./stream-slots.js";
import type { WatchTiming } from "./watch-timing.js";

/** What a watch needs of its client. */
export interface WatchContext {
  readonly calls: Calls;
  readonly timing: WatchTiming;
  readonly slots: StreamSlots;
  /**
   * Note the connection that the next stream goes over. The returned function leaves it where nothing comes any more, so that
   * the stream after it goes over another one.
   */
  readonly holdConnection: () => () => void;
}
