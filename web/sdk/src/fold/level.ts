import { type Stage, StageState } from "../gen/milepost/v1/job_pb.js";
import { ExactSum } from "./exact-sum.js";

/** Whether a stage has not ended. */
export function isOpen(stage: Stage): boolean {
  return stage.state === StageState.PENDING || stage.state === StageState.RUNNING;
}

/** What a stage adds to its level. */
export interface Contribution {
  readonly weight: number;
  /** Weight times the part of it that is done. */
  readonly done: number;
  readonly unplanned: boolean;
  /** Whether it makes the fraction of the level unknown. */
  readonly unknown: boolean;
}

/** The contribution of a stage without a weight. */
export const NOTHING: Contribution = { weight: 0, done: 0, unplanned: false, unknown: false };

/** What `stage` adds to its level; `isParent`: whether it has stages of its own. */
export function contributionOf(stage: Stage, isParent: boolean): Contribution {
  const weight = stage.weight ?? 1;
  if (!(weight > 0)) {
    return NOTHING;
  }
  const complete = stage.state === StageState.SUCCEEDED || stage.state === StageState.SKIPPED;
  const unplanned = !stage.planned;
  return {
    weight,
    done: weight * (complete ? 1 : stage.fraction),
    unplanned,
    unknown: unplanned || (isParent && isOpen(stage) && !stage.fractionKnown),
  };
}

/** Sums over the stages with the same parent. */
export class Level {
  #weights = new ExactSum();
  #done = new ExactSum();
  #count = 0;
  #unplanned = 0;
  #unknown = 0;

  /** Count a stage as `after` instead of `before`. */
  replace(before: Contribution, after: Contribution): void {
    if (before.weight !== after.weight) {
      this.#weights.add(after.weight);
      this.#weights.add(-before.weight);
    }
    if (before.done !== after.done) {
      this.#done.add(after.done);
      this.#done.add(-before.done);
    }
    this.#count += Number(after.weight > 0) - Number(before.weight > 0);
    this.#unplanned += Number(after.unplanned) - Number(before.unplanned);
    this.#unknown += Number(after.unknown) - Number(before.unknown);
  }

  /** Whether the fraction of the level rests on a known number of stages. */
  get known(): boolean {
    return this.#count > 0 && this.#unknown === 0;
  }

  /** The weighted mean of what its stages have done, 0 to 1. */
  get mean(): number {
    if (this.#count === 0) {
      return 0;
    }
    const mean = Math.min(this.#done.value / this.#weights.value, 1);
    // Where stages are declared as they come there may be another one: an average one, of which nothing is done.
    return this.#unplanned === 0 ? mean : (mean * this.#count) / (this.#count + 1);
  }
}
