import { create } from "@bufbuild/protobuf";
import { EstimateSchema, JobState, remainingTime } from "@milepost/client";
import { describe, expect, test } from "vitest";
import { START, at, job, runningJob } from "./elements/jobs.js";

const estimate = create(EstimateSchema, {
  remainingP50: { seconds: 4n },
  remainingP90: { seconds: 9n, nanos: 500_000_000 },
  sampleSize: 14,
  asOf: at(10),
});

describe("the remaining time", () => {
  test("counts down since the estimate was made, to 0 and no further", () => {
    const running = runningJob({ estimate });
    const left = [5, 10, 13.5, 30].map((seconds) => remainingTime(running, START + seconds * 1000));
    expect(left.map((each) => [each?.medianMs, each?.mostMs])).toEqual([
      [4000, 9500],
      [4000, 9500],
      [500, 6000],
      [0, 0],
    ]);
    expect(left[0]?.estimate.sampleSize).toBe(14);
  });

  test("there is none without evidence, and unless the job runs", () => {
    expect(remainingTime(runningJob())).toBeUndefined();
    expect(remainingTime(runningJob({ estimate: {} }))).toBeUndefined();
    for (const state of [JobState.QUEUED, JobState.CANCELLING, JobState.SUCCEEDED]) {
      expect(remainingTime(job({ state, estimate }))).toBeUndefined();
    }
  });

  test("an overdue job says so, and has no times", () => {
    const overdue = runningJob({ estimate: { overdue: true, sampleSize: 14 } });
    expect(remainingTime(overdue)).toMatchObject({ overdue: true, medianMs: undefined, mostMs: undefined });
  });
});
