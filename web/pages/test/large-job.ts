/** A job with many stages. */
import { StageState } from "@milepost/client";
import { type WorkedJob } from "../../testing/worker.js";
import { type Pages } from "./pages.js";

export const STAGES = 1000;

/** Start the job `large`: of its stages, 600 have ended, number 77 with a failure, and the next one runs. */
export async function startLargeJob(pages: Pages): Promise<WorkedJob> {
  const job = await pages.start("large", {
    stages: Array.from({ length: STAGES }, (_, n) => ({ stageId: `s${n}`, title: `part ${n}`, total: 10 })),
  });
  await job.report(
    ...Array.from({ length: 600 }, (_, n) => [
      { case: "stageStarted" as const, value: { stage: { stageId: `s${n}` } } },
      {
        case: "stageEnded" as const,
        value: { stageId: `s${n}`, state: n === 77 ? StageState.FAILED : StageState.SUCCEEDED },
      },
    ]).flat(),
    { case: "stageStarted", value: { stage: { stageId: "s600" } } },
  );
  return job;
}
