/** Jobs in every state, which the gallery shows. */
import { Dispatch, JobState, Severity, StageState } from "@milepost/client";
import { startLargeJob } from "./large-job.js";
import { type Pages } from "./pages.js";

const PLAN = [
  { stageId: "get", title: "get recording", total: 10, unit: "MB" },
  { stageId: "tracks", title: "transcribe tracks", weight: 8 },
  { stageId: "tracks/1", parentStageId: "tracks", title: "track-1", total: 40, unit: "chunks" },
  { stageId: "merge", total: 5 },
];
const FAILURE = {
  code: "RECOGNISER_GONE",
  message: "The recogniser closed the connection.",
  retryable: true,
};
const CHILDREN = 40;

/** Jobs that wait and run. */
export async function makeOpenJobs(pages: Pages): Promise<void> {
  const queue = { dispatch: Dispatch.QUEUE };
  await pages.submit("queued", { ...queue, kind: "nightly.index.of.everything", owner: "a-team-of-many" });
  await pages.submit("unclaimed", { input: { file: "weekly.wav", language: "en" } });
  await pages.start("parent", { plannedChildren: CHILDREN });
  for (let n = 1; n <= CHILDREN; n++) await pages.submit(`child-${n}`, { ...queue, parentJobId: "parent" });
  const child = await pages.start("child-failed", { parentJobId: "parent" });
  await child.end({ state: JobState.FAILED, failure: FAILURE });
  const running = await pages.start("running", {
    stages: PLAN,
    owner: "team-a",
    labels: { title: "weekly 2026-11-25, the whole team", room: "blue", language: "en" },
  });
  await running.report(
    { case: "stageStarted", value: { stage: { stageId: "get" } } },
    { case: "stageEnded", value: { stageId: "get", state: StageState.SUCCEEDED } },
    { case: "stageStarted", value: { stage: { stageId: "tracks" } } },
    { case: "stageStarted", value: { stage: { stageId: "tracks/1" } } },
    { case: "stageProgressed", value: { stageId: "tracks/1", current: 12, message: "chunk 12 of 40" } },
    { case: "logWritten", value: { text: "connected", severity: Severity.DEBUG } },
    { case: "logWritten", value: { stageId: "tracks/1", text: "gain raised", severity: Severity.WARNING } },
    { case: "logWritten", value: { stageId: "tracks/1", text: "closed: 1006", severity: Severity.ERROR } },
  );
  const retryPolicy = { maxAttempts: 3, initialBackoff: { seconds: 0n, nanos: 1_000_000 } };
  const first = await pages.start("retried", { stages: PLAN, retryPolicy });
  await first.log(3, "first");
  await first.end({ state: JobState.FAILED, failure: FAILURE });
  const second = await pages.claim("retried");
  await second.log(3, "second");
  const waits = await pages.start("waits", {
    stages: PLAN,
    retryPolicy: { maxAttempts: 2, initialBackoff: { seconds: 3600n } },
  });
  await waits.log(3);
  await waits.end({ state: JobState.FAILED, failure: FAILURE });
  await pages.start("cancelling");
  await pages.service.cancelJob({
    jobId: "cancelling",
    reason: "wrong file",
    gracePeriod: { seconds: 3600n },
  });
  const large = await startLargeJob(pages);
  await large.log(3000, "a line that is long enough to be broken where there is little room for it, number");
}

/** Jobs that ended, in each way that does not take the server a while. */
export async function makeEndedJobs(pages: Pages): Promise<void> {
  const failed = await pages.start("failed", { stages: PLAN });
  await failed.report({ case: "stageStarted", value: { stage: { stageId: "get" } } });
  await failed.log(3);
  await failed.end({ state: JobState.FAILED, failure: { ...FAILURE, detail: "Traceback: frame 4711" } });
  await pages.start("forced", { stages: PLAN });
  await pages.service.cancelJob({ jobId: "forced", gracePeriod: { seconds: 0n } });
  await pages.submit("lapsed", { dispatch: Dispatch.QUEUE, labels: { room: "blue" } });
  await pages.service.cancelJob({ jobId: "lapsed", reason: "wrong file" });
  const succeeded = await pages.start("succeeded", { stages: PLAN });
  const artifact = { name: "words.json", uri: "https://files.test/words.json", sizeBytes: 51_200n };
  await succeeded.report({ case: "artifactAdded", value: { artifact } });
  await succeeded.end({ state: JobState.SUCCEEDED, result: { words: 1204 } });
}
