/** Durations and timestamps of protobuf in milliseconds, as JavaScript counts. */
import { create } from "@bufbuild/protobuf";
import { type Duration, DurationSchema, type Timestamp } from "@bufbuild/protobuf/wkt";

/** A duration in milliseconds. */
export function durationMs({ seconds, nanos }: Duration): number {
  return Number(seconds) * 1000 + nanos / 1e6;
}

/** The duration of so many milliseconds; undefined stays undefined. */
export function toDuration(ms: number | undefined): Duration | undefined {
  if (ms === undefined) {
    return undefined;
  }
  const seconds = Math.floor(ms / 1000);
  return create(DurationSchema, {
    seconds: BigInt(seconds),
    nanos: Math.round((ms - seconds * 1000) * 1e6),
  });
}

/** A timestamp in milliseconds since 1970, as `Date` has it. */
export function timestampMs({ seconds, nanos }: Timestamp): number {
  return Number(seconds) * 1000 + nanos / 1e6;
}
