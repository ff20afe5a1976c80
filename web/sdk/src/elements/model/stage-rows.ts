/** Stages as the rows of a tree, with large groups folded. */

import { StageState, type Stage } from "../messages.js";

/** Groups with more siblings than this are folded at first. */
export const FOLD_LIMIT = 8;

/** The row of a stage. */
export interface StageRow {
  readonly type: "stage";
  readonly key: string;
  readonly stage: Stage;
  /** 0 for the outermost. */
  readonly depth: number;
  /** Number of stages directly within it. */
  readonly inner: number;
  /** Of these, the number that is done. */
  readonly innerDone: number;
  /** Whether the stages within it are shown; undefined if there are none. */
  readonly open: boolean | undefined;
}

/** The row that stands for the folded siblings of a group. */
export interface RestRow {
  readonly type: "rest";
  readonly key: string;
  /** The stage that they are within; empty for the job. */
  readonly parentId: string;
  readonly depth: number;
  readonly hidden: readonly Stage[];
  /** Whether the whole group is shown, and the row offers to fold it. */
  readonly open: boolean;
}

export type TreeRow = StageRow | RestRow;

/** What the reader has opened and closed: keys of rows that are not as they are by default. */
export type Folding = ReadonlyMap<string, boolean>;

export function restKey(parentId: string): string {
  return `\n${parentId}`; // no stage's id has a line feed
}

/**
 * The rows of the tree, outermost first, each followed by those within it.
 *
 * Of a group with more than `FOLD_LIMIT` siblings only those that run or failed are shown, and at most as many as the
 * limit; a row says how many others there are. A stage whose parent is missing is an outermost one.
 */
export function treeRows(stages: readonly Stage[], folding: Folding): TreeRow[] {
  const ids = new Set(stages.map((stage) => stage.stageId));
  const groups = new Map<string, Stage[]>();
  for (const stage of stages) {
    const parent = ids.has(stage.parentStageId) ? stage.parentStageId : "";
    const group = groups.get(parent);
    if (group) group.push(stage);
    else groups.set(parent, [stage]);
  }
  const rows: TreeRow[] = [];
  const visited = new Set<string>();
  // A stack and no recursion, since stages may nest a thousand deep.
  const waiting: TreeRow[] = [];
  const pushGroup = (parentId: string, depth: number): void => {
    const group = groups.get(parentId) ?? [];
    const key = restKey(parentId);
    const large = group.length > FOLD_LIMIT;
    const open = !large || (folding.get(key) ?? false);
    const shown = open ? group : prominent(group);
    if (large) {
      const hidden = open ? [] : withoutThose(group, shown);
      waiting.push({ type: "rest", key, parentId, depth, hidden, open });
    }
    for (const stage of [...shown].reverse()) {
      const within = groups.get(stage.stageId) ?? [];
      waiting.push({
        type: "stage",
        key: stage.stageId,
        stage,
        depth,
        inner: within.length,
        innerDone: within.filter(({ state }) => state === StageState.SUCCEEDED).length,
        open: within.length ? (folding.get(stage.stageId) ?? isOpenByDefault(stage)) : undefined,
      });
    }
  };
  pushGroup("", 0);
  for (let row = waiting.pop(); row; row = waiting.pop()) {
    rows.push(row);
    if (row.type === "stage" && row.open && !visited.has(row.key)) {
      visited.add(row.key);
      pushGroup(row.key, row.depth + 1);
    }
  }
  return rows;
}

/** The number of stages in each state, in words of the order in which they matter. */
export function stateCounts(stages: readonly Stage[]): [StageState, number][] {
  const order = [
    StageState.FAILED,
    StageState.RUNNING,
    StageState.PENDING,
    StageState.SUCCEEDED,
    StageState.SKIPPED,
    StageState.CANCELLED,
  ];
  const counts = new Map<StageState, number>();
  for (const stage of stages) counts.set(stage.state, (counts.get(stage.state) ?? 0) + 1);
  return order.flatMap((state): [StageState, number][] => {
    const number = counts.get(state);
    return number === undefined ? [] : [[state, number]];
  });
}

/** The innermost stage that runs, the last to start: what the job does now. */
export function currentStage(stages: readonly Stage[]): Stage | undefined {
  const running = stages.filter((stage) => stage.state === StageState.RUNNING);
  const around = new Set(running.map((stage) => stage.parentStageId));
  return running.filter((stage) => !around.has(stage.stageId)).at(-1);
}

/** Whether nothing is left of a stage. */
export function isDone(stage: Stage): boolean {
  return stage.state === StageState.SUCCEEDED || stage.state === StageState.SKIPPED;
}

// What ran through without trouble is folded; what runs or failed is open, and what waits is closed.
function isOpenByDefault(stage: Stage): boolean {
  return stage.state === StageState.RUNNING || stage.state === StageState.FAILED;
}

/** Of a large group, those to keep in sight: failed before running, in their order. */
function prominent(group: readonly Stage[]): Stage[] {
  const failed = group.filter((stage) => stage.state === StageState.FAILED).slice(0, FOLD_LIMIT);
  const running = group
    .filter((stage) => stage.state === StageState.RUNNING)
    .slice(0, Math.max(FOLD_LIMIT - failed.length, 0));
  const kept = new Set([...failed, ...running]);
  return group.filter((stage) => kept.has(stage));
}

function withoutThose(group: readonly Stage[], shown: readonly Stage[]): Stage[] {
  const kept = new Set(shown);
  return group.filter((stage) => !kept.has(stage));
}
