/** Durations and timestamps of protobuf in milliseconds, as JavaScript counts. */
import { create } from "@bufbuild/protobuf";
import { type Duration, DurationSchema, type Timestamp } from "@bufbuild/protobuf/wkt";

/** A duration in milliseconds. */
export function durationMs({ seconds, nanos }: Duration): number {
  return Number(seconds) * 1000 + nanos / 1e6;
}

/** The duration of so many milliseconds; undefined stays undefined. Throws a RangeError unless it is a number. */
export function toDuration(ms: number | undefined): Duration | undefined {
  if (ms === undefined) {
    return undefined;
  }
  if (!Number.isFinite(ms)) {
    throw new RangeError(`${ms} ms is no duration.`);
  }
  const nanos = BigInt(Math.round(ms * 1e6));
  return create(DurationSchema, { seconds: nanos / 1_000_000_000n, nanos: Number(nanos % 1_000_000_000n) });
}

/** A timestamp in milliseconds since 1970, as `Date` has it. */
export function timestampMs({ seconds, nanos }: Timestamp): number {
  return Number(seconds) * 1000 + nanos / 1e6;
}
