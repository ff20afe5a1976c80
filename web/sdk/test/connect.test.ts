import { Code, ConnectError, type Transport, createClient } from "@connectrpc/connect";
import { createConnectTransport as createNodeTransport } from "@connectrpc/connect-node";
import { createConnectTransport as createWebTransport } from "@connectrpc/connect-web";
import { expect, test } from "vitest";
import { Dispatch, JobService, JobState } from "@milepost/client";
import { sharedServer } from "../../testing/server.js";
import { until } from "../../testing/until.js";

const server = sharedServer();

/** Connect's own transports, without this package's: the server has to be what they expect. */
const transports: Record<string, () => Transport> = {
  "connect-web, JSON": () => createWebTransport({ baseUrl: server.httpUrl }),
  "connect-web, binary": () => createWebTransport({ baseUrl: server.httpUrl, useBinaryFormat: true }),
  "connect-node, JSON": () =>
    createNodeTransport({ baseUrl: server.httpUrl, httpVersion: "1.1", useBinaryFormat: false }),
  "connect-node, binary": () => createNodeTransport({ baseUrl: server.httpUrl, httpVersion: "1.1" }),
};

/** The error of a call, or of a stream, that fails. */
async function refused(call: Promise<unknown> | AsyncIterable<unknown>): Promise<ConnectError> {
  try {
    if (call instanceof Promise) {
      await call;
    } else {
      const iterator = call[Symbol.asyncIterator]();
      while (!(await iterator.next()).done);
    }
  } catch (error) {
    return ConnectError.from(error);
  }
  throw new Error("the call succeeded");
}

test.each(Object.keys(transports))("every method with %s", async (name) => {
  const service = createClient(JobService, (transports[name] as () => Transport)());
  const kind = name.toLowerCase().replace(/\W+/g, "-");
  const only = { kinds: [kind] };
  const { job } = await service.submitJob({ kind, dispatch: Dispatch.EXTERNAL, input: { path: "å.wav" } });
  const jobId = job?.jobId ?? "";
  expect((await service.getJob({ jobId })).job).toEqual(job);
  expect((await service.listJobs({ filter: only })).jobs).toEqual([job]);
  expect((await service.whoAmI({})).subject).toBe("anonymous");
  expect((await service.shareJob({ jobId })).token).toMatch(/^mps_/);
  await service.revokeShares({ jobId });
  expect((await service.getHistory({ kind })).runs).toBe(0);

  // Each event is here before the next one happens, and the stream ends by itself with the job.
  const seen: string[] = [];
  for await (const { frame } of service.watchJob({ jobId })) {
    seen.push(
      ...(frame.case === "events" ? frame.value.events.map(({ payload }) => String(payload.case)) : []),
    );
    if (frame.case === "caughtUp") {
      expect(seen).toEqual(["jobSubmitted"]);
      const cancelled = await service.cancelJob({ jobId });
      expect(cancelled.job?.state).toBe(JobState.CANCELLED);
    }
  }
  expect(seen).toEqual(["jobSubmitted", "cancelRequested", "jobEnded"]);

  const sequences: bigint[] = [];
  for await (const { frame } of service.watchJobs({ filter: only, noFollow: true })) {
    sequences.push(...(frame.case === "events" ? frame.value.events.map((event) => event.sequence) : []));
  }
  expect(sequences).toEqual(sequences.map((_, index) => BigInt(index + 1)));
  await service.deleteJob({ jobId });
  for (const gone of [service.getJob({ jobId }), service.watchJob({ jobId })]) {
    const error = await refused(gone);
    expect(error.code).toBe(Code.NotFound);
    expect(error.details.map((detail) => ("type" in detail ? detail.type : ""))).toEqual([
      "google.rpc.ErrorInfo",
    ]);
  }
});

test.each(Object.keys(transports))("a watch that is aborted ends with %s", async (name) => {
  const service = createClient(JobService, (transports[name] as () => Transport)());
  const { job } = await service.submitJob({ kind: "aborted", dispatch: Dispatch.EXTERNAL });
  const aborting = new AbortController();
  const frames = service.watchJob({ jobId: job?.jobId ?? "" }, { signal: aborting.signal });
  const watch = frames[Symbol.asyncIterator]();
  await watch.next();
  aborting.abort();
  // Frames that had arrived may still come.
  const rest = async (): Promise<void> => {
    while (!(await watch.next()).done);
  };
  expect((await refused(rest())).code).toBe(Code.Canceled);
  // The server notices, and holds the stream no longer.
  await until(() => server.ended("WatchJob", job?.jobId ?? "").join() === "CANCELLED");
});
