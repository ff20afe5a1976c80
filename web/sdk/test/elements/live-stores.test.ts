import { create } from "@bufbuild/protobuf";
import { Dispatch, type Filter, type Job, JobSchema, JobState, type MilepostClient } from "@milepost/client";
import { Code } from "@connectrpc/connect";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { sharedServer } from "../../../testing/server.js";
import { until } from "../../../testing/until.js";
import { JobStore } from "../../src/elements/live/job-store.js";
import { JobsStore } from "../../src/elements/live/jobs-store.js";
import { ProgressHub } from "../../src/elements/live/progress-hub.js";
import { ServerConnection } from "../../src/elements/live/server-connection.js";
import { ticker } from "../../src/elements/live/ticker.js";
import { filterOf } from "../../src/elements/model/job-list.js";
import { Unreachable, toMilepostError } from "../../src/errors.js";
import { GetHistoryResponseSchema } from "../../src/gen/milepost/v1/job_service_pb.js";
import type { JobWatch } from "../../src/watch/job-watch.js";
import { claimJob } from "../../../testing/worker.js";
import { refusal } from "../refusal.js";
import { setUp, startJob } from "../watching.js";

const server = sharedServer();
/** Frames that wait to be drawn; undefined while each is drawn at once. */
let held: (() => void)[] | undefined;

beforeEach(() => {
  held = undefined;
  vi.stubGlobal("requestAnimationFrame", (draw: () => void) => {
    if (held) held.push(draw);
    else queueMicrotask(draw);
  });
});

afterEach(() => {
  vi.unstubAllGlobals();
});

function connectionTo(client: MilepostClient): ServerConnection {
  return new ServerConnection(`${server.httpUrl}/`, client);
}

/** A list that fails with its first page. */
// eslint-disable-next-line @typescript-eslint/require-await, require-yield -- as `listJobs` is
async function* failing(error: Error, onAsk?: () => void): AsyncGenerator<Job, void, undefined> {
  onAsk?.();
  throw error;
}

interface Followed {
  readonly connection: { readonly state: string };
  subscribe(listener: () => void): () => void;
}

/** Follow a store from anew, as an element that is moved does, while the server is away; return the states it then tells of. */
async function statesWhenMoved(store: Followed, away: () => void, back: () => void): Promise<Set<string>> {
  const states = new Set<string>();
  const leave = store.subscribe(() => undefined);
  await until(() => store.connection.state === "live");
  away();
  leave();
  const leaveAgain = store.subscribe(() => states.add(store.connection.state));
  await until(() => states.has("connecting"));
  back();
  await until(() => states.has("live"));
  leaveAgain();
  return states;
}

test("a job and a list that are left and followed again never say that they are complete", async () => {
  const { proxy, client, direct } = await setUp(server, "connect");
  const { jobId } = await direct.submitJob({ kind: "moved" });
  const connection = connectionTo(client);
  const job = new JobStore(connection, jobId);
  const list = new JobsStore(connection, { ...filterOf(""), kind: "moved" });

  for (const store of [job, list]) {
    const states = await statesWhenMoved(
      store,
      () => {
        proxy.refuse = true;
        proxy.cut(); // or the next stream may get a connection that is kept alive
      },
      () => {
        proxy.refuse = false;
      },
    );
    expect(states).not.toContain("ended");
  }
});

test("a list that loses its connection while it is loaded asks for nothing meanwhile, and is whole afterwards", async () => {
  const { proxy, client, direct } = await setUp(server, "connect");
  const { jobId } = await direct.submitJob({ kind: "cut.list", dispatch: Dispatch.QUEUE });
  const listJobs = client.listJobs.bind(client);
  vi.spyOn(client, "listJobs").mockImplementationOnce((...query) => {
    proxy.refuse = true;
    proxy.cut();
    return listJobs(...query);
  });
  const list = new JobsStore(connectionTo(client), { ...filterOf(""), kind: "cut.list" });
  const leave = list.subscribe(() => undefined);
  await until(() => list.error !== "" && list.connection.state === "reconnecting");

  list.loadMore(); // as a list whose end is in sight does whenever it is drawn
  expect(list.isLoading).toBe(false);
  proxy.refuse = false;
  await until(() => list.isComplete(JobState.SUCCEEDED));
  leave();

  expect(list.error).toBe("");
  expect(list.get(jobId)).toStrictEqual(await direct.getJob(jobId));
});

test.each([
  ["the log", 2],
  ["the earlier attempts", 3],
])("%s of a job come once the connection is back, however long it was away", async (_, watch) => {
  const setting = await setUp(server, "connect");
  const { proxy, client } = setting;
  const retryPolicy = { maxAttempts: 2, initialBackoff: { seconds: 0n, nanos: 1_000_000 } };
  const work = await startJob(setting, { jobId: `away-${watch}`, kind: "away", retryPolicy });
  await work.log(3);
  await work.end({ state: JobState.FAILED, failure: { code: "X", message: "It broke.", retryable: true } });
  await claimJob(server.baseUrl, work.job.jobId);
  const watchJob = client.watchJob.bind(client);
  let watches = 0;
  vi.spyOn(client, "watchJob").mockImplementation((...query) => {
    if (++watches === watch) {
      proxy.refuse = true;
      proxy.cut();
    }
    return watchJob(...query);
  });
  const store = new JobStore(connectionTo(client), work.job.jobId);
  const leave = store.subscribe(() => undefined);
  await until(() => proxy.refuse && store.connection.state === "reconnecting");

  const now = performance.now.bind(performance);
  const clock = vi.spyOn(performance, "now").mockImplementation(() => now() + 3_600_000);
  const tried = proxy.connections;
  await until(() => proxy.connections > tried + 10);
  const { error } = store.log;
  proxy.refuse = false;
  await until(() => store.connection.state === "live" && (error !== "" || store.attempts.length === 2));
  leave();
  clock.mockRestore(); // not before: what fails meanwhile is retried by this clock

  expect(error).toBe("");
  const texts = store.log.lines.lines.map(({ text }) => text);
  expect(texts.slice(0, 3)).toStrictEqual(["line 1", "line 2", "line 3"]);
  expect(store.attempts.map(({ outcome }) => outcome)).toStrictEqual(["failed", ""]);
});

test("what a call could not load while the stream is there is loaded without being asked for: a list, and the log of a job", async () => {
  const setting = await setUp(server, "connect");
  const { client } = setting;
  const work = await startJob(setting, { jobId: "unlucky", kind: "unlucky" });
  await work.log(3);
  const cut = new Unreachable("a proxy cut the call");
  vi.spyOn(client, "listJobs").mockImplementationOnce(() => failing(cut));
  const list = new JobsStore(connectionTo(client), { ...filterOf(""), kind: "unlucky" });
  const told = new Set<string>(); // an error is gone once another call is made, which a busy machine may not see
  const leaveList = list.subscribe(() => told.add(list.error));
  await until(() => list.connection.state === "live" && list.isComplete(JobState.SUCCEEDED));
  leaveList();

  const watchJob = client.watchJob.bind(client);
  let watches = 0;
  vi.spyOn(client, "watchJob").mockImplementation((...query) => {
    if (++watches === 2) throw cut; // the first is the stream
    return watchJob(...query);
  });
  const job = new JobStore(connectionTo(client), "unlucky");
  const toldOfLog = new Set<string>();
  const leaveJob = job.subscribe(() => toldOfLog.add(job.log.error));
  await until(() => job.connection.state === "live" && job.log.isLoaded);
  leaveJob();

  for (const errors of [told, toldOfLog]) expect(errors).toContain(cut.message);
  expect([...list.all()].map(({ jobId }) => jobId)).toStrictEqual(["unlucky"]);
  expect([list.error, job.log.error]).toStrictEqual(["", ""]);
  expect(job.log.lines.lines.map(({ text }) => text)).toStrictEqual(["line 1", "line 2", "line 3"]);
});

test("what is refused of a job's page says so: its earlier attempts, and its children", async () => {
  const setting = await setUp(server, "connect");
  const { client } = setting;
  const retryPolicy = { maxAttempts: 2, initialBackoff: { seconds: 0n, nanos: 1_000_000 } };
  const work = await startJob(setting, { jobId: "kept", kind: "kept", retryPolicy });
  await work.end({ state: JobState.FAILED, failure: { code: "X", message: "It broke.", retryable: true } });
  await claimJob(server.baseUrl, work.job.jobId);
  const error = toMilepostError(refusal(Code.PermissionDenied, "PERMISSION_DENIED"));
  vi.spyOn(client, "listJobs").mockImplementation(() => failing(error));
  const watchJob = client.watchJob.bind(client);
  vi.spyOn(client, "watchJob").mockImplementation((jobId, options) => {
    const isOfAttempts = options?.payloads?.includes("attemptEnded");
    return isOfAttempts ? (failing(error) as unknown as JobWatch) : watchJob(jobId, options);
  });
  const store = new JobStore(connectionTo(client), work.job.jobId);
  const leave = store.subscribe(() => undefined);
  await until(() => store.attemptsError !== "" && store.childrenError !== "");
  leave();

  expect([store.attemptsError, store.childrenError]).toStrictEqual([error.message, error.message]);
});

test("a list that the server refuses is not asked for again and again", async () => {
  const { client } = await setUp(server, "connect");
  let asked = 0;
  const error = toMilepostError(refusal(Code.PermissionDenied, "PERMISSION_DENIED"));
  vi.spyOn(client, "listJobs").mockImplementation(() => failing(error, () => (asked += 1)));
  const now = performance.now.bind(performance);
  const list = new JobsStore(connectionTo(client), { ...filterOf(""), kind: "refused" });
  const leave = list.subscribe(() => undefined);
  await until(() => list.error !== "");
  const clock = vi.spyOn(performance, "now").mockImplementation(() => now() + 3_600_000);
  let ticks = 0;
  const untick = ticker.add(() => (ticks += 1));
  await until(() => ticks > 1);
  clock.mockRestore();
  untick();
  leave();

  expect(asked).toBe(1);
});

test("what is usual is asked for again while there are too few runs to say, and once the job has ended", async () => {
  const setting = await setUp(server, "connect");
  const { client } = setting;
  const work = await startJob(setting, { jobId: "usual", kind: "usual" });
  let runs = 0;
  const getHistory = vi
    .spyOn(client, "getHistory")
    .mockImplementation(() => Promise.resolve(create(GetHistoryResponseSchema, { runs })));
  const store = new JobStore(connectionTo(client), "usual");
  const leave = store.subscribe(() => undefined);
  await until(() => store.usual !== undefined);
  runs = 3;
  const now = performance.now.bind(performance);
  const clock = vi.spyOn(performance, "now").mockImplementation(() => now() + 60_000);
  await until(() => store.usual?.runs === 3);
  clock.mockRestore();
  runs = 4;
  await work.end();
  await until(() => store.usual?.runs === 4);
  leave();

  expect(getHistory.mock.calls.length).toBe(3);
});

test("an id that can be none is that of no job, and the others of its stream are followed", async () => {
  const { client, direct } = await setUp(server, "connect");
  const { jobId } = await direct.submitJob({ kind: "beside" });
  const hub = new ProgressHub(connectionTo(client));
  const jobs = ["", "no id", jobId].map((id) => hub.job(id));
  const leave = jobs.map((job) => job.subscribe(() => undefined));
  await until(() => jobs[2]?.connection.state === "live");
  for (const end of leave) end();

  expect(jobs.map(({ connection, job }) => [connection.state, job?.jobId])).toStrictEqual([
    ["missing", undefined],
    ["missing", undefined],
    ["live", jobId],
  ]);
});

test("a job does not say that it is complete when another one joins its stream", async () => {
  const { client, direct } = await setUp(server, "connect");
  const first = await direct.submitJob({ kind: "joined" });
  const second = await direct.submitJob({ kind: "joined" });
  const hub = new ProgressHub(connectionTo(client));
  const [one, other] = [hub.job(first.jobId), hub.job(second.jobId)];
  const states = new Set<string>();
  const leaveOne = one.subscribe(() => states.add(one.connection.state));
  await until(() => one.connection.state === "live");

  const leaveOther = other.subscribe(() => undefined);
  await until(() => other.connection.state === "live");
  leaveOne();
  leaveOther();

  expect(states).not.toContain("ended");
});

test("events of before a log that restarted, in the same frame, are not of the job", async () => {
  const setting = await setUp(server, "connect");
  const { proxy, direct, client } = setting;
  const submission = { jobId: "again", kind: "again", dispatch: Dispatch.EXTERNAL };
  const work = await startJob(setting, submission);
  const store = new JobStore(connectionTo(client), "again");
  const leave = store.subscribe(() => undefined);
  await until(() => store.isCaughtUp && store.log.isLoaded);
  const { epoch } = store;

  held = [];
  await work.log(10, "before");
  await until(() => !store.isCaughtUp);
  proxy.refuse = true;
  proxy.cut();
  await work.end();
  await direct.deleteJob("again");
  const { jobId } = await direct.submitJob(submission);
  proxy.refuse = false;
  await until(() => store.epoch !== epoch);
  await until(() => store.connection.state === "live");
  const frames = held;
  held = undefined;
  for (const draw of frames) draw();
  await until(() => store.log.isLoaded);
  leave();

  expect(store.job).toStrictEqual(await direct.getJob(jobId));
  expect(store.log.lines.lines).toStrictEqual([]);
});

test("a list that is followed again has no jobs that were deleted meanwhile, also if others have their ids", async () => {
  const { client, direct } = await setUp(server, "connect");
  await direct.submitJob({ kind: "listed", jobId: "later", labels: { number: "first" } });
  await direct.cancelJob("later");
  const kept = await direct.submitJob({ kind: "listed" });
  const gone = await direct.submitJob({ kind: "listed" });
  const list = new JobsStore(connectionTo(client), { ...filterOf(""), kind: "listed" });
  const leave = list.subscribe(() => undefined);
  await until(() => [...list.all()].length === 3 && !list.isLoading);
  leave();
  await direct.cancelJob(gone.jobId);
  await direct.deleteJob(gone.jobId);
  await direct.deleteJob("later");
  await direct.submitJob({ kind: "listed", jobId: "later", labels: { number: "second" } });

  const leaveAgain = list.subscribe(() => undefined);
  await until(() => list.get(gone.jobId) === undefined);
  leaveAgain();

  expect(new Set([...list.all()].map(({ jobId }) => jobId))).toStrictEqual(new Set([kept.jobId, "later"]));
  expect(list.get("later")?.labels["number"]).toBe("second");
});

test("a list that has as many ended jobs as it keeps loads what runs when it is followed again", async () => {
  const { client } = await setUp(server, "connect");
  const asked: string[] = [];
  // The server would take minutes for as many jobs.
  async function* listJobs({ states = [] }: Filter = {}): AsyncGenerator<Job, void, undefined> {
    asked.push(states.map((state) => JobState[state]).join());
    if (states.includes(JobState.SUCCEEDED))
      for (let n = 0; n < 20_000; n++)
        yield await Promise.resolve(
          create(JobSchema, { jobId: `${n}`, state: JobState.SUCCEEDED, lastSequence: 3n }),
        );
  }
  const watchJobs: MilepostClient["watchJobs"] = (...request) => client.watchJobs(...request);
  const calls = Object.assign(Object.create(client), { watchJobs, listJobs }) as MilepostClient;
  const list = new JobsStore(connectionTo(calls), filterOf("?kind=none"));
  const leave = list.subscribe(() => undefined);
  for (let known = -1; [...list.all()].length < 20_000;) {
    await until(() => !list.isLoading && [...list.all()].length > known);
    known = [...list.all()].length;
    list.loadMore();
  }
  await until(() => !list.isLoading);
  leave();

  asked.length = 0;
  const leaveAgain = list.subscribe(() => undefined);
  await until(() => asked.length > 0 && list.isComplete(JobState.QUEUED));
  leaveAgain();

  expect(list.isComplete(JobState.RUNNING)).toBe(true);
});
