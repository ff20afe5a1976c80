import { create } from "@bufbuild/protobuf";
import { EstimateSchema, JobState, StageState } from "@milepost/client";
import { describe, expect, test } from "vitest";
import { attemptsOf } from "../../src/elements/model/attempts.js";
import { expectedEnd, jobSegments, stageSegments, timeScale } from "../../src/elements/model/waterfall.js";
import { START, at, event, job, runningJob, stage } from "./jobs.js";

const now = START + 10_000;

function estimate(seconds: number) {
  return create(EstimateSchema, { remainingP50: { seconds: BigInt(seconds), nanos: 0 }, asOf: at(10) });
}

/** Parts with their begin and end in seconds. */
function parts(segments: ReturnType<typeof jobSegments>, scale: ReturnType<typeof timeScale>) {
  const seconds = (place: number) => Math.round((place * (scale.end - scale.start)) / 100) / 10;
  return segments.map(({ part, from, to }) => [part, seconds(from), seconds(to)]);
}

describe("the scale", () => {
  test("it keeps its end between two ticks, so that bars do not move with each second", () => {
    const ends = [10, 10.4, 11.9].map(
      (seconds) => timeScale(runningJob(), START + seconds * 1000).end - START,
    );
    expect(ends).toEqual([12_000, 12_000, 12_000]);
    expect(timeScale(runningJob(), START + 12_000).end - START).toBe(14_000);
  });

  test("it has eight ticks at most, of whole seconds, minutes or hours", () => {
    for (const seconds of [0.0004, 0.014, 0.5, 1, 9, 61, 1234, 90_000, 5_000_000]) {
      const { ticks } = timeScale(runningJob(), START + seconds * 1000);
      expect(ticks.length).toBeGreaterThan(0);
      expect(ticks.length).toBeLessThanOrEqual(9);
    }
    expect(timeScale(runningJob(), START + 61_000).ticks.map(({ label }) => label)).toEqual([
      "0:00",
      "0:10",
      "0:20",
      "0:30",
      "0:40",
      "0:50",
      "1:00",
    ]);
  });

  test("a job of milliseconds has ticks of milliseconds", () => {
    const { ticks } = timeScale(
      job({ state: JobState.SUCCEEDED, firstStartTime: at(0), endTime: at(0.014) }),
      now,
    );
    expect(ticks.map(({ label }) => label)).toEqual([
      "0 ms",
      "2 ms",
      "4 ms",
      "6 ms",
      "8 ms",
      "10 ms",
      "12 ms",
    ]);
  });

  test("it ends where the job did", () => {
    const ended = runningJob({ state: JobState.SUCCEEDED, endTime: at(7) });
    expect(timeScale(ended, now)).toMatchObject({ end: START + 7000, now: undefined });
  });
});

describe("a wait that is longer than the run", () => {
  const late = () => runningJob({ firstStartTime: at(100), startTime: at(100), endTime: at(110) });

  test("it takes a short piece of the scale, which begins with the first start", () => {
    const scale = timeScale(late(), START + 110_000);
    expect(scale).toMatchObject({ start: START + 100_000, end: START + 110_000 });
    const { width } = scale.folded ?? { width: 0 };
    expect(width).toBeGreaterThan(0);
    expect(width).toBeLessThan(0.1);
    expect(scale.ticks[0]).toEqual({ at: width, label: "0:00" });
    const segments = jobSegments(late(), attemptsOf(late(), []), scale, START + 110_000);
    expect(segments.map(({ part, from, to }) => [part, from, to])).toEqual([
      ["waiting", 0, width],
      ["running", width, 1],
    ]);
  });

  test("it is shown in full once the run is as long", () => {
    const running = runningJob({ firstStartTime: at(100), startTime: at(100) });
    expect(timeScale(running, START + 199_000).folded).toBeDefined();
    expect(timeScale(running, START + 200_000)).toMatchObject({ start: START, folded: undefined });
  });

  test("a job that has yet to start has nothing to fold it for", () => {
    expect(timeScale(job({ state: JobState.QUEUED }), START + 100_000).folded).toBeUndefined();
  });
});

describe("bars", () => {
  test("a job waits, runs, and is expected to end, as its estimate says", () => {
    const running = runningJob({ estimate: estimate(4) });
    const scale = timeScale(running, now);
    expect(parts(jobSegments(running, attemptsOf(running, []), scale, now), scale)).toEqual([
      ["waiting", 0, 2],
      ["running", 2, 10],
      ["expected", 10, 14],
    ]);
  });

  test("without an estimate nothing is expected, of the job or of its stages", () => {
    const running = runningJob();
    const half = stage("a", {
      state: StageState.RUNNING,
      startTime: at(4),
      fraction: 0.5,
      fractionKnown: true,
    });
    const scale = timeScale(running, now);
    expect(expectedEnd(running, now)).toBeUndefined();
    expect(parts(stageSegments(half, undefined, running, [], scale, now), scale)).toEqual([
      ["running", 4, 10],
    ]);
  });

  test("a stage is never expected to end after its job", () => {
    const running = runningJob({ estimate: estimate(2) });
    const half = stage("a", {
      state: StageState.RUNNING,
      startTime: at(2),
      fraction: 0.5,
      fractionKnown: true,
    });
    const scale = timeScale(running, now);
    expect(parts(stageSegments(half, undefined, running, [], scale, now), scale)).toEqual([
      ["running", 2, 10],
      ["expected", 10, 12],
    ]);
  });

  test("a stage within another one waited for as long as that one ran", () => {
    const running = runningJob();
    const outer = stage("a", { state: StageState.RUNNING, startTime: at(3) });
    const inner = stage("a/1", {
      parentStageId: "a",
      state: StageState.SUCCEEDED,
      startTime: at(5),
      endTime: at(6),
    });
    const scale = timeScale(running, now);
    expect(parts(stageSegments(inner, outer, running, [], scale, now), scale)).toEqual([
      ["waiting", 3, 5],
      ["running", 5, 6],
    ]);
  });

  test("earlier attempts have their own parts, with the time in the queue between them", () => {
    const events = [
      event(1, { payload: { case: "jobStarted", value: { workerId: "w1" } } }),
      event(2, { payload: { case: "stageStarted", value: { stage: { stageId: "a" } } } }),
      event(4, { payload: { case: "attemptEnded", value: { failure: { code: "X", message: "broken" } } } }),
      event(6, { attempt: 2, payload: { case: "jobStarted", value: { workerId: "w2" } } }),
    ];
    const second = runningJob({ attempt: 2, startTime: at(6), firstStartTime: at(1) });
    const attempts = attemptsOf(second, events);
    expect(attempts.map(({ number, outcome, workerId }) => [number, outcome, workerId])).toEqual([
      [1, "failed", "w1"],
      [2, "", "w2"],
    ]);
    const scale = timeScale(second, now);
    expect(parts(jobSegments(second, attempts, scale, now), scale)).toEqual([
      ["waiting", 0, 1],
      ["earlier", 1, 4],
      ["waiting", 4, 6],
      ["running", 6, 10],
    ]);
    const stages = stageSegments(stage("a"), undefined, second, attempts, scale, now);
    expect(parts(stages, scale)).toEqual([["earlier", 2, 4]]);
    expect(stages[0]?.broken).toBe(true);
  });

  test("a job in the queue only waits", () => {
    const queued = job({ state: JobState.QUEUED });
    const scale = timeScale(queued, now);
    expect(parts(jobSegments(queued, [], scale, now), scale)).toEqual([["waiting", 0, 10]]);
  });
});
