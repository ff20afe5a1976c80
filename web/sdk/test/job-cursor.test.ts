import { type MessageInitShape, create } from "@bufbuild/protobuf";
import { EventSchema, JobSchema, WatchJobResponseSchema } from "@milepost/client";
import { describe, expect, test } from "vitest";
import { JobCursor } from "../src/watch/job-cursor.js";

function openCursor(): JobCursor {
  const cursor = new JobCursor("j", {});
  cursor.request(false);
  cursor.accept(frame({ case: "opened", value: { epoch: "e", headSequence: 0n } }));
  return cursor;
}

function frame(value: MessageInitShape<typeof WatchJobResponseSchema>["frame"]) {
  return create(WatchJobResponseSchema, { frame: value });
}

const estimated = frame({ case: "status", value: { estimate: { sampleSize: 3 } } });

describe("the estimate of a watched job", () => {
  test.each(["jobStarted", "attemptEnded", "cancelRequested", "jobEnded"] as const)(
    "does not outlive %s",
    (change) => {
      const cursor = openCursor();
      cursor.accept(estimated);
      expect(cursor.estimate?.sampleSize).toBe(3);
      const event = create(EventSchema, { sequence: 1n, payload: { case: change, value: {} } });
      cursor.accept(frame({ case: "events", value: { events: [event] } }));
      expect(cursor.estimate).toBeUndefined();
    },
  );

  test("is that of the last status, snapshot or call, also if it has none", () => {
    const cursor = openCursor();
    cursor.accept(estimated);
    cursor.acceptPresent(create(JobSchema, { estimate: { sampleSize: 4 } }), undefined);
    expect(cursor.estimate?.sampleSize).toBe(4);
    cursor.accept(estimated);
    cursor.accept(frame({ case: "status", value: {} }));
    expect(cursor.estimate).toBeUndefined();
  });
});
