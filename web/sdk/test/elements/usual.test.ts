import { create } from "@bufbuild/protobuf";
import { JobState, StageState } from "@milepost/client";
import { describe, expect, test } from "vitest";
import { isSlow, usualStages, usualText } from "../../src/elements/model/usual.js";
import { GetHistoryResponseSchema } from "../../src/gen/milepost/v1/job_service_pb.js";
import { START, at, runningJob, stage } from "./jobs.js";

function history(runs: number) {
  return create(GetHistoryResponseSchema, {
    runs,
    durationP50: { seconds: 185n },
    durationP90: { seconds: 250n },
    stages: [{ stageId: "a", durationP50: { seconds: 10n } }, { stageId: "b" }],
  });
}

describe("a run beside the usual", () => {
  test("the usual is said of a run that succeeded, once there are a few", () => {
    const ended = runningJob({ state: JobState.SUCCEEDED, endTime: at(9) });
    expect(usualText(ended, history(3))).toBe("usually 03:05, at most 04:10 in nine of ten · 3 runs");
    expect([usualText(ended, history(2)), usualText(ended, undefined)]).toEqual(["", ""]);
    expect(usualText(runningJob(), history(9))).toBe("");
  });

  test("each stage has its own, where runs had it", () => {
    expect([...usualStages(history(3))]).toEqual([["a", 10]]);
    expect(usualStages(history(2)).size).toBe(0);
  });

  test("a stage is slow from half as much again on, while it runs and when it has ended", () => {
    const running = stage("a", { state: StageState.RUNNING, startTime: at(0) });
    expect([15, 16].map((seconds) => isSlow(running, 10, START + seconds * 1000))).toEqual([false, true]);
    const ended = stage("a", { state: StageState.SUCCEEDED, startTime: at(0), endTime: at(12) });
    expect(isSlow(ended, 10, START + 99_000)).toBe(false);
    // A tenth of a second more is no news, however short the stage.
    const short = stage("a", { state: StageState.SUCCEEDED, startTime: at(0), endTime: at(0.9) });
    expect(isSlow(short, 0.1, START)).toBe(false);
    expect(isSlow(stage("a"), 10, START)).toBe(false);
  });
});
