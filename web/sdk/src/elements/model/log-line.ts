/** A line of a job's log. */

import { Severity, type Event } from "../messages.js";
import { instantOf, type Instant } from "./instants.js";

export interface LogLine {
  /** Of the event. */
  readonly sequence: number;
  readonly time: Instant;
  readonly stageId: string;
  readonly severity: Severity;
  readonly text: string;
}

/** The line of an event; undefined for other events. */
export function lineOf(event: Event): LogLine | undefined {
  if (event.payload.case !== "logWritten") return undefined;
  const { stageId, severity, text } = event.payload.value;
  return {
    sequence: Number(event.sequence),
    time: instantOf(event.time) ?? 0,
    stageId,
    severity: severity === Severity.UNSPECIFIED ? Severity.INFO : severity,
    text: text.replace(/\r?\n$/, ""),
  };
}
