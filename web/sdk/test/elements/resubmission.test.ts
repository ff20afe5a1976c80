import { create } from "@bufbuild/protobuf";
import { Dispatch, JobSchema, JobState, SubmitJobRequestSchema } from "@milepost/client";
import { expect, test } from "vitest";
import { hasInput, isRetryable, resubmission } from "../../src/elements/model/resubmission.js";
import { job, stage } from "./jobs.js";

test("a job has each field of its submission but those that name the job and the call", () => {
  const names = (schema: typeof JobSchema | typeof SubmitJobRequestSchema) =>
    schema.fields.map(({ localName }) => localName);
  const missing = names(SubmitJobRequestSchema).filter((name) => !names(JobSchema).includes(name));
  expect(missing).toStrictEqual(["requestId"]);
});

test("it is submitted again as another job, with the stages that were planned and nothing of what became of them", () => {
  const init = {
    kind: "mix",
    labels: { room: "blue" },
    input: { file: "a.wav" },
    timeout: { seconds: 60n },
    priority: 3,
    dispatch: Dispatch.QUEUE,
  };
  const planned = { stageId: "get", title: "get it", total: 4, unit: "MB" };
  const before = job({
    ...init,
    state: JobState.FAILED,
    parentJobId: "parent",
    stages: [
      stage("get", { ...planned, current: 3, message: "half", startTime: { seconds: 1n } }),
      stage("found", { planned: false }),
    ],
  });
  const again = create(SubmitJobRequestSchema, resubmission(before, "other"));
  expect(again).toStrictEqual(
    create(SubmitJobRequestSchema, { ...init, parentJobId: "other", stages: [planned] }),
  );
});

test("it is offered where the job did not succeed and no other engine decides, and possible where its input is kept", () => {
  const states = [JobState.FAILED, JobState.LOST, JobState.CANCELLED, JobState.SUCCEEDED, JobState.RUNNING];
  expect(states.map((state) => isRetryable(job({ state })))).toStrictEqual([true, true, true, false, false]);
  expect(isRetryable(job({ state: JobState.FAILED, dispatch: Dispatch.EXTERNAL }))).toBe(false);
  const jobs = [job(), job({ input: {} }), job({ input: { a: 1 }, inputSize: 9 }), job({ inputSize: 9 })];
  expect(jobs.map(hasInput)).toStrictEqual([true, true, true, false]);
});
