import { Dispatch, JobState, type ServiceError, hasReason } from "@milepost/client";
import { createClient } from "@milepost/client/node";
import { expect, test } from "vitest";
import { startServer } from "../../testing/server.js";
import { claimJob } from "../../testing/worker.js";

test("a job is submitted, followed to its end, listed, and deleted", async () => {
  const server = await startServer();
  const client = createClient({ baseUrl: server.baseUrl });
  const submitted = await client.submitJob({
    kind: "archive",
    dispatch: Dispatch.EXTERNAL,
    input: { path: "/srv" },
    stages: [{ stageId: "copy", total: 4 }],
  });
  const { jobId } = submitted;
  expect(submitted.state).toBe(JobState.QUEUED);
  expect([...(await client.getWaitingOf([jobId])).keys()]).toStrictEqual([jobId]);
  expect([...(await client.getWaitingOf([])).keys()]).toStrictEqual([]);
  const work = await claimJob(server.baseUrl, jobId);
  const fractions = new Set<number>();
  for await (const job of client.followJob(jobId)) {
    if (fractions.has(job.fraction)) continue; // a new estimate is a new state, too
    fractions.add(job.fraction);
    if (job.fraction === 0) {
      await work.report(
        { case: "stageStarted", value: { stage: { stageId: "copy" } } },
        { case: "stageProgressed", value: { stageId: "copy", current: 1 } },
      );
    } else if (job.fraction === 0.25) {
      await work.end({ state: JobState.SUCCEEDED, result: { files: 4 } });
    }
  }

  expect([...fractions]).toStrictEqual([0, 0.25, 1]);
  expect((await client.getJob(jobId)).result).toStrictEqual({ files: 4 });
  const listed: string[] = [];
  for await (const job of client.listJobs({ kinds: ["archive"] }, { pageSize: 1 })) {
    listed.push(job.jobId);
  }
  expect(listed).toStrictEqual([jobId]);
  await client.deleteJob(jobId);
  const error: unknown = await client.getJob(jobId).catch((thrown: unknown) => thrown);
  expect(hasReason(error, "JOB_NOT_FOUND")).toBe(true);
  expect((error as ServiceError).metadata).toStrictEqual({ job_id: jobId });
});
