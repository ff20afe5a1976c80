import { create } from "@bufbuild/protobuf";
import { Dispatch, type Filter, type Job, JobSchema, JobState, type MilepostClient } from "@milepost/client";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { sharedServer } from "../../../testing/server.js";
import { until } from "../../../testing/until.js";
import { JobStore } from "../../src/elements/live/job-store.js";
import { JobsStore } from "../../src/elements/live/jobs-store.js";
import { ProgressHub } from "../../src/elements/live/progress-hub.js";
import { ServerConnection } from "../../src/elements/live/server-connection.js";
import { filterOf } from "../../src/elements/model/job-list.js";
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

test("events of before a history that restarted, in the same frame, are not of the job", async () => {
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
