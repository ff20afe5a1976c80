import { expect, test } from "vitest";
import { toDuration } from "../src/time.js";

test.each([
  [0, 0n, 0],
  [1500, 1n, 500_000_000],
  [0.3, 0n, 300_000],
  [999.999_999_9, 1n, 0],
  [-1500, -1n, -500_000_000],
])("%d ms are a valid duration", (ms, seconds, nanos) => {
  expect(toDuration(ms)).toMatchObject({ seconds, nanos });
});

test.each([Infinity, NaN])("%d ms are refused", (ms) => {
  expect(() => toDuration(ms)).toThrow(new RangeError(`${ms} ms is no duration.`));
});
