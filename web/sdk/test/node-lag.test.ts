/** Nodes that have not read as far as the one that a cursor comes from. */
import { type MessageInitShape, create } from "@bufbuild/protobuf";
import { Code, createRouterTransport } from "@connectrpc/connect";
import { JobState, WatchJobResponseSchema } from "@milepost/client";
import { expect, onTestFinished, test, vi } from "vitest";
import { IMPATIENT } from "../../testing/impatient.js";
import { MilepostClient } from "../src/client.js";
import { type MilepostError, ServiceError, Unreachable } from "../src/errors.js";
import { JobService } from "../src/gen/milepost/v1/job_service_pb.js";
import { NodeLag } from "../src/watch/node-lag.js";
import { refusal } from "./refusal.js";
import { collect, oneTo, sequencesOf } from "./watching.js";

const frameOf = (value: MessageInitShape<typeof WatchJobResponseSchema>["frame"]) =>
  create(WatchJobResponseSchema, { frame: value });

/** A client of a server that is cut after two events of three, and lags for as many streams then. */
function lagging(streams: number): { client: MilepostClient; starts: unknown[] } {
  const starts: unknown[] = [];
  const transport = createRouterTransport((router) => {
    router.service(JobService, {
      watchJob: async function* ({ start, epoch }) {
        const after = start.case === "afterSequence" ? start.value : 0n;
        starts.push([after, epoch]);
        await Promise.resolve();
        if (after > 0n && starts.length <= streams + 1) throw refusal(Code.OutOfRange, "SEQUENCE_AHEAD");
        yield frameOf({ case: "opened", value: { epoch: "e", cursor: after, headSequence: 3n } });
        const payload = { case: "jobEnded", value: { state: JobState.SUCCEEDED } } as const;
        const events = [{ sequence: 1n }, { sequence: 2n }, { sequence: 3n, payload }];
        const news = events.filter(({ sequence }) => sequence > after);
        yield frameOf({ case: "events", value: { events: after === 0n ? news.slice(0, 2) : news } });
        if (after === 0n) throw refusal(Code.Unavailable, "DRAINING");
      },
    });
  });
  return { client: new MilepostClient({ timing: IMPATIENT }, { transport }), starts };
}

test("a node that lags behind the one that the events came from is waited for", async () => {
  const { client, starts } = lagging(2);
  const { items, end } = collect(client.watchJob("job"));
  await end;

  expect(sequencesOf(items)).toStrictEqual(oneTo(3));
  expect(starts).toStrictEqual([[0n, ""], ...Array.from({ length: 3 }, () => [2n, "e"])]);
});

test("a cursor that stays ahead is refused, at once without an epoch by which it could be of any log", async () => {
  const { client, starts } = lagging(Infinity);
  const [without, impatient] = [{ after: 9n }, { after: 9n, epoch: "e", connectTimeoutMs: 0 }];

  for (const options of [without, impatient]) {
    await expect(collect(client.watchJob("job", options)).end).rejects.toMatchObject({
      reason: "SEQUENCE_AHEAD",
    });
  }
  expect(starts).toStrictEqual([
    [9n, ""],
    [9n, "e"],
  ]);
});

test("a watch from the end of a job asks again whether that has ended, where a node lags behind that end", async () => {
  const frames = [
    frameOf({ case: "opened", value: { epoch: "e", cursor: 3n, headSequence: 3n } }),
    frameOf({ case: "caughtUp", value: { sequence: 3n } }),
  ];
  let asked = 0;
  const transport = createRouterTransport((router) => {
    router.service(JobService, {
      watchJob: async function* () {
        await Promise.resolve();
        yield* frames;
      },
      getJob: () => {
        asked += 1;
        const behind = { lastSequence: 2n, state: JobState.RUNNING };
        const ended = { lastSequence: 3n, state: JobState.SUCCEEDED };
        return { job: { epoch: "e", ...(asked === 1 ? behind : ended) } };
      },
    });
  });
  // Without a slot each of its streams ends at the head.
  const slots = { take: () => Promise.resolve(undefined) };
  const client = new MilepostClient({ timing: IMPATIENT }, { transport, slots });
  const { items, end } = collect(client.watchJob("job", { after: 3n, epoch: "e" }));
  await end;

  expect([items, asked]).toStrictEqual([[], 2]);
});

test("a lag that passed does not count for the next one", async () => {
  let skewMs = 0;
  const now = Date.now;
  vi.spyOn(Date, "now").mockImplementation(() => now() + skewMs);
  onTestFinished(() => {
    vi.restoreAllMocks();
  });
  const limitMs = 3_600_000;
  let streams = 0;
  const transport = createRouterTransport((router) => {
    router.service(JobService, {
      watchJob: async function* ({ start }) {
        const after = start.case === "afterSequence" ? start.value : 0n;
        streams += 1;
        await Promise.resolve();
        if (streams === 4) skewMs = 2 * limitMs;
        if (streams === 2 || streams === 4) throw refusal(Code.OutOfRange, "SEQUENCE_AHEAD");
        yield frameOf({ case: "opened", value: { epoch: "e", cursor: after, headSequence: 2n } });
        if (streams === 1) yield frameOf({ case: "events", value: { events: [{ sequence: 1n }] } });
        if (streams < 5) throw refusal(Code.Unavailable, "DRAINING");
        const payload = { case: "jobEnded", value: { state: JobState.SUCCEEDED } } as const;
        yield frameOf({ case: "events", value: { events: [{ sequence: 2n, payload }] } });
      },
    });
  });
  const client = new MilepostClient({ timing: IMPATIENT }, { transport });
  const { items, end } = collect(client.watchJob("job", { connectTimeoutMs: limitMs }));
  await end;

  expect(sequencesOf(items)).toStrictEqual(oneTo(2));
});

test("a lag counts from its first refusal until a stream opens, whatever fails in between", () => {
  const lag = new NodeLag(10);
  const ahead = new ServiceError("", { code: Code.OutOfRange, reason: "SEQUENCE_AHEAD" });
  const mayPass = (error: MilepostError, now: number) => lag.mayPass(error, "e", now);

  expect([mayPass(ahead, 0), mayPass(new Unreachable("gone"), 5), mayPass(ahead, 10)]).toStrictEqual([
    true,
    false,
    false,
  ]);
  lag.passed();
  expect(mayPass(ahead, 11)).toBe(true);
});
