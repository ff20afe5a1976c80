/** What is shown where the log restarts: nothing of before, also not what comes late. */
import { type MessageInitShape, create } from "@bufbuild/protobuf";
import { Code, type ServiceImpl, createRouterTransport } from "@connectrpc/connect";
import { JobSchema, JobState, WatchJobResponseSchema, WatchJobsResponseSchema } from "@milepost/client";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { IMPATIENT } from "../../../testing/impatient.js";
import { until } from "../../../testing/until.js";
import { MilepostClient } from "../../src/client.js";
import { JobStore } from "../../src/elements/live/job-store.js";
import { JobsStore } from "../../src/elements/live/jobs-store.js";
import { ProgressHub } from "../../src/elements/live/progress-hub.js";
import { ServerConnection } from "../../src/elements/live/server-connection.js";
import { filterOf } from "../../src/elements/model/job-list.js";
import { JobService } from "../../src/gen/milepost/v1/job_service_pb.js";
import { JobStreams } from "../../src/react/job-streams.js";
import { refusal } from "../refusal.js";
import { collect } from "../watching.js";
import { at, event } from "./jobs.js";

beforeEach(() => {
  vi.stubGlobal("requestAnimationFrame", queueMicrotask);
});

afterEach(() => {
  vi.unstubAllGlobals();
});

/** A client of a server in this process. */
function clientOf(service: Partial<ServiceImpl<typeof JobService>>): MilepostClient {
  const transport = createRouterTransport((router) => {
    router.service(JobService, service);
  });
  return new MilepostClient({ timing: IMPATIENT }, { transport });
}

/** Resolves once it is opened. */
class Gate {
  open: () => void = () => undefined;
  readonly opened = new Promise<void>((resolve) => (this.open = resolve));
}

type JobsFrame = MessageInitShape<typeof WatchJobsResponseSchema>["frame"];
type JobFrame = MessageInitShape<typeof WatchJobResponseSchema>["frame"];

/** Streams of many jobs: those of `before`, until the log restarts, and then, for good, those of `after`. */
function restarting(before: readonly string[], after: readonly string[], restart: Gate) {
  const frame = (value: JobsFrame) => create(WatchJobsResponseSchema, { frame: value });
  let opened = 0;
  return async function* () {
    const isFirst = ++opened === 1;
    const epoch = isFirst ? "before" : "after";
    yield frame({ case: "opened", value: { epoch, headSequence: 1n } });
    for (const jobId of isFirst ? before : after) {
      const job = { jobId, epoch, state: JobState.RUNNING, lastSequence: 2n };
      yield frame({ case: "snapshot", value: { job } });
    }
    yield frame({ case: "caughtUp", value: { sequence: 1n } });
    if (isFirst) {
      await restart.opened;
      throw refusal(Code.FailedPrecondition, "EPOCH_CHANGED");
    }
    await new Promise(() => undefined);
  };
}

test("a list has no job that was listed before the restart, however late the answer comes", async () => {
  const [restart, answer] = [new Gate(), new Gate()];
  let listed = 0;
  const client = clientOf({
    watchJobs: restarting([], [], restart),
    listJobs: async () => {
      const isFirst = ++listed === 1;
      if (isFirst) await answer.opened;
      return { jobs: [{ jobId: isFirst ? "old" : "new", state: JobState.RUNNING, lastSequence: 9n }] };
    },
  });
  const list = new JobsStore(new ServerConnection("http://localhost/", client), filterOf(""));
  const leave = list.subscribe(() => undefined);
  await until(() => listed === 1);

  restart.open();
  await until(() => list.isComplete(JobState.QUEUED));
  answer.open();
  await until(() => !list.isLoading);
  leave();

  expect([...list.all()].map(({ jobId }) => jobId)).toStrictEqual(["new"]);
});

test("a list whose log has restarted is loading until it has come again", async () => {
  const [restart, answer] = [new Gate(), new Gate()];
  let listed = 0;
  const client = clientOf({
    watchJobs: restarting([], [], restart),
    listJobs: async () => {
      if (++listed > 3) await answer.opened; // what runs, what waits, and what has ended
      return { jobs: [{ jobId: "job", state: JobState.RUNNING, lastSequence: 9n }] };
    },
  });
  const list = new JobsStore(new ServerConnection("http://localhost/", client), filterOf(""));
  const emptyWhile = new Set<string>();
  const leave = list.subscribe(() => {
    if (list.all().next().done) emptyWhile.add(list.isLoading ? "loading" : "loaded");
  });
  await until(() => listed === 3 && !list.isLoading);

  restart.open();
  await until(() => listed === 4);
  answer.open();
  await until(() => !list.isLoading);
  leave();

  expect(emptyWhile).toStrictEqual(new Set(["loading"]));
});

test("the progress of a job that is not in the other store is missing", async () => {
  const restart = new Gate();
  const client = clientOf({ watchJobs: restarting(["gone", "kept"], ["kept"], restart) });
  const hub = new ProgressHub(new ServerConnection("http://localhost/", client));
  const [gone, kept] = [hub.job("gone"), hub.job("kept")];
  const leave = [gone, kept].map((job) => job.subscribe(() => undefined));
  await until(() => kept.connection.state === "live");

  restart.open();
  await until(() => kept.job?.epoch === "after" && kept.connection.state === "live");
  for (const end of leave) end();

  expect([gone.connection.state, gone.job]).toStrictEqual(["missing", undefined]);
});

test("a hook of a job that is not in the other store says that there is none", async () => {
  const restart = new Gate();
  const client = clientOf({
    watchJobs: restarting(["gone", "kept"], ["kept"], restart),
    getJob: () => {
      throw refusal(Code.NotFound, "JOB_NOT_FOUND");
    },
  });
  const streams = new JobStreams(client);
  const gone = collect(streams.open("gone", () => undefined).batches());
  const channel = streams.open("kept", () => undefined);
  const kept = collect(channel.batches());
  await until(() => kept.items.flat().length === 1);

  restart.open();

  await expect(gone.end).rejects.toMatchObject({ reason: "JOB_NOT_FOUND" });
  channel.close();
  await kept.end;
});

test("the attempts of a job are those of its log, however late those of the one before come", async () => {
  const [restart, answer, end] = [new Gate(), new Gate(), new Gate()];
  const frame = (value: JobFrame) => create(WatchJobResponseSchema, { frame: value });
  const job = (epoch: string, attempt: number) =>
    create(JobSchema, {
      ...{ jobId: "j", kind: epoch, epoch, attempt, lastSequence: 9n, state: JobState.RUNNING },
      ...{ submitTime: at(0), startTime: at(8), workerId: epoch },
    });
  let [opened, read] = [0, 0];
  const client = clientOf({
    watchJob: async function* ({ filter, start }) {
      if (filter?.payloads.includes("attempt_ended")) {
        read++;
        await answer.opened;
      }
      const isFirst = filter !== undefined ? opened < 2 : ++opened === 1;
      const epoch = isFirst ? "before" : "after";
      const cursor = start.case === "afterSequence" ? start.value : 9n;
      yield frame({ case: "opened", value: { epoch, headSequence: 9n, cursor } });
      if (filter !== undefined) {
        const started = event(5, { payload: { case: "jobStarted", value: { workerId: "other" } } });
        yield frame({ case: "events", value: { events: [started] } });
        yield frame({ case: "caughtUp", value: { sequence: 9n } });
        end.open();
        return;
      }
      yield frame({ case: "snapshot", value: { job: job(epoch, isFirst ? 2 : 1) } });
      yield frame({ case: "caughtUp", value: { sequence: 9n } });
      if (isFirst) {
        await restart.opened;
        throw refusal(Code.FailedPrecondition, "EPOCH_CHANGED");
      }
      await new Promise(() => undefined);
    },
    listJobs: () => ({}),
    getHistory: () => ({}),
  });
  const store = new JobStore(new ServerConnection("http://localhost/", client), "j");
  const leave = store.subscribe(() => undefined);
  await until(() => read === 1);

  restart.open();
  await until(() => store.job?.epoch === "after" && store.usual !== undefined);
  answer.open();
  await end.opened;
  await new Promise((resolve) => setTimeout(resolve, 50)); // for what must not happen
  leave();

  expect(store.attempts.map(({ number, workerId }) => [number, workerId])).toStrictEqual([[1, "after"]]);
});
