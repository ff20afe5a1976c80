import { type MessageInitShape, create } from "@bufbuild/protobuf";
import { Code, ConnectError, createRouterTransport } from "@connectrpc/connect";
import {
  type ClientOptions,
  type Connection,
  EventSchema,
  type JobSchema,
  JobState,
  WatchJobResponseSchema,
} from "@milepost/client";
import { expect, onTestFinished, test, vi } from "vitest";
import { IMPATIENT } from "../../testing/impatient.js";
import { until } from "../../testing/until.js";
import { MilepostClient } from "../src/client.js";
import { Unreachable } from "../src/errors.js";
import { JobService, type WatchJobResponse } from "../src/gen/milepost/v1/job_service_pb.js";
import { Backoff } from "../src/watch/backoff.js";
import { ConnectionStatus } from "../src/watch/connection-status.js";
import type { StreamSlots } from "../src/watch/stream-slots.js";
import { refusal } from "./refusal.js";
import { collect, statesOf } from "./watching.js";

/** A page with one slot for streams, and with the listeners that it has now. */
class Page extends EventTarget implements StreamSlots {
  visibilityState: "visible" | "hidden" = "visible";
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

  /** Hide the page, or show it again. */
  turn(state: "visible" | "hidden"): void {
    this.visibilityState = state;
    this.dispatchEvent(new Event("visibilitychange"));
  }

  take(): Promise<(() => void) | undefined> {
    if (this.isTaken) return Promise.resolve(undefined);
    this.isTaken = true;
    return Promise.resolve(() => (this.isTaken = false));
  }
}

/** The page that the test is in until its end. */
function openPage(): Page {
  const page = new Page();
  vi.stubGlobal("document", page);
  onTestFinished(() => {
    vi.unstubAllGlobals();
  });
  return page;
}

/** A client of a server in this process, of which each stream is `watchJob`; a call has `job`, if that is given. */
function clientOf(
  watchJob: (signal: AbortSignal) => AsyncIterable<WatchJobResponse>,
  { job, ...options }: ClientOptions & { slots?: StreamSlots; job?: MessageInitShape<typeof JobSchema> } = {},
): MilepostClient {
  const transport = createRouterTransport(({ service }) => {
    service(JobService, {
      watchJob: (_, { signal }) => watchJob(signal),
      getJob: () => {
        if (job) return { job };
        throw new ConnectError("no more than streams", Code.Unavailable);
      },
    });
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

test.each(["close", "abort"])(
  "a watch that nobody iterates any more holds nothing of the page from its %s on",
  async (how) => {
    const page = openPage();
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
    expect(watch.connection.state).toBe("ended");
  },
);

test("a consumer of a job that is busy gets the current state next, however many frames came meanwhile", async () => {
  const last = 50n;
  let goOn = (): void => undefined;
  const wanted = new Promise<void>((resolve) => (goOn = resolve));
  const client = clientOf(async function* (signal) {
    yield frame({ case: "opened", value: { epoch: "e", headSequence: 1n, cursor: 1n } });
    const job = { jobId: "j", epoch: "e", state: JobState.RUNNING, lastSequence: 1n };
    yield frame({ case: "snapshot", value: { job } });
    yield frame({ case: "caughtUp", value: { sequence: 1n } });
    await wanted;
    for (let sequence = 2n; sequence <= last; sequence++) {
      const event = create(EventSchema, { sequence, payload: { case: "logWritten", value: {} } });
      yield frame({ case: "events", value: { events: [event] } });
    }
    await aborted(signal);
  });
  const seen: bigint[] = [];
  const following = client.followJob("j");
  for await (const job of following) {
    seen.push(job.lastSequence);
    goOn();
    await until(() => following.connection.received === last);
    if (job.lastSequence === last) break;
  }

  expect(seen).toStrictEqual([1n, last]);
  expect(following.connection.state).toBe("ended");
});

test("a watch that has received the last event holds nothing and has ended, also if nobody asks for more", async () => {
  const page = openPage();
  const client = clientOf(
    async function* () {
      yield* framesToHead();
      const event = create(EventSchema, { sequence: 2n, payload: { case: "jobEnded", value: {} } });
      yield await Promise.resolve(frame({ case: "events", value: { events: [event] } }));
    },
    { slots: page },
  );
  const watch = client.watchJob("j");
  const batches = watch.batches();
  await batches.next();

  const last = await batches.next();
  await until(() => watch.connection.state === "ended");

  expect(last.value).toMatchObject([{ event: { sequence: 2n } }]);
  expect([page.isTaken, page.listeners.size]).toStrictEqual([false, 0]);
});

test("a watch that pauses on a hidden page gives its stream back then, and not once somebody asks for more", async () => {
  const page = openPage();
  const client = clientOf(
    async function* (signal) {
      yield* framesToHead();
      await aborted(signal);
    },
    { slots: page },
  );
  const watch = client.watchJob("j", { pauseWhenHidden: true });
  await watch.batches().next();
  expect(page.isTaken).toBe(true);

  page.turn("hidden");

  expect([page.isTaken, watch.connection.state]).toStrictEqual([false, "paused"]);
  watch.close();
});

test("the time in which a page is hidden does not count for the first connection", async () => {
  const page = openPage();
  let later = 0;
  for (const clock of [Date, performance]) {
    const now = clock.now.bind(clock);
    vi.spyOn(clock, "now").mockImplementation(() => now() + later);
  }
  onTestFinished(() => {
    vi.restoreAllMocks();
  });
  let opened = 0;
  const client = clientOf(async function* (signal) {
    if (++opened < 3) throw new ConnectError("not yet", Code.Unavailable);
    yield* framesToHead();
    await aborted(signal);
  });
  page.turn("hidden");
  const watch = client.watchJob("j", { pauseWhenHidden: true });
  const first = watch.batches().next();
  await until(() => watch.connection.state === "paused");

  later = 3_600_000;
  page.turn("visible");

  expect((await first).value).toMatchObject([{ event: { sequence: 1n } }]);
  watch.close();
});

test("what `onConnection` throws ends the watch with it, and is not taken for a lost connection", async () => {
  let opened = 0;
  const client = clientOf(async function* (signal) {
    opened++;
    yield* framesToHead();
    await aborted(signal);
  });
  const watch = client.watchJob("j", {
    onConnection: ({ state }) => {
      if (state === "live") throw new RangeError("of the caller");
    },
  });

  await expect(collect(watch).end).rejects.toThrow(new RangeError("of the caller"));
  expect([opened, watch.connection.state]).toStrictEqual([1, "ended"]);
});

test("nothing is told of a connection after its end, such as by the answer of a call that was under way", () => {
  const progress = { resumeAfter: 1n, head: 1n, storeAway: false, opened: true, reachedHead: true };
  const connections: Connection[] = [];
  const backoff = new Backoff({ initialMs: 1, maximumMs: 1 });
  const status = new ConnectionStatus(
    progress,
    backoff,
    () => false,
    (connection) => connections.push(connection),
  );

  status.set("ended");
  status.advanced([], { isCalling: true, isPolling: true, blocked: undefined });
  status.set("ended");

  expect(statesOf(connections)).toStrictEqual(["ended"]);
  expect(status.current.state).toBe("ended");
});

test("a watch stays paused while the page is hidden, whatever a call brings that was under way", () => {
  const progress = { resumeAfter: 1n, head: 1n, storeAway: false, opened: true, reachedHead: true };
  const connections: Connection[] = [];
  const polling = { isCalling: true, isPolling: true, blocked: undefined };
  let hidden = false;
  const status = new ConnectionStatus(
    progress,
    new Backoff({ initialMs: 1, maximumMs: 1 }),
    () => hidden,
    (connection) => connections.push(connection),
  );
  status.hasConnected = true;
  status.advanced([], polling);
  hidden = true;
  status.becomeStale(5);
  status.set("paused");

  status.advanced([], polling);
  status.lost([], new Unreachable("cut"), 7);
  status.set("polling");
  expect(status.current).toMatchObject({ state: "paused", staleSince: 5 });

  hidden = false;
  status.advanced([], polling);
  expect(statesOf(connections)).toStrictEqual(["polling", "paused", "polling"]);
  expect(status.current.staleSince).toBeUndefined();
});

test("a watch that is closed does not wait for another token", async () => {
  let asked = 0;
  const client = clientOf(
    // eslint-disable-next-line require-yield -- as a stream is
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

test("a log that restarts under a live watch: it is not live again before another stream is", async () => {
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

test("the end of a later job with the id is not that of the watched one, however many events it has", async () => {
  let opened = 0;
  const client = clientOf(
    async function* () {
      await Promise.resolve();
      if (++opened > 1) throw refusal(Code.FailedPrecondition, "EPOCH_CHANGED");
      yield frame({ case: "opened", value: { epoch: "e", cursor: 1n, headSequence: 1n } });
      yield frame({ case: "caughtUp", value: { sequence: 1n } });
    },
    { job: { epoch: "other", lastSequence: 1n, state: JobState.SUCCEEDED } },
  );

  const { end } = collect(client.watchJob("j", { after: 1n, epoch: "e", onGap: "throw" }));

  await expect(end).rejects.toMatchObject({ reason: "EPOCH_CHANGED" });
});

test.each(["close", "abort"] as const)(
  "followJob has no state after %s, though one was read",
  async (how) => {
    let sent = 1n;
    const client = clientOf(async function* (signal) {
      yield frame({ case: "opened", value: { epoch: "e", headSequence: 1n } });
      yield frame({ case: "snapshot", value: { job: { jobId: "job", lastSequence: 1n } } });
      for (; !signal.aborted; sent++) {
        await new Promise(setImmediate);
        yield frame({ case: "events", value: { events: [{ sequence: sent + 1n }] } });
      }
    });
    const leaving = new AbortController();
    const follower = client.followJob("job", { signal: leaving.signal });
    const states = follower[Symbol.asyncIterator]();
    await states.next();
    const read = sent;
    await until(() => sent > read + 10n);

    if (how === "close") follower.close();
    else leaving.abort(new Error("left"));
    const next = states.next();
    if (how === "close") await expect(next).resolves.toStrictEqual({ done: true, value: undefined });
    else await expect(next).rejects.toThrow("left");
  },
);
