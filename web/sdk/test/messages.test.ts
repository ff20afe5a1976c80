import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { type Event, EventSchema } from "@milepost/client";
import { expect, test } from "vitest";
import { openPage } from "../../testing/browser.js";
import { servePage } from "../../testing/site.js";

/** The payload of an event as a phrase; compiles only while the `switch` names every payload. */
function phrase(event: Event): string {
  const { payload } = event;
  switch (payload.case) {
    case "jobSubmitted":
      return "submitted";
    case "jobStarted":
      return `started by ${payload.value.workerId}`;
    case "stagesPlanned":
      return `${payload.value.stages.length} stages`;
    case "stageStarted":
    case "stageProgressed":
    case "stageEnded":
      return "stage";
    case "logWritten":
      return payload.value.text;
    case "artifactAdded":
      return payload.value.artifact?.uri ?? "";
    case "custom":
      return payload.value.type;
    case "cancelRequested":
    case "cancelAcknowledged":
      return "cancel";
    case "attemptEnded":
    case "jobEnded":
    case "childrenProgressed":
      return "end";
    case undefined:
      return "unknown";
    default:
      return payload satisfies never;
  }
}

test("an event keeps its payload over the wire, and its type narrows by it", () => {
  const event = create(EventSchema, {
    sequence: 7n,
    payload: { case: "logWritten", value: { text: "hello" } },
  });

  const read = fromBinary(EventSchema, toBinary(EventSchema, event));

  expect(read).toStrictEqual(event);
  expect(phrase(read)).toBe("hello");
});

test("the messages work in a browser", async () => {
  const url = await servePage(`
    import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
    import { EventSchema } from "@milepost/client";
    const event = create(EventSchema, { payload: { case: "logWritten", value: { text: "hello" } } });
    const read = fromBinary(EventSchema, toBinary(EventSchema, event));
    document.title = read.payload.case + " " + read.payload.value.text;
  `);

  const page = await openPage(url);

  await expect.poll(() => page.title()).toBe("logWritten hello");
});
