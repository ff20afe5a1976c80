import { Code, ConnectError, createRouterTransport } from "@connectrpc/connect";
import { JobState, ServiceError, createClient } from "@milepost/client";
import { createClient as createNodeClient } from "@milepost/client/node";
import { expect, onTestFinished, test, vi } from "vitest";
import { startHttpProxy } from "../../testing/http-proxy.js";
import { IMPATIENT } from "../../testing/impatient.js";
import { sharedServer } from "../../testing/server.js";
import { until } from "../../testing/until.js";
import { Calls } from "../src/calls.js";
import { MilepostClient } from "../src/client.js";
import { JobService } from "../src/gen/milepost/v1/job_service_pb.js";
import { TokenSource } from "../src/token.js";
import { UNLIMITED_SLOTS } from "../src/watch/stream-slots.js";
import { TransportFallback } from "../src/watch/transport-fallback.js";
import { Transport } from "../src/watch/transport.js";
import { WATCH_TIMING } from "../src/watch/watch-timing.js";
import { collect, oneTo, sequencesOf, startJob } from "./watching.js";

const server = sharedServer();
const timing = { ...IMPATIENT, streamRetryMs: 300_000 };
/** How long a call may take: long enough for a busy machine, since one that takes longer says that the server is down. */
const CALL_MS = 1500;

test("a proxy that holds streams back: streams that end at the head bring each event, and the watch goes back to a long one", async () => {
  const proxy = await startHttpProxy(server.httpUrl);
  const direct = createNodeClient({ baseUrl: server.baseUrl });
  const work = await startJob({ server, direct });
  proxy.buffers = true;
  const client = createClient({
    baseUrl: proxy.baseUrl,
    timeoutMs: CALL_MS,
    timing: { ...timing, streamRetryMs: 400 },
  });
  const watch = client.watchJob(work.job.jobId);
  const { items, end } = collect(watch);

  await until(() => watch.connection.state === "polling" && items.length === 2);
  expect(watch.connection.error?.name).toBe("StreamsBlocked");
  await work.log(10);
  await until(() => items.length === 12 && watch.connection.staleSince === undefined);
  // The next attempt at a long stream gets through.
  proxy.buffers = false;
  await until(() => watch.connection.state === "live");
  await work.end();
  await end;

  expect(sequencesOf(items)).toStrictEqual(oneTo(13));
});

test("a proxy that lets no stream through: calls bring the state of the job, until it has ended", async () => {
  const proxy = await startHttpProxy(server.httpUrl);
  const direct = createNodeClient({ baseUrl: server.baseUrl });
  const work = await startJob({ server, direct }, { stages: [{ stageId: "copy", total: 2 }] });
  proxy.rejects = (path) => path.endsWith("/WatchJob");
  const client = createClient({ baseUrl: proxy.baseUrl, timing });
  const fractions: number[] = [];
  const following = (async () => {
    for await (const job of client.followJob(work.job.jobId)) {
      // A new estimate of the remaining time is a new state, too.
      if (job.fraction !== fractions.at(-1)) fractions.push(job.fraction);
    }
  })();

  await until(() => fractions.length === 1);
  await work.report(
    { case: "stageStarted", value: { stage: { stageId: "copy" } } },
    { case: "stageProgressed", value: { stageId: "copy", current: 1 } },
  );
  await until(() => fractions.length === 2);
  await work.end();
  await following;

  expect(fractions).toStrictEqual([0, 0.5, 1]);
});

test("a proxy that lets no stream through: calls bring the states of many jobs, and which were deleted", async () => {
  const proxy = await startHttpProxy(server.httpUrl);
  const direct = createNodeClient({ baseUrl: server.baseUrl });
  const kind = "polled";
  const first = await startJob({ server, direct }, { kind, jobId: "first" });
  proxy.rejects = (path) => path.endsWith("/WatchJobs");
  const client = createClient({ baseUrl: proxy.baseUrl, timing: { ...timing, streamRetryMs: 500 } });
  const watch = client.watchJobs({ kinds: [kind], states: [JobState.RUNNING] });
  const { items, end } = collect(watch);

  await until(() => items.length === 1 && watch.connection.state === "polling");
  const second = await startJob({ server, direct }, { kind, jobId: "second" });
  await until(() => items.length === 2);
  await first.end(); // it does not match any more, and comes once as it is now
  await until(() => items.length === 3);
  await direct.deleteJob("first");
  // A long stream lists the jobs again, and brings nothing that is known.
  proxy.rejects = () => false;
  await until(() => watch.connection.state === "live");
  await second.end();
  await until(() => items.length === 4);
  watch.close();
  await end;

  const states = items.map((item) =>
    item.type === "snapshot" ? [item.job.jobId, JobState[item.job.state]] : item.type,
  );
  expect(states).toStrictEqual([
    ["first", "RUNNING"],
    ["second", "RUNNING"],
    ["first", "SUCCEEDED"],
    "event",
  ]);
});

test("a proxy that lets no stream through: a watch that does not follow ends with the states as they are", async () => {
  const proxy = await startHttpProxy(server.httpUrl);
  const direct = createNodeClient({ baseUrl: server.baseUrl });
  const kind = "as-it-is";
  const { jobId } = await direct.submitJob({ kind });
  proxy.rejects = (path) => path.endsWith("/WatchJob") || path.endsWith("/WatchJobs");
  const client = createClient({ baseUrl: proxy.baseUrl, timing });
  const one = client.watchJob(jobId, { start: "snapshot", follow: false });
  const many = client.watchJobs({ kinds: [kind] }, { start: "snapshot", follow: false });
  const watched = [collect(one), collect(many)];
  await Promise.all(watched.map(({ end }) => end));

  const jobs = watched.map(({ items }) => items.map((item) => item.type === "snapshot" && item.job.jobId));
  expect(jobs).toStrictEqual([[jobId], [jobId]]);
  expect([one.caughtUp, one.sequence]).toStrictEqual([true, 1n]);
});

test("a watch of many jobs that does not follow lists all of them by calls, page after page", async () => {
  const jobsOf = (pageToken: string) => ({
    jobs: [{ jobId: pageToken || "first", epoch: "e", lastSequence: 1n }],
    nextPageToken: { "": "second", second: "third" }[pageToken] ?? "",
  });
  const transport = createRouterTransport((router) => {
    router.service(JobService, {
      // eslint-disable-next-line @typescript-eslint/require-await, require-yield -- it fails as a stream that is cut
      watchJobs: async function* () {
        throw new ConnectError("cut", Code.Unavailable);
      },
      listJobs: ({ pageToken }) => jobsOf(pageToken),
    });
  });
  const client = new MilepostClient({ timing }, { transport });
  const { items, end } = collect(client.watchJobs({}, { follow: false }));
  await end;

  expect(items.map((item) => item.type === "snapshot" && item.job.jobId)).toStrictEqual([
    "first",
    "second",
    "third",
  ]);
});

test("a proxy that lets no stream through: a watch from the end of a job ends, since no more comes", async () => {
  const proxy = await startHttpProxy(server.httpUrl);
  const direct = createNodeClient({ baseUrl: server.baseUrl });
  const { jobId } = await direct.submitJob({ kind: "over" });
  await direct.cancelJob(jobId);
  const { lastSequence: after, epoch } = await direct.getJob(jobId);
  proxy.rejects = (path) => path.endsWith("/WatchJob");
  const client = createClient({ baseUrl: proxy.baseUrl, timing });
  const { items, end } = collect(client.watchJob(jobId, { after, epoch }));
  await end;

  expect(items).toStrictEqual([]);
});

test("calls bring no events: a watch that wants each one says that no stream gets through", async () => {
  const proxy = await startHttpProxy(server.httpUrl);
  const direct = createNodeClient({ baseUrl: server.baseUrl });
  const { jobId } = await direct.submitJob({ kind: "test" });
  proxy.rejects = (path) => path.endsWith("/WatchJob");
  const client = createClient({ baseUrl: proxy.baseUrl, timing });

  await expect(collect(client.watchJob(jobId, { onGap: "throw" })).end).rejects.toMatchObject({
    name: "StreamsBlocked",
  });
});

test("a proxy that answers no stream: what calls have brought is stale since the last of them", async () => {
  const proxy = await startHttpProxy(server.httpUrl);
  const direct = createNodeClient({ baseUrl: server.baseUrl });
  const { jobId } = await direct.submitJob({ kind: "test" });
  proxy.swallows = (path) => path.endsWith("/WatchJob");
  const client = createClient({
    baseUrl: proxy.baseUrl,
    timeoutMs: CALL_MS,
    timing: { ...timing, probeMs: 500, streamRetryMs: 2_500 }, // each fallback takes a probe's time, and comes before the retry
  });
  const begun = Date.now();
  const stale = new Set<number | undefined>();
  const watch = client.watchJob(jobId, { onConnection: ({ staleSince }) => stale.add(staleSince) });
  const { end } = collect(watch);

  await until(() => stale.size >= 3); // undefined, before the first call, and after some
  watch.close();
  await end;

  expect([...stale].filter((since) => since !== undefined && since < begun)).toStrictEqual([]);
});

test("a page that is not shown before it should have connected still finds out that streams are held back", async () => {
  const proxy = await startHttpProxy(server.httpUrl);
  const direct = createNodeClient({ baseUrl: server.baseUrl });
  const { jobId } = await direct.submitJob({ kind: "test" });
  proxy.buffers = true;
  const client = createClient({
    baseUrl: proxy.baseUrl,
    timing: { ...timing, probeMs: 2 * CALL_MS },
    timeoutMs: 2 * CALL_MS,
  });
  const page = Object.assign(new EventTarget(), { visibilityState: "hidden" });
  vi.stubGlobal("document", page);
  onTestFinished(() => {
    vi.unstubAllGlobals();
  });
  const watch = client.watchJob(jobId, { connectTimeoutMs: 1, pauseWhenHidden: true });
  const { items, end } = collect(watch);
  await until(() => watch.connection.state === "paused");

  page.visibilityState = "visible";
  page.dispatchEvent(new Event("visibilitychange"));
  await until(() => watch.connection.state === "polling" || watch.connection.state === "ended");
  await until(() => items.length === 1 || watch.connection.state === "ended");
  watch.close();
  await end;

  expect(sequencesOf(items)).toStrictEqual(oneTo(1));
});

test("a refusal says nothing of how long a stream takes to open, however long ago the last one was asked for", async () => {
  let later = 0;
  const now = performance.now.bind(performance);
  vi.spyOn(performance, "now").mockImplementation(() => now() + later);
  onTestFinished(() => {
    vi.restoreAllMocks();
  });
  const calls = new Calls(
    createRouterTransport(() => undefined),
    new TokenSource(),
    30_000,
  );
  const transport = new Transport({
    ...{ calls, timing: WATCH_TIMING, slots: UNLIMITED_SLOTS },
    holdConnection: () => () => undefined,
  });
  await transport.prepareStream(true);
  transport.streamOpened();

  later = 3_600_000;
  const refused = new ServiceError("no job", { reason: "JOB_NOT_FOUND", code: Code.NotFound });
  await transport.check(refused, false, () => Promise.resolve());
  transport.suspectConnections();

  expect(transport.openTimeoutMs).toBe(WATCH_TIMING.probeMs);
});

test("a server that is down is no blocked stream", () => {
  const fallback = new TransportFallback(300_000);
  for (let attempt = 0; attempt < 10; attempt++) {
    if (fallback.streamFailed(false)) {
      fallback.probed(false, 0, false);
    }
  }

  expect(fallback.mode).toBe("stream");
});

test("each failed stream with an answered call leads one mode down, and time leads back to streams", () => {
  const fallback = new TransportFallback(300_000);
  const modes = [];
  for (let attempt = 0; attempt < 8; attempt++) {
    if (fallback.streamFailed(false)) {
      fallback.probed(true, 1000, false);
    }
    modes.push(fallback.mode);
  }
  fallback.retryStream(300_999);
  modes.push(fallback.mode);
  fallback.retryStream(301_000);
  modes.push(fallback.mode);
  // One more failure is then enough.
  expect(fallback.streamFailed(false)).toBe(true);
  fallback.probed(true, 301_000, false);
  modes.push(fallback.mode);

  expect(modes).toStrictEqual([
    ...["stream", "stream", "stream", "replay", "replay", "call", "call", "call"],
    ...["call", "stream", "replay"],
  ]);
});

test("a stream that opens clears what failed before", () => {
  const fallback = new TransportFallback(300_000);
  for (let attempt = 0; attempt < 10; attempt++) {
    fallback.streamFailed(false);
    fallback.streamOpened();
  }

  expect(fallback.mode).toBe("stream");
  expect(fallback.streamFailed(false)).toBe(false);
});
