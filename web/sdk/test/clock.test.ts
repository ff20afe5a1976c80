import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { deadline, sleep, unlessAborted } from "../src/watch/clock.js";

const HOUR_MS = 3_600_000;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date", "performance"] });
});

afterEach(() => {
  vi.useRealTimers();
});

/** Let a laptop sleep: the wall clock goes on, timers and the monotonic clock do not. */
function letMachineSleep(ms: number): void {
  vi.setSystemTime(Date.now() + ms);
}

describe("a deadline", () => {
  test("expires once its time is over", () => {
    const expired = vi.fn();
    deadline(30_000, expired);

    vi.advanceTimersByTime(29_999);
    expect(expired).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(expired).toHaveBeenCalledOnce();
    vi.advanceTimersByTime(HOUR_MS);
    expect(expired).toHaveBeenCalledOnce();
  });

  test("does not expire after it was called off", () => {
    const expired = vi.fn();
    deadline(30_000, expired)();

    vi.advanceTimersByTime(HOUR_MS);
    expect(expired).not.toHaveBeenCalled();
  });

  test("counts the time that the machine sleeps, within seconds after it woke up", () => {
    const expired = vi.fn();
    deadline(30_000, expired);
    vi.advanceTimersByTime(1_000);

    letMachineSleep(HOUR_MS);
    vi.advanceTimersByTime(7_000);

    expect(expired).toHaveBeenCalledOnce();
  });

  test("leaves a moment after a sleep for what came in meanwhile to be read", () => {
    const expired = vi.fn();
    const callOff = deadline(30_000, expired);

    letMachineSleep(HOUR_MS);
    vi.advanceTimersByTime(6_000);
    expect(expired).not.toHaveBeenCalled();
    callOff();
    vi.advanceTimersByTime(HOUR_MS);

    expect(expired).not.toHaveBeenCalled();
  });

  test("does not expire earlier where the clock is set back", () => {
    const expired = vi.fn();
    deadline(30_000, expired);

    vi.setSystemTime(Date.now() - HOUR_MS);
    vi.advanceTimersByTime(30_000);

    expect(expired).toHaveBeenCalledOnce();
  });

  test("never expires if it is infinite", () => {
    const expired = vi.fn();
    deadline(Infinity, expired);

    vi.advanceTimersByTime(HOUR_MS);
    expect(vi.getTimerCount()).toBe(0);
    expect(expired).not.toHaveBeenCalled();
  });
});

test("a wait for another attempt is over when its signal says so", async () => {
  const waking = new AbortController();
  const waiting = sleep(HOUR_MS, waking.signal);

  waking.abort();
  await waiting;

  expect(vi.getTimerCount()).toBe(0);
});

test("a promise is waited for unless the signal is aborted", async () => {
  const ending = new AbortController();
  const never = new Promise<never>(() => undefined);

  await expect(unlessAborted(Promise.resolve(1), ending.signal)).resolves.toBe(1);
  const waiting = unlessAborted(never, ending.signal);
  ending.abort(new Error("enough"));

  await expect(waiting).rejects.toThrow("enough");
  await expect(unlessAborted(never, ending.signal)).rejects.toThrow("enough");
});
