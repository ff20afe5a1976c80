/** The announcements for screen readers: milestones, not ticks. */

import { JobState, StageState, type Job } from "../messages.js";
import { failureText } from "./endings.js";
import { oneLine, wholePercent } from "./plain-text.js";
import { isKnown, jobLook, stageLook } from "./state-words.js";

/** What was announced of a job, to compare its next state with. */
export interface Announced {
  readonly state: JobState;
  readonly attempt: number;
  readonly quarter: number;
  readonly ended: ReadonlySet<string>;
}

export function announcedOf(job: Job): Announced {
  return {
    state: job.state,
    attempt: job.attempt,
    quarter: isKnown(job) ? Math.floor(wholePercent(job.fraction) / 25) : 0,
    ended: new Set(job.stages.filter(isOutermostEnd).map((stage) => stage.stageId)),
  };
}

/** What has changed since then, in a sentence; empty if it is not a milestone. */
export function milestone(before: Announced, job: Job): string {
  const after = announcedOf(job);
  const name = oneLine(job.kind, 64);
  if (after.state !== before.state || after.attempt !== before.attempt) {
    const failure =
      after.state === JobState.FAILED || after.state === JobState.LOST ? `: ${failureText(job)}` : "";
    const attempt = after.state === JobState.RUNNING && after.attempt > 1 ? `, attempt ${after.attempt}` : "";
    return `${name} ${jobLook(job.state).word}${attempt}${failure}`;
  }
  const ended = job.stages.filter(
    (stage) => after.ended.has(stage.stageId) && !before.ended.has(stage.stageId),
  );
  if (ended.length > 1) return `${ended.length} stages of ${name} have ended`;
  const stage = ended[0];
  if (stage) return `stage ${oneLine(stage.title || stage.stageId, 80)} ${stageLook(stage.state).word}`;
  return after.quarter > before.quarter ? `${name} ${after.quarter * 25} %` : "";
}

function isOutermostEnd(stage: Job["stages"][number]): boolean {
  return !stage.parentStageId && stage.state !== StageState.PENDING && stage.state !== StageState.RUNNING;
}
