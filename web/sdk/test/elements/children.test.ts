import { JobState } from "@milepost/client";
import { Code } from "@connectrpc/connect";
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { sharedServer } from "../../../testing/server.js";
import { until } from "../../../testing/until.js";
import type { WorkedJob } from "../../../testing/worker.js";
import { JobStore } from "../../src/elements/live/job-store.js";
import { ServerConnection } from "../../src/elements/live/server-connection.js";
import { toMilepostError } from "../../src/errors.js";
import { refusal } from "../refusal.js";
import { type Setting, setUp, startJob } from "../watching.js";

const server = sharedServer();

beforeEach(() => {
  vi.stubGlobal("requestAnimationFrame", queueMicrotask);
});

afterEach(() => {
  vi.unstubAllGlobals();
});

/** Follow a job as its page does; it is left with the test. */
function follow({ client }: Setting, jobId: string): JobStore {
  const store = new JobStore(new ServerConnection(`${server.httpUrl}/`, client), jobId);
  const leave = store.subscribe(() => undefined);
  onTestFinished(leave);
  return store;
}

/** Stop the clock by which look-ups are due; the function returned puts it on. */
function stopClock(): (ms: number) => void {
  let now = performance.now();
  const clock = vi.spyOn(performance, "now").mockImplementation(() => now);
  onTestFinished(() => {
    clock.mockRestore();
  });
  return (ms) => {
    now += ms;
  };
}

/** A child at work on its only stage. */
async function startChild(setting: Setting, parentJobId: string): Promise<WorkedJob> {
  const child = await startJob(setting, { parentJobId, stages: [{ stageId: "all", total: 100 }] });
  await child.report({ case: "stageStarted", value: { stage: { stageId: "all", total: 100 } } });
  return child;
}

async function advance(child: WorkedJob, current: number): Promise<void> {
  await child.report({ case: "stageProgressed", value: { stageId: "all", current, total: 100 } });
}

test("the progress of children shows within a second, by one call a second at most, however often they report", async () => {
  const setting = await setUp(server, "connect");
  const { direct, client } = setting;
  const { jobId } = await direct.submitJob({ kind: "parent", plannedChildren: 1 });
  const child = await startChild(setting, jobId);
  const listJobs = vi.spyOn(client, "listJobs");
  const putOn = stopClock();
  const store = follow(setting, jobId);
  const fraction = (): number => store.children[0]?.fraction ?? -1;
  await until(() => fraction() === 0);

  await advance(child, 20);
  putOn(1000);
  await until(() => fraction() === 0.2);
  const asked = listJobs.mock.calls.length;
  for (const current of [40, 60, 80]) {
    await advance(child, current);
    await until(() => (store.job?.fraction ?? 0) * 100 >= current);
  }
  const askedMeanwhile = listJobs.mock.calls.length - asked;
  putOn(1000);
  await until(() => fraction() === 0.8);

  expect([askedMeanwhile, listJobs.mock.calls.length - asked]).toStrictEqual([0, 1]);
});

test("children of a parent that has no event of them, as it has stages of its own, show their progress as soon", async () => {
  const setting = await setUp(server, "connect");
  const parent = await startJob(setting, { kind: "parent", stages: [{ stageId: "own" }] });
  const child = await startChild(setting, parent.job.jobId);
  const putOn = stopClock();
  const store = follow(setting, parent.job.jobId);
  await until(() => store.children.length === 1);

  await advance(child, 50);
  putOn(1000);
  await until(() => store.children[0]?.fraction === 0.5);

  expect(store.job?.fraction).toBe(0);
});

test("children that nobody has planned show once their parent has an event of them", async () => {
  const setting = await setUp(server, "connect");
  const parent = await startJob(setting, { kind: "parent" });
  const { jobId } = parent.job;
  const listJobs = vi.spyOn(setting.client, "listJobs");
  const putOn = stopClock();
  const store = follow(setting, jobId);
  await until(() => listJobs.mock.calls.length > 0);

  const child = await startChild(setting, jobId);
  await advance(child, 50);
  await until(() => (store.job?.fraction ?? 0) > 0);
  putOn(1000);
  await until(() => store.children[0]?.fraction === 0.5);

  expect(store.children.map((job) => job.jobId)).toStrictEqual([child.job.jobId]);
});

test("a refusal to say why a job is queued does not hide its children", async () => {
  const setting = await setUp(server, "connect");
  const { direct, client } = setting;
  const { jobId } = await direct.submitJob({ kind: "parent", plannedChildren: 1 });
  const child = await direct.submitJob({ kind: "child", parentJobId: jobId });
  vi.spyOn(client, "getWaiting").mockRejectedValue(
    toMilepostError(refusal(Code.PermissionDenied, "PERMISSION_DENIED")),
  );
  const store = follow(setting, jobId);
  await until(() => store.children.length > 0 || store.childrenError !== "");

  expect(store.job?.state).toBe(JobState.QUEUED);
  expect([store.children.map((job) => job.jobId), store.childrenError]).toStrictEqual([[child.jobId], ""]);
});
