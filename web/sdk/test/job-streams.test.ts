import { create } from "@bufbuild/protobuf";
import { JobSchema, JobState, WaitingFor, WaitingSchema, createClient } from "@milepost/client";
import { createClient as createNodeClient } from "@milepost/client/node";
import { Code, ConnectError, createRouterTransport } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { startHttpProxy } from "../../testing/http-proxy.js";
import { IMPATIENT } from "../../testing/impatient.js";
import { sharedServer } from "../../testing/server.js";
import { until } from "../../testing/until.js";
import { MilepostClient } from "../src/client.js";
import { JobService } from "../src/gen/milepost/v1/job_service_pb.js";
import { JobChannel, JobStreams } from "../src/react/job-streams.js";
import { collect } from "./watching.js";

const server = sharedServer();

test("a job that a stream of many has not is told of as the server says, not as a lost connection says", async () => {
  const { jobId } = await createNodeClient({ baseUrl: server.baseUrl }).submitJob({ kind: "test" });
  const proxy = await startHttpProxy(server.httpUrl);
  let refused = 0;
  proxy.rejects = (path) => path.endsWith("/GetJob") && ++refused > 0;
  const streams = new JobStreams(createClient({ baseUrl: proxy.baseUrl, timing: IMPATIENT }));
  const absent = collect(streams.open("absent", () => undefined).batches());
  const present = streams.open(jobId, () => undefined);
  const { end } = collect(present.batches());

  await until(() => refused > 0);
  proxy.rejects = () => false;

  await expect(absent.end).rejects.toMatchObject({ reason: "JOB_NOT_FOUND" });
  present.close();
  await end;
});

test("ids that can be none end by themselves, and the jobs beside them are followed to their ends", async () => {
  const direct = createNodeClient({ baseUrl: server.baseUrl });
  const jobs = await Promise.all([1, 2].map(() => direct.submitJob({ kind: "test" })));
  const streams = new JobStreams(createClient({ baseUrl: server.httpUrl, timing: IMPATIENT }));
  const states: Record<string, string> = {};
  const [empty, wrong] = ["", "no id"].map((jobId) =>
    collect(streams.open(jobId, ({ state }) => (states[jobId] = state)).batches()),
  );
  const followed = jobs.map(({ jobId }) => collect(streams.open(jobId, () => undefined).batches()));
  await until(() => followed.every(({ items }) => items.flat().length > 0));
  await Promise.all(jobs.map(({ jobId }) => direct.cancelJob(jobId)));
  await Promise.all(followed.map(({ end }) => end)); // each once its job has ended, or its stream was refused

  await expect(empty?.end).rejects.toMatchObject({ reason: "INVALID_FIELD" });
  await expect(wrong?.end).rejects.toMatchObject({ reason: "INVALID_FIELD" });
  expect(states).toStrictEqual({ "": "ended", "no id": "ended" });
});

test("a job that two stores follow, one of which was hidden for a while, is followed by both to its end", async () => {
  const direct = createNodeClient({ baseUrl: server.baseUrl });
  const { jobId } = await direct.submitJob({ kind: "test" });
  const streams = new JobStreams(createClient({ baseUrl: server.httpUrl, timing: IMPATIENT }));
  const states: string[] = [];
  const first = collect(streams.open(jobId, ({ state }) => states.push(state)).batches());
  await until(() => first.items.flat().length > 0);
  const second = collect(streams.open(jobId, () => undefined).batches());
  await until(() => second.items.flat().length > 0);

  expect(states).not.toContain("ended"); // as the stream is that the second one replaced
  await direct.cancelJob(jobId);
  await Promise.all([first.end, second.end]);

  const last = [first, second].map(({ items }) => items.flat().at(-1));
  expect(last).toMatchObject([
    { type: "event", event: { payload: { case: "jobEnded" } } },
    { type: "event", event: { payload: { case: "jobEnded" } } },
  ]);
});

test("an estimate of a quiet job comes although another job has news with it, where no stream gets through", async () => {
  let listed = 0;
  const transport = createRouterTransport((router) => {
    router.service(JobService, {
      watchJobs: () => {
        throw new ConnectError("cut", Code.Unavailable);
      },
      getJob: ({ jobId }) => ({ job: { jobId } }),
      listJobs: () => {
        const remainingP50 = { seconds: BigInt(++listed) };
        return {
          jobs: [
            { jobId: "busy", state: JobState.RUNNING, lastSequence: BigInt(listed) },
            { jobId: "quiet", state: JobState.RUNNING, lastSequence: 1n, estimate: { remainingP50 } },
          ],
        };
      },
    });
  });
  const streams = new JobStreams(new MilepostClient({ timing: IMPATIENT }, { transport }));
  const channels = ["busy", "quiet"].map((jobId) => streams.open(jobId, () => undefined));
  const ends = channels.map((channel) => collect(channel.batches()).end);

  const estimate = () => channels[1]?.estimate?.remainingP50?.seconds;
  await until(() => estimate() !== undefined);
  const first = estimate();
  await until(() => estimate() !== first);
  for (const channel of channels) channel.close();
  await Promise.all(ends);
});

test("a job that a snapshot says has started no longer waits for anything, as where no stream gets through", async () => {
  const channel = new JobChannel(
    "job",
    () => undefined,
    () => undefined,
  );
  const { end } = collect(channel.batches());
  const queued = create(JobSchema, { jobId: "job", state: JobState.QUEUED });
  await channel.push([{ type: "snapshot", job: queued }]);
  channel.lookedUp(queued, create(WaitingSchema, { waitingFor: WaitingFor.WORKER }));
  expect(channel.waiting).toMatchObject({ waitingFor: WaitingFor.WORKER });

  const running = create(JobSchema, { jobId: "job", state: JobState.RUNNING });
  await channel.push([{ type: "snapshot", job: running }]);

  expect(channel.waiting).toBeUndefined();
  channel.close();
  await end;
});
