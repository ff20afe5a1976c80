/** A line of a job's log, or the boundary before the lines of another attempt. */

import { Severity, type Event } from "../messages.js";
import { instantOf, type Instant } from "./instants.js";

export interface LogLine {
  /** Of the event. */
  readonly sequence: number;
  readonly time: Instant;
  readonly stageId: string;
  readonly severity: Severity;
  readonly text: string;
  /** Of a boundary: the attempt that starts here, after another one. */
  readonly startsAttempt?: number;
}

/** The payloads that lines and boundaries are made of; a page of the log asks for no others. */
export const LOG_PAYLOADS = ["logWritten", "jobStarted"] as const;

/** The line of an event, or the boundary where an attempt after the first one starts; undefined for other events. */
export function lineOf(event: Event): LogLine | undefined {
  const sequence = Number(event.sequence);
  const time = instantOf(event.time) ?? 0;
  if (event.payload.case === "jobStarted" && event.attempt > 1) {
    return { sequence, time, stageId: "", severity: Severity.INFO, text: "", startsAttempt: event.attempt };
  }
  if (event.payload.case !== "logWritten") return undefined;
  const { stageId, severity, text } = event.payload.value;
  return {
    sequence,
    time,
    stageId,
    severity: severity === Severity.UNSPECIFIED ? Severity.INFO : severity,
    text: text.replace(/\r?\n$/, ""),
  };
}
