import { type MessageInitShape, create } from "@bufbuild/protobuf";
import { Code, ConnectError, createRouterTransport } from "@connectrpc/connect";
import { type ClientOptions, type Connection, EventSchema, WatchJobResponseSchema } from "@milepost/client";
import { expect, onTestFinished, test, vi } from "vitest";
import { IMPATIENT } from "../../testing/impatient.js";
import { until } from "../../testing/until.js";
import { MilepostClient } from "../src/client.js";
import { ErrorInfoSchema } from "../src/gen/google/rpc/error_details_pb.js";
import { JobService, type WatchJobResponse } from "../src/gen/milepost/v1/job_service_pb.js";
import type { StreamSlots } from "../src/watch/stream-slots.js";
import { collect, statesOf } from "./watching.js";

/** A page with one slot for streams, and with the listeners that it has now. */
class Page extends EventTarget implements StreamSlots {
  readonly visibilityState = "visible";
  readonly listeners = new Set<unknown>();
  isTaken = false;

  override addEventListener(type: string, listener: EventListener): void {
    super.addEventListener(type, listener);
    this.listeners.add(listener);
  }

  override removeEventListener(type: string, listener: EventListener): void {
    super.removeEventListener(type, listener);
    this.listeners.delete(listener);
  }

  take(): Promise<(() => void) | undefined> {
    if (this.isTaken) return Promise.resolve(undefined);
    this.isTaken = true;
    return Promise.resolve(() => (this.isTaken = false));
  }
}

/** A client of a server in this process, of which each stream is `watchJob`. */
function clientOf(
  watchJob: (signal: AbortSignal) => AsyncIterable<WatchJobResponse>,
  options: ClientOptions & { slots?: StreamSlots } = {},
): MilepostClient {
  const transport = createRouterTransport(({ service }) => {
    service(JobService, { watchJob: (_, { signal }) => watchJob(signal) });
  });
  return new MilepostClient({ timing: IMPATIENT, ...options }, { transport, slots: options.slots });
}

function frame(value: MessageInitShape<typeof WatchJobResponseSchema>["frame"]): WatchJobResponse {
  return create(WatchJobResponseSchema, { frame: value });
}

/** The frames of a stream up to the head, where the job has one event. */
function* framesToHead(): Iterable<WatchJobResponse> {
  yield frame({ case: "opened", value: { epoch: "e", headSequence: 1n } });
  const event = create(EventSchema, { sequence: 1n, payload: { case: "jobSubmitted", value: {} } });
  yield frame({ case: "events", value: { events: [event] } });
  yield frame({ case: "caughtUp", value: { sequence: 1n } });
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    signal.addEventListener("abort", () => {
      resolve();
    });
  });
}

/** What a stream throws where the server refuses it. */
function refusal(code: Code, reason: string): ConnectError {
  const info = { desc: ErrorInfoSchema, value: { domain: "milepost.v1", reason } };
  return new ConnectError(reason, code, undefined, [info]);
}

test.each(["close", "abort"])(
  "a watch that nobody iterates any more holds nothing of the page from its %s on",
  async (how) => {
    const page = new Page();
    vi.stubGlobal("document", page);
    onTestFinished(() => {
      vi.unstubAllGlobals();
    });
    const client = clientOf(
      async function* (signal) {
        yield* framesToHead();
        await aborted(signal);
      },
      { slots: page },
    );
    const controller = new AbortController();
    const watch = client.watchJob("j", { signal: controller.signal });
    await watch.batches().next();
    expect([page.isTaken, page.listeners.size > 0]).toStrictEqual([true, true]);

    if (how === "close") watch.close();
    else controller.abort();

    expect([page.isTaken, page.listeners.size]).toStrictEqual([false, 0]);
  },
);

test("a watch that is closed does not wait for another token", async () => {
  let asked = 0;
  const client = clientOf(
    // eslint-disable-next-line require-yield
    async function* () {
      await Promise.resolve();
      throw refusal(Code.Unauthenticated, "TOKEN_EXPIRED");
    },
    { token: () => (++asked === 1 ? "first" : new Promise<string>(() => undefined)) },
  );
  const watch = client.watchJob("j");
  const { end } = collect(watch);
  await until(() => asked === 2);

  watch.close();
  await end;

  expect(watch.connection.state).toBe("ended");
});

test("a history that restarts under a live watch: it is not live again before another stream is", async () => {
  let opened = 0;
  const client = clientOf(async function* (signal) {
    if (++opened === 1) {
      yield* framesToHead();
      throw refusal(Code.FailedPrecondition, "EPOCH_CHANGED");
    }
    await aborted(signal);
  });
  const connections: Connection[] = [];
  const watch = client.watchJob("j", { onConnection: (connection) => connections.push(connection) });
  const { items, end } = collect(watch);

  await until(() => opened === 2);
  watch.close();
  await end;

  expect(items.map(({ type }) => type)).toStrictEqual(["event", "gap"]);
  expect(statesOf(connections)).toStrictEqual(["catching-up", "live", "reconnecting", "ended"]);
});
