import { StageState } from "@milepost/client";
import { describe, expect, test } from "vitest";
import { FOLD_LIMIT, currentStage, restKey, treeRows } from "../../src/elements/model/stage-rows.js";
import { stage } from "./jobs.js";

const { RUNNING, FAILED, SUCCEEDED, PENDING } = StageState;

function keys(...args: Parameters<typeof treeRows>): string[] {
  return treeRows(...args).map((row) =>
    row.type === "stage" ? "  ".repeat(row.depth) + row.key : `+${row.hidden.length}`,
  );
}

function siblings(number: number, state = PENDING, parentStageId = "") {
  return Array.from({ length: number }, (_, place) => stage(`s${place}`, { state, parentStageId }));
}

describe("rows of stages", () => {
  test("a stage is followed by those within it, where it runs or failed", () => {
    const stages = [
      stage("a", { state: SUCCEEDED }),
      stage("a/1", { parentStageId: "a", state: SUCCEEDED }),
      stage("b", { state: RUNNING }),
      stage("b/1", { parentStageId: "b", state: RUNNING }),
      stage("c"),
    ];
    expect(keys(stages, new Map())).toEqual(["a", "b", "  b/1", "c"]);
    expect(
      keys(
        stages,
        new Map([
          ["a", true],
          ["b", false],
        ]),
      ),
    ).toEqual(["a", "  a/1", "b", "c"]);
  });

  test("of more than eight siblings those that run or failed stay in sight, and the rest is one row", () => {
    const stages = siblings(FOLD_LIMIT + 4);
    stages[3] = stage("s3", { state: FAILED });
    stages[9] = stage("s9", { state: RUNNING });
    expect(keys(stages, new Map())).toEqual(["s3", "s9", "+10"]);
    expect(keys(stages, new Map([[restKey(""), true]]))).toHaveLength(FOLD_LIMIT + 5);
    expect(keys(siblings(FOLD_LIMIT), new Map())).toHaveLength(FOLD_LIMIT);
  });

  test("a thousand that run show no more than eight, and failed ones before them", () => {
    const stages = siblings(1000, RUNNING);
    stages[999] = stage("s999", { state: FAILED });
    const rows = keys(stages, new Map());
    expect(rows).toHaveLength(FOLD_LIMIT + 1);
    expect(rows).toContain("s999");
  });

  test("a stage whose parent is hidden is an outermost one, and stages within each other hang nothing", () => {
    expect(keys([stage("a", { parentStageId: "gone" })], new Map())).toEqual(["a"]);
    const circle = [
      stage("a", { parentStageId: "b", state: RUNNING }),
      stage("b", { parentStageId: "a", state: RUNNING }),
    ];
    expect(keys(circle, new Map())).toEqual([]);
  });

  test("a thousand stages, each within the one before, are a thousand rows", () => {
    const stages = Array.from({ length: 1000 }, (_, n) =>
      stage(`s${n}`, { parentStageId: n ? `s${n - 1}` : "", state: RUNNING }),
    );
    expect(treeRows(stages, new Map())).toHaveLength(1000);
  });

  test("what a job does now is its innermost running stage", () => {
    const stages = [
      stage("a", { state: SUCCEEDED }),
      stage("b", { state: RUNNING }),
      stage("b/1", { parentStageId: "b", state: RUNNING }),
    ];
    expect(currentStage(stages)?.stageId).toBe("b/1");
    expect(currentStage([stage("a")])).toBeUndefined();
  });
});
