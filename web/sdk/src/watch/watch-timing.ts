/** Waits and timeouts of a watch, in milliseconds. */
export interface WatchTiming {
  /** First delay before a reconnect; it doubles each time. Default 1,000. */
  readonly backoffMs: number;
  /** Longest delay before a reconnect. Default 30,000. */
  readonly maximumBackoffMs: number;
  /** Polling interval where no long stream is to be had. Default 2,000. */
  readonly pollMs: number;
  /** Delay before long streams are tried again where none got through. Default 300,000. */
  readonly streamRetryMs: number;
  /** Timeout of a call that probes whether the server answers. Default 5,000. */
  readonly probeMs: number;
  /** Silence beyond 2.5 status intervals after which a stream counts as lost. Default 5,000. */
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
