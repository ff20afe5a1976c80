import { type Stage, StageState } from "../gen/milepost/v1/job_pb.js";
import { type Contribution, Level, NOTHING, contributionOf, isOpen } from "./level.js";

/**
 * The stages of a job with indexes, and the fractions that follow from them.
 *
 * Stages are never changed in place: `update` puts a changed copy where the old one stood, so that whoever holds a
 * stage may compare it by identity.
 */
export class StageTree {
  #stages: Stage[] = [];
  #positions = new Map<string, number>();
  #children = new Map<string, string[]>();
  /** Levels by the id of the parent, summed up when they are first read. */
  #levels = new Map<string, Level>();
  #contributions = new Map<string, Contribution>();

  constructor(stages: readonly Stage[]) {
    this.reset(stages);
  }

  /** All stages, in the order of the job. */
  get all(): readonly Stage[] {
    return this.#stages;
  }

  /** Whether the fraction of the job rests on a known number of stages. */
  get known(): boolean {
    return this.#level("").known;
  }

  /** Start again from these stages. */
  reset(stages: readonly Stage[]): void {
    this.#stages = [...stages];
    this.#positions = new Map(stages.map((stage, position) => [stage.stageId, position]));
    this.#children = new Map();
    for (const stage of stages) {
      this.#addChild(stage);
    }
    this.#levels.clear();
    this.#contributions.clear();
  }

  /** The stage with this id. */
  get(stageId: string): Stage | undefined {
    const position = this.#positions.get(stageId);
    return position === undefined ? undefined : this.#stages[position];
  }

  /** Whether there are stages within the one with this id. */
  isParent(stageId: string): boolean {
    return this.#children.has(stageId);
  }

  /** Append a stage. */
  add(stage: Stage): void {
    this.#positions.set(stage.stageId, this.#stages.length);
    this.#stages.push(stage);
    this.#addChild(stage);
    this.#count(stage);
  }

  /** Replace a stage by a copy with these values; return the copy. */
  update(stage: Stage, values: Partial<Stage>): Stage {
    const changed: Stage = { ...stage, ...values };
    const position = this.#positions.get(stage.stageId);
    if (position !== undefined) {
      this.#stages[position] = changed;
      this.#count(changed);
    }
    return changed;
  }

  /** Whether the fraction of a stage is known: by the stages within it, or without any by its total. */
  isKnown(stage: Stage): boolean {
    if (stage.state === StageState.SUCCEEDED) {
      return true;
    }
    return this.isParent(stage.stageId) ? this.#level(stage.stageId).known : stage.total !== undefined;
  }

  /** The stages around `stage`, innermost first; ends also if they are within each other, which no server sends. */
  *around(stage: Stage): Generator<Stage> {
    let parent = this.get(stage.parentStageId);
    for (let left = this.#stages.length; parent !== undefined && left > 0; left--) {
      yield parent;
      parent = this.get(parent.parentStageId);
    }
  }

  /** All stages within `stage`. A loop, since they may nest a thousand deep. */
  within(stage: Stage): Stage[] {
    const found = new Set<string>(this.#children.get(stage.stageId));
    for (const stageId of found) {
      for (const inner of this.#children.get(stageId) ?? []) {
        found.add(inner); // the loop goes on to it
      }
    }
    return [...found].flatMap((stageId) => this.get(stageId) ?? []);
  }

  /** Raise the fractions of the stages around `stage` to the means of their own stages. */
  carryUp(stage: Stage): void {
    for (const parent of this.around(stage)) {
      const mean = this.#level(parent.stageId).mean;
      if (mean > parent.fraction) {
        this.update(parent, { fraction: mean });
      }
    }
  }

  /** Set `fractionKnown` of the stages around `stage`; an ended one keeps its own, and so do those around it. */
  carryKnownUp(stage: Stage): void {
    for (const parent of this.around(stage)) {
      if (!isOpen(parent)) {
        return;
      }
      this.update(parent, { fractionKnown: this.isKnown(parent) });
    }
  }

  /** Set `fractionKnown` of all stages that have not ended, innermost first. */
  refreshKnown(): void {
    const ids = this.#stages.flatMap((stage) =>
      this.#positions.has(stage.parentStageId) ? [] : stage.stageId,
    );
    for (const stageId of ids) {
      ids.push(...(this.#children.get(stageId) ?? [])); // the loop goes on to them
    }
    for (const stageId of ids.reverse()) {
      const stage = this.get(stageId);
      if (stage !== undefined && isOpen(stage)) {
        this.update(stage, { fractionKnown: this.isKnown(stage) });
      }
    }
  }

  #addChild(stage: Stage): void {
    const siblings = this.#children.get(stage.parentStageId);
    if (siblings === undefined) {
      this.#children.set(stage.parentStageId, [stage.stageId]);
    } else {
      siblings.push(stage.stageId);
    }
  }

  #level(parentStageId: string): Level {
    let level = this.#levels.get(parentStageId);
    if (level === undefined) {
      level = new Level();
      this.#levels.set(parentStageId, level);
      for (const stageId of this.#children.get(parentStageId) ?? []) {
        const stage = this.get(stageId);
        if (stage !== undefined) {
          this.#count(stage);
        }
      }
    }
    return level;
  }

  /** Bring the level of a new or changed stage up to date, if it is summed up. */
  #count(stage: Stage): void {
    const level = this.#levels.get(stage.parentStageId);
    if (level !== undefined) {
      const now = contributionOf(stage, this.isParent(stage.stageId));
      level.replace(this.#contributions.get(stage.stageId) ?? NOTHING, now);
      this.#contributions.set(stage.stageId, now);
    }
  }
}
