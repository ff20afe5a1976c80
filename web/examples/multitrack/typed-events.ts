/** A subscriber of `examples/multitrack` that sees the pipeline's events as typed messages. */
import type { MessageShape } from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import type { Event, MilepostClient } from "@milepost/client";
import {
  ConsentSchema,
  DurationSchema,
  FinalSummarySchema,
  FinalTitleSchema,
  ParticipantsSchema,
  TopicSchema,
  TranscriptSchema,
  WaveformSchema,
} from "./gen/multitrack_events_pb.js";

const SCHEMAS = {
  CONSENT: ConsentSchema,
  DURATION: DurationSchema,
  FINAL_SUMMARY: FinalSummarySchema,
  FINAL_TITLE: FinalTitleSchema,
  PARTICIPANTS: ParticipantsSchema,
  TOPIC: TopicSchema,
  TRANSCRIPT: TranscriptSchema,
  WAVEFORM: WaveformSchema,
} as const;

type Schemas = typeof SCHEMAS;

/** An event of the pipeline: `type` says which message it has. */
export type TypedEvent = {
  [Type in keyof Schemas]: { readonly type: Type; readonly message: MessageShape<Schemas[Type]> };
}[keyof Schemas];

/** The event of the pipeline in an event of a job; undefined if it is none. */
export function typedEvent(event: Event): TypedEvent | undefined {
  const { case: payload, value: custom } = event.payload;
  if (payload !== "custom" || custom.data.case !== "proto" || !isType(custom.type)) {
    return undefined;
  }
  const message = anyUnpack(custom.data.value, SCHEMAS[custom.type]);
  // Each type has one message, which the compiler cannot follow through the lookup.
  return message && ({ type: custom.type, message } as TypedEvent);
}

/** The pipeline's events of a job, from its beginning to its end, each once and in order. */
export async function* typedEvents(client: MilepostClient, jobId: string): AsyncGenerator<TypedEvent> {
  for await (const item of client.watchJob(jobId, { payloads: ["custom"] })) {
    const found = item.type === "event" ? typedEvent(item.event) : undefined;
    if (found !== undefined) {
      yield found;
    }
  }
}

/** A line for people. */
export function described(event: TypedEvent): string {
  switch (event.type) {
    case "PARTICIPANTS":
      return event.message.participants
        .map(({ name, consent }) => (consent ? name : `${name} (no consent)`))
        .join(", ");
    case "DURATION":
      return `${event.message.seconds.toFixed(1)} s`;
    case "WAVEFORM":
      return `${event.message.peaks.length} peaks`;
    case "TRANSCRIPT":
      return event.message.turns.map(({ speaker, text }) => `${speaker}: ${text}`).join("\n");
    case "TOPIC":
    case "FINAL_TITLE":
      return event.message.title;
    case "FINAL_SUMMARY":
      return event.message.summary;
    case "CONSENT":
      return `${event.message.deleted.length} files deleted of ${event.message.withheld.join(", ")}`;
  }
}

function isType(type: string): type is keyof Schemas {
  return Object.hasOwn(SCHEMAS, type);
}
