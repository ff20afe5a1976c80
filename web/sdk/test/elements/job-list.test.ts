import { Dispatch, JobState } from "@milepost/client";
import { describe, expect, test } from "vitest";
import {
  NO_FILTER,
  filterOf,
  lastRuns,
  listRows,
  matches,
  needsWorkers,
  queryOf,
  totals,
} from "../../src/elements/model/job-list.js";
import { START, at, job } from "./jobs.js";

const { QUEUED, RUNNING, SUCCEEDED, FAILED } = JobState;

describe("the filter in an address", () => {
  test("it is read as it was written, and what is unknown in it is left out", () => {
    const filter = {
      states: [RUNNING, FAILED],
      kind: "a.b",
      owner: "team a",
      labels: ["room=blue", "x"],
      search: "01a&b",
    };
    expect(filterOf(queryOf(filter))).toEqual(filter);
    expect(queryOf(NO_FILTER)).toBe("");
    expect(filterOf("?state=running,bogus&unknown=1")).toEqual({ ...NO_FILTER, states: [RUNNING] });
  });

  test("all conditions must hold", () => {
    const found = job({ jobId: "01abc", kind: "k", owner: "o", labels: { room: "blue" }, state: RUNNING });
    const with_ = (filter: Partial<typeof NO_FILTER>) => matches(found, { ...NO_FILTER, ...filter });
    expect(with_({})).toBe(true);
    expect([with_({ states: [RUNNING] }), with_({ states: [FAILED] })]).toEqual([true, false]);
    expect([
      with_({ labels: ["room"] }),
      with_({ labels: ["room=red"] }),
      with_({ labels: ["floor"] }),
    ]).toEqual([true, false, false]);
    expect([with_({ search: "1AB" }), with_({ search: "room=bl" }), with_({ search: "nope" })]).toEqual([
      true,
      true,
      false,
    ]);
  });
});

describe("rows", () => {
  const jobs = [
    job({ jobId: "done", state: SUCCEEDED, endTime: at(50) }),
    job({ jobId: "old", state: FAILED, endTime: at(-90_000) }),
    job({ jobId: "wait", state: QUEUED }),
    job({ jobId: "run1", state: RUNNING, submitTime: at(1) }),
    job({ jobId: "run2", state: RUNNING, submitTime: at(2) }),
  ];

  test("what runs comes first, then what waits, then what has ended, the newest first", () => {
    expect(listRows(jobs, NO_FILTER, START + 60_000).map((row) => row.key)).toEqual([
      "running",
      "run2",
      "run1",
      "waiting",
      "wait",
      "ended today",
      "done",
      "ended before",
      "old",
    ]);
  });

  test("children stand below their parents within a group, however deep, and alone where those are not in it", () => {
    const family = [
      job({ jobId: "top", state: RUNNING, submitTime: at(1) }),
      job({ jobId: "older", state: RUNNING, submitTime: at(2), parentJobId: "top" }),
      job({ jobId: "deep", state: RUNNING, submitTime: at(3), parentJobId: "older" }),
      job({ jobId: "newer", state: RUNNING, submitTime: at(4), parentJobId: "top" }),
      job({ jobId: "other", state: RUNNING, submitTime: at(5) }),
      job({ jobId: "alone", state: QUEUED, parentJobId: "top" }),
    ];
    const rows = listRows(family, NO_FILTER, START + 60_000);
    expect(rows.map((row) => (row.type === "job" ? [row.key, row.depth] : row.key))).toEqual([
      "running",
      ["other", 0],
      ["top", 0],
      ["newer", 1],
      ["older", 1],
      ["deep", 2],
      "waiting",
      ["alone", 0],
    ]);
  });

  test("totals are of all states, whichever are shown", () => {
    expect([...totals(jobs, { ...NO_FILTER, states: [FAILED] })]).toEqual([
      [SUCCEEDED, 1],
      [FAILED, 1],
      [QUEUED, 1],
      [RUNNING, 2],
    ]);
  });

  test("the last runs of a kind are those that ended last, oldest first", () => {
    const runs = Array.from({ length: 5 }, (_, n) =>
      job({ jobId: `r${n}`, state: SUCCEEDED, startTime: at(0), endTime: at(5 - n) }),
    );
    // Of several attempts the last one counts, as in the history of the kind.
    runs.push(
      job({ jobId: "again", state: SUCCEEDED, firstStartTime: at(0), startTime: at(7), endTime: at(9) }),
    );
    expect(
      lastRuns(runs, 4)
        .get("transcribe")
        ?.map(({ seconds }) => seconds),
    ).toEqual([3, 4, 5, 2]);
  });
});

test("that no worker is connected matters unless engines claim all jobs", () => {
  const claimed = job({ dispatch: Dispatch.EXTERNAL });
  expect(needsWorkers([])).toBe(true);
  expect(needsWorkers([claimed])).toBe(false);
  expect(needsWorkers([claimed, job({ dispatch: Dispatch.QUEUE })])).toBe(true);
});
