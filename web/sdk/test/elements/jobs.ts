/** Jobs, stages and events for tests of what the elements show. */
import { type MessageInitShape, create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { EventSchema, JobSchema, JobState, StageSchema, StageState } from "@milepost/client";

/** When the jobs of tests were submitted: 2026-01-02 03:04:05 UTC. */
export const START = Date.UTC(2026, 0, 2, 3, 4, 5);

/** A time so many seconds after `START`. */
export function at(seconds: number) {
  return timestampFromMs(START + seconds * 1000);
}

export function job(init: MessageInitShape<typeof JobSchema> = {}) {
  return create(JobSchema, { jobId: "j", kind: "transcribe", submitTime: at(0), ...init });
}

export function runningJob(init: MessageInitShape<typeof JobSchema> = {}) {
  return job({ state: JobState.RUNNING, attempt: 1, startTime: at(2), firstStartTime: at(2), ...init });
}

export function stage(stageId: string, init: MessageInitShape<typeof StageSchema> = {}) {
  return create(StageSchema, { stageId, state: StageState.PENDING, planned: true, ...init });
}

export function event(sequence: number, init: MessageInitShape<typeof EventSchema> = {}) {
  return create(EventSchema, {
    jobId: "j",
    sequence: BigInt(sequence),
    time: at(sequence),
    attempt: 1,
    ...init,
  });
}
