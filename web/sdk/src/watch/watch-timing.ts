/** How long a watch waits, in milliseconds. */
export interface WatchTiming {
  /** The first wait before it connects again; doubles each time. Default 1,000. */
  readonly backoffMs: number;
  /** The longest wait before it connects again. Default 30,000. */
  readonly maximumBackoffMs: number;
  /** Between two questions while no stream is to be had. Default 2,000. */
  readonly pollMs: number;
  /** Before the next attempt at a long stream while none gets through. Default 300,000. */
  readonly streamRetryMs: number;
  /** For the answer of a call that only finds out whether the server answers. Default 5,000. */
  readonly probeMs: number;
  /** Beyond 2.5 status intervals without any frame, before the connection counts as lost. Default 5,000. */
  readonly silenceMs: number;
}

export const WATCH_TIMING: WatchTiming = {
  backoffMs: 1_000,
  maximumBackoffMs: 30_000,
  pollMs: 2_000,
  streamRetryMs: 300_000,
  probeMs: 5_000,
  silenceMs: 5_000,
};
