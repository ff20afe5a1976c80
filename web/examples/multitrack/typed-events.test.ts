import { createClient } from "@milepost/client/node";
import { expect, expectTypeOf, test } from "vitest";
import { SharedProcess } from "../../testing/python.js";
import { sharedServer } from "../../testing/server.js";
import type { Topic, Transcript } from "./gen/multitrack_events_pb.js";
import { type TypedEvent, described, typedEvents } from "./typed-events.js";

/** Reports one event of each type, as the pipeline does, and two that are none of its own. */
const PIPELINE = `
import sys
from examples.multitrack.multitrack_events_pb2 import (
    Consent, Duration, FinalSummary, FinalTitle, Participant, Participants, Topic, Transcript, Turn, Waveform, WordErrors,
)
from examples.multitrack.typed_events import emit
from milepost.client import SyncClient

with SyncClient() as client, client.start("recording", job_id="typed") as job:
    emit(job, Participants(participants=[
        Participant(name="Ada", track_id="1", consent=True), Participant(name="Cleo", track_id="2"),
    ]))
    emit(job, Duration(seconds=12.5))
    job.emit("TOPIC", {"title": "JSON, and no message"})
    job.emit("OTHER", Topic(title="of another type"))
    emit(job, Waveform(peaks=[0.5, 1.0]))
    emit(job, Transcript(
        turns=[Turn(speaker="Ada", start=0.25, end=2.5, text="there is snow")],
        word_errors=WordErrors(words=3, deleted=1),
    ))
    emit(job, Topic(title="snow", start=0.25, end=2.5, summary="there is snow"))
    emit(job, FinalTitle(title="Snow"))
    emit(job, FinalSummary(summary="There is snow."))
    emit(job, Consent(withheld=["Cleo"], deleted=["2.wav", "2.json"], checked_files=7))
print("reported", file=sys.stderr)
`;

const server = sharedServer();
new SharedProcess(server, "python", ["-c", PIPELINE], /(reported)/);

test("a subscriber sees the events of the pipeline as typed messages, in order", async () => {
  const found: TypedEvent[] = [];
  for await (const event of typedEvents(createClient({ baseUrl: server.baseUrl }), "typed")) {
    found.push(event);
  }

  expect(found).toMatchObject([
    {
      type: "PARTICIPANTS",
      message: {
        participants: [
          { name: "Ada", trackId: "1", consent: true },
          { name: "Cleo", trackId: "2", consent: false },
        ],
      },
    },
    { type: "DURATION", message: { seconds: 12.5 } },
    { type: "WAVEFORM", message: { peaks: [0.5, 1] } },
    {
      type: "TRANSCRIPT",
      message: {
        turns: [{ speaker: "Ada", start: 0.25, end: 2.5, text: "there is snow" }],
        wordErrors: { words: 3, substituted: 0, deleted: 1, inserted: 0 },
      },
    },
    { type: "TOPIC", message: { title: "snow", start: 0.25, end: 2.5, summary: "there is snow" } },
    { type: "FINAL_TITLE", message: { title: "Snow" } },
    { type: "FINAL_SUMMARY", message: { summary: "There is snow." } },
    { type: "CONSENT", message: { withheld: ["Cleo"], deleted: ["2.wav", "2.json"], checkedFiles: 7 } },
  ]);
  expect(found.map(described)).toStrictEqual([
    "Ada, Cleo (no consent)",
    "12.5 s",
    "2 peaks",
    "Ada: there is snow",
    "snow",
    "Snow",
    "There is snow.",
    "2 files deleted of Cleo",
  ]);
});

test("the type of an event says which message it has", () => {
  expectTypeOf<Extract<TypedEvent, { type: "TOPIC" }>["message"]>().toEqualTypeOf<Topic>();
  expectTypeOf<Extract<TypedEvent, { type: "TRANSCRIPT" }>["message"]>().toEqualTypeOf<Transcript>();
});
