import { create } from "@bufbuild/protobuf";
import { DurationSchema } from "@bufbuild/protobuf/wkt";
import { EstimateBasis, EstimateSchema, JobState, WaitingFor, WaitingSchema } from "@milepost/client";
import { describe, expect, test } from "vitest";
import {
  evidenceText,
  remainingCell,
  remainingText,
  runEvidenceText,
  runText,
} from "../../src/elements/model/estimate-text.js";
import { waitingText } from "../../src/elements/model/waiting-text.js";
import { START, at, job, runningJob } from "./jobs.js";

function estimate(basis = EstimateBasis.HISTORY, sampleSize = 14) {
  return create(EstimateSchema, {
    remainingP50: { seconds: 200n },
    remainingP90: { seconds: 310n },
    basis,
    sampleSize,
    asOf: at(10),
  });
}

function words(seconds: number, basis?: EstimateBasis, sampleSize?: number): string[] {
  const running = runningJob({ estimate: estimate(basis, sampleSize) });
  const now = START + seconds * 1000;
  return [remainingText(running, now), evidenceText(running, now)];
}

describe("what a job still takes", () => {
  test("counts down, and says so where it has run out", () => {
    expect(words(10)).toEqual(["about 03:20 left", "at most 05:10 · from 14 runs"]);
    expect(words(70.5)).toEqual(["about 02:19 left", "at most 04:09 · from 14 runs"]);
    expect(words(209.5)).toEqual(["ending any moment", "at most 01:50 · from 14 runs"]);
    expect(words(325.5)).toEqual(["ending any moment", "from 14 runs"]);
    expect(words(326.5)).toEqual(["longer than expected", "from 14 runs"]);
    expect(remainingCell(runningJob({ estimate: estimate() }), START + 1_000_000)).toBe("");
  });

  // As of a job that is late: once it is off by a second, at the latest after the five of a list.
  test.each([
    [0, 1, "ending any moment"],
    [1, 3, "ending any moment"],
    [6, 8, "ending any moment"],
    [7, 13, "about N left"],
  ])("holds while the server makes the same anew: %i s", (median, most, held) => {
    const late = estimate();
    late.remainingP50 = create(DurationSchema, { seconds: BigInt(median), nanos: 500_000_000 });
    late.remainingP90 = create(DurationSchema, { seconds: BigInt(most) });
    const texts = Array.from({ length: 60 }, (_, tenths) =>
      remainingText(runningJob({ estimate: late }), START + 10_000 + tenths * 100),
    );
    expect(new Set(texts.map((text) => text.replace(/[\d:]+/, "N")))).toEqual(new Set([held]));
  });

  test("has words for what it rests on", () => {
    expect(words(10, EstimateBasis.WORKLOAD, 1)[1]).toBe(
      "at most 05:10 · from 1 run, scaled to its workload",
    );
    expect(words(10, EstimateBasis.PACE, 12)[1]).toBe("at most 05:10 · from its pace so far");
  });

  test("is unknown of a job that is overdue", () => {
    const overdue = runningJob({ estimate: { overdue: true, sampleSize: 14, asOf: at(10) } });
    expect(remainingText(overdue, START)).toBe("overdue");
    expect(evidenceText(overdue, START)).toBe("over three times the longest of 14 runs");
  });

  test("is nothing of an earlier attempt, or without evidence", () => {
    const retried = runningJob({ estimate: estimate(), startTime: at(11) });
    expect([remainingText(retried, START), evidenceText(retried, START)]).toEqual(["", ""]);
    expect([remainingText(runningJob(), START), evidenceText(runningJob(), START)]).toEqual(["", ""]);
  });
});

describe("a queued job", () => {
  const queued = job({ state: JobState.QUEUED });
  const waiting = create(WaitingSchema, {
    waitingFor: WaitingFor.TURN,
    workers: 2,
    run: estimate(),
    startP50: { seconds: 130n },
    jobsAhead: 2,
    jobsWaiting: 5,
  });

  test("says how long it will take, and when it may start", () => {
    expect([runText(waiting), runEvidenceText(waiting)]).toEqual([
      "takes about 03:20",
      "at most 05:10 · from 14 runs",
    ]);
    const lines = [10, 60.5, 200].map((seconds) => waitingText(queued, waiting, START + seconds * 1000));
    expect(lines).toEqual([
      "3rd of 5 · likely to start in 02:10 · 2 workers take transcribe",
      "3rd of 5 · likely to start in 01:19 · 2 workers take transcribe",
      "3rd of 5 · likely to start any moment · 2 workers take transcribe",
    ]);
  });

  test("may have jobs of others ahead", () => {
    const behind = create(WaitingSchema, { ...waiting, jobsAhead: 7, startP50: undefined });
    expect(waitingText(queued, behind, START)).toBe("8th in the queue · 2 workers take transcribe");
  });
});
