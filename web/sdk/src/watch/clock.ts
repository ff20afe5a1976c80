/**
 * Waiting on a machine that may sleep: timers stand still while a laptop sleeps, and a page in the background runs
 * them late.
 */

/** Longest timer in milliseconds: after a sleep the clock is read within this time. */
const TICK_MS = 5_000;
/** A timer that is this late says that the page slept; what came in meanwhile gets as much time to be read. */
const LATE_MS = 2_000;

/** Start measuring: the function returns the milliseconds since, sleep included. */
export function stopwatch(): () => number {
  const start = Date.now();
  const monotonicStart = performance.now();
  // The monotonic clock may stand still while the machine sleeps; the other one may be set back.
  return () => Math.max(Date.now() - start, performance.now() - monotonicStart);
}

/** Call `expired` once `ms` have passed, sleep included, unless the returned function is called before. */
export function deadline(ms: number, expired: () => void): () => void {
  if (ms === Infinity) {
    return () => undefined;
  }
  const elapsed = stopwatch();
  let limit = ms;
  let timer: ReturnType<typeof setTimeout>;
  const wait = (): void => {
    const planned = Math.min(Math.max(limit - elapsed(), 0), TICK_MS);
    const sinceTick = stopwatch();
    timer = setTimeout(() => {
      if (elapsed() < limit) {
        wait();
      } else if (limit === ms && sinceTick() - planned >= LATE_MS) {
        limit = elapsed() + LATE_MS;
        wait();
      } else {
        expired();
      }
    }, planned);
  };
  wait();
  return () => {
    clearTimeout(timer);
  };
}

/** Wait for `ms`, or until the signal is aborted; then it returns, too. */
export function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted || ms <= 0) {
      resolve();
      return;
    }
    const done = (): void => {
      cancel();
      signal.removeEventListener("abort", done);
      resolve();
    };
    const cancel = deadline(ms, done);
    signal.addEventListener("abort", done);
  });
}

/** Wait for `promise`; throw the signal's reason once it is aborted. */
export async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) {
    return promise;
  }
  const ended = new AbortController();
  const aborted = new Promise<never>((_, reject) => {
    const abort = (): void => {
      reject(signal.reason as Error);
    };
    signal.addEventListener("abort", abort, { signal: ended.signal });
    if (signal.aborted) {
      abort();
    }
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    ended.abort();
  }
}
