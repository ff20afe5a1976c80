/** Times of messages as numbers, and numbers as the text that people read. */

import type { Duration, Timestamp } from "@bufbuild/protobuf/wkt";

/** Milliseconds since the epoch of Unix. */
export type Instant = number;

export function instantOf(time: Timestamp): Instant;
export function instantOf(time: Timestamp | undefined): Instant | undefined;
export function instantOf(time: Timestamp | undefined): Instant | undefined {
  return time && Number(time.seconds) * 1000 + time.nanos / 1e6;
}

/** Seconds of a duration. */
export function secondsOf(duration: Duration): number {
  return Number(duration.seconds) + duration.nanos / 1e9;
}

/** A duration as `MM:SS`, from one hour as `H:MM:SS`; never negative. */
export function elapsed(seconds: number): string {
  const total = Math.max(Math.floor(seconds), 0);
  const hours = Math.floor(total / 3600);
  const clock = `${two(Math.floor(total / 60) % 60)}:${two(total % 60)}`;
  return hours ? `${hours}:${clock}` : clock;
}

/** The same for what has ended: with tenths below ten seconds, such as `0.4 s`, and `14 ms` below a tenth. */
export function took(seconds: number): string {
  if (seconds < 0.0995) return `${Math.round(Math.max(seconds, 0) * 1000)} ms`;
  return seconds < 9.95 ? `${seconds.toFixed(1)} s` : elapsed(seconds);
}

/** An age in its largest unit: `12 s`, `3 min`, `5 h`, `12 d`. */
export function age(seconds: number): string {
  const whole = Math.max(seconds, 0);
  if (whole >= 86_400) return `${Math.floor(whole / 86_400)} d`;
  if (whole >= 3600) return `${Math.floor(whole / 3600)} h`;
  if (whole >= 60) return `${Math.floor(whole / 60)} min`;
  return `${Math.floor(whole)} s`;
}

/** The time of day as `HH:MM:SS`, in the reader's zone. */
export function clock(time: Instant): string {
  const date = new Date(time);
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** The time of day, if it is of today; else its day and minute: `2026-11-25 12:03`. */
export function when(time: Instant, now: Instant): string {
  const [day, today] = [time, now].map((each) => absolute(each).slice(0, 10));
  return day === today ? clock(time) : `${day} ${clock(time).slice(0, 5)}`;
}

/** The whole time with its zone, for titles: `2026-11-25 12:03:58.123 +01:00`. */
export function absolute(time: Instant): string {
  const date = new Date(time);
  const offset = -date.getTimezoneOffset();
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  const zone = `${offset < 0 ? "−" : "+"}${two(Math.floor(Math.abs(offset) / 60))}:${two(Math.abs(offset) % 60)}`;
  return `${day} ${clock(time)}.${String(date.getMilliseconds()).padStart(3, "0")} ${zone}`;
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}
